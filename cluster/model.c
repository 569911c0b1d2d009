/* SPDX-License-Identifier: MIT */
#include "cluster/model.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/macros.h"

static void free_list(char **list)
{
	char **s;

	for (s = list; s && *s; s++)
		free(*s);
	free(list);
}

static void registry_done(struct model_registry *r)
{
	free(r->host);
	free(r->node);
	free(r->user);
	free(r->password_file);
	free_list(r->mirrors);
	free_list(r->namespaces);
	free(r->mirror_marks);
	free(r->upstream);
	free(r->ca_file);
	free(r->client_cert_file);
	free(r->client_key_file);
	free(r->probe);
}

static void share_done(struct model_share *s)
{
	free(s->name);
	free(s->node);
	free(s->path);
	free(s->server);
	free(s->mount);
	free(s->user);
	free(s->password_file);
	free(s->claim);
}

static void node_done(struct model_node *n)
{
	size_t i;

	free(n->name);
	free(n->serial);
	free(n->disk.serial);
	free(n->disk.wwn);
	free(n->data.serial);
	free(n->data.wwn);
	for (i = 0; i < n->n_labels; i++) {
		free(n->labels[i].key);
		free(n->labels[i].value);
	}
	free(n->labels);
	for (i = 0; i < n->n_taints; i++) {
		free(n->taints[i].key);
		free(n->taints[i].value);
		free(n->taints[i].effect);
	}
	free(n->taints);
	free(n->network);
	free(n->own);
}

void model_done(struct model *m)
{
	char *const texts[] = {
		m->file,      m->name,	     m->image_repository, m->endpoint_host,
		m->token,     m->os.release, m->os.mirror,	  m->os.cloud_image,
		m->os.sha256, m->vm.bridge,  m->admin.user,	  m->pod_network_addon,
		m->snapshots.path, m->signing.key_file,
	};
	char **const lists[] = { m->skip_phases, m->os.packages,
				 m->os.sources,	 m->os.kernel_arguments,
				 m->network.ntp, m->admin.ssh_keys,
				 m->images };
	size_t i;

	for (i = 0; i < COUNT(texts); i++)
		free(texts[i]);
	for (i = 0; i < COUNT(lists); i++)
		free_list(lists[i]);
	for (i = 0; i < m->n_registries; i++)
		registry_done(&m->registries[i]);
	for (i = 0; i < m->n_shares; i++)
		share_done(&m->shares[i]);
	for (i = 0; i < m->n_nodes; i++)
		node_done(&m->nodes[i]);
	for (i = 0; i < MODEL_N_DOORS; i++)
		free(m->firewall.doors[i].list);
	free(m->firewall.ports);
	for (i = 0; i < MODEL_N_GPUS; i++) {
		free(m->gpus[i].driver);
		free(m->gpus[i].device_plugin);
	}
	free(m->registries);
	free(m->shares);
	free(m->nodes);
	free(m->network.nameservers);
	free(m->mark.images);
	free(m->mark.sources);
	free(m->mark.ssh_keys);
	free(m->by_name);
	*m = (struct model){ 0 };
}

/* Names given twice stay in the order of the file, so that the first one is found. */
static int compare_names(const void *a, const void *b, void *data)
{
	const struct model *m = data;
	size_t x = *(const size_t *)a, y = *(const size_t *)b;
	int r = strcmp(m->nodes[x].name, m->nodes[y].name);

	return r ? r : (x > y) - (x < y);
}

int model_index(struct model *m)
{
	size_t *index = calloc(m->n_nodes ? m->n_nodes : 1, sizeof(*index));
	size_t i;

	if (!index)
		return -ENOMEM;
	for (i = 0; i < m->n_nodes; i++)
		index[i] = i;
	qsort_r(index, m->n_nodes, sizeof(*index), compare_names, m);
	free(m->by_name);
	m->by_name = index;
	m->n_by_name = m->n_nodes;
	return 0;
}

const struct model_node *model_node(const struct model *m, const char *name)
{
	bool sorted = m->by_name && m->n_by_name == m->n_nodes;
	size_t from = 0, to = m->n_nodes;

	/* The first one that is not smaller. */
	while (sorted && from < to) {
		size_t middle = from + (to - from) / 2;

		if (strcmp(m->nodes[m->by_name[middle]].name, name) < 0)
			from = middle + 1;
		else
			to = middle;
	}
	if (sorted && from < m->n_nodes && strcmp(m->nodes[m->by_name[from]].name, name) == 0)
		return &m->nodes[m->by_name[from]];
	for (from = 0; !sorted && from < m->n_nodes; from++)
		if (strcmp(m->nodes[from].name, name) == 0)
			return &m->nodes[from];
	return NULL;
}

const struct model_registry *model_registry(const struct model *m, const char *host)
{
	size_t i;

	for (i = 0; i < m->n_registries; i++)
		if (strcmp(m->registries[i].host, host) == 0)
			return &m->registries[i];
	return NULL;
}

const struct model_node *model_first(const struct model *m, unsigned role)
{
	size_t i;

	for (i = 0; i < m->n_nodes; i++)
		if (m->nodes[i].roles & role)
			return &m->nodes[i];
	return NULL;
}

const struct model_node *model_first_gpu(const struct model *m, enum model_gpu gpu)
{
	size_t i;

	for (i = 0; i < m->n_nodes; i++)
		if (m->nodes[i].gpu == gpu && model_is_kubernetes(&m->nodes[i]))
			return &m->nodes[i];
	return NULL;
}

const struct net_cidr *model_door(const struct model *m, enum model_door door, size_t *ret_n)
{
	const struct model_networks *given = &m->firewall.doors[door];

	*ret_n = given->mark.line ? given->n : m->network.subnet.ip.family != 0;
	return given->mark.line ? given->list : &m->network.subnet;
}

bool model_has_data(const struct model_node *node)
{
	return node->data.serial || node->data.wwn || node->data.size_bytes;
}

void model_data_serial(const char *node, char buf[static MODEL_DATA_SERIAL_LEN])
{
	enum { ROOM = MODEL_DATA_SERIAL_LEN - (int)sizeof("-data") };

	snprintf(buf, MODEL_DATA_SERIAL_LEN, "%.*s-data", ROOM, node);
}

bool model_is_kubernetes(const struct model_node *node)
{
	return (node->roles & (MODEL_CONTROL_PLANE | MODEL_WORKER)) != 0;
}

bool model_serves_tls(const struct model_registry *registry)
{
	return registry->node && !registry->insecure;
}

unsigned model_registry_port(const struct model_registry *registry)
{
	const char *host = registry->host;
	const char *end = host[0] == '[' ? strchr(host, ']') : NULL;
	const char *colon = strchr(end ? end : host, ':');

	if (colon)
		return (unsigned)strtoul(colon + 1, NULL, 10);
	return registry->insecure ? 80 : 443;
}

int model_version_cmp(const struct model_version *v, int major, int minor)
{
	if (v->major != major)
		return v->major < major ? -1 : 1;
	return v->minor < minor ? -1 : v->minor > minor;
}

bool model_image_is_file(const char *image)
{
	size_t len = strlen(image);

	return image[0] == '/' || strncmp(image, "./", 2) == 0 || strncmp(image, "../", 3) == 0 ||
	       (len > 4 && strcmp(image + len - 4, ".tar") == 0);
}

bool model_source_is_folder(const char *source)
{
	return strncmp(source, "deb ", 4) != 0 && strncmp(source, "deb-src ", 8) != 0;
}

bool model_place_is_url(const char *place)
{
	return strstr(place, "://") != NULL;
}

int model_pod_cidr(const struct model *m, const struct model_node *node, struct net_cidr *ret_cidr)
{
	bool v6 = m->pod_subnet.ip.family == AF_INET6;
	unsigned part = v6 ? 64 : 24;
	unsigned n_bytes = part / 8;
	struct net_cidr cidr = { .ip = net_cidr_first(&m->pod_subnet), .prefix = part };
	uint64_t number = net_cidr_host(&m->network.subnet, &node->address);
	unsigned spare = part - m->pod_subnet.prefix;
	unsigned carry = 0;

	if (node->pod_cidr.ip.family) {
		*ret_cidr = node->pod_cidr;
		return 0;
	}
	if (!m->pod_subnet.ip.family || m->pod_subnet.prefix > part ||
	    (spare < 64 && number >> spare))
		return -ERANGE;
	while (n_bytes-- > 0) {
		unsigned sum = cidr.ip.bytes[n_bytes] + (unsigned)(number & 0xff) + carry;

		cidr.ip.bytes[n_bytes] = (uint8_t)sum;
		carry = sum >> 8;
		number >>= 8;
	}
	*ret_cidr = cidr;
	return 0;
}
