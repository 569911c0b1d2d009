/* SPDX-License-Identifier: MIT */
#include "cluster/document.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "cluster/parse.h"

/* The keys of the document but for registries, shares and nodes. cluster.yaml(5) tells of each. */

#define SNAPSHOT_PATH "/var/lib/rackseed/snapshots"

enum { SNAPSHOT_EVERY_S = 6 * 3600, SNAPSHOT_KEEP = 8 };

static PARSE_READER(parse_api_version);
static PARSE_READER(parse_endpoint);
static PARSE_READER(parse_pod_network);
static PARSE_READER(parse_duration);

#define AT(field) .offset = offsetof(struct model, field)
#define MARK(field) .mark = offsetof(struct model, mark.field)

static const struct parse_word distributions[] = {
	{ .word = "debian", .value = MODEL_DEBIAN },
	{ .word = "ubuntu", .value = MODEL_UBUNTU },
	{ 0 },
};
static const struct parse_words distribution_words = { distributions, "word-unknown" };

static const struct parse_word accels[] = {
	{ .word = "auto", .value = MODEL_ACCEL_AUTO },
	{ .word = "kvm", .value = MODEL_ACCEL_KVM },
	{ .word = "tcg", .value = MODEL_ACCEL_TCG },
	{ 0 },
};
static const struct parse_words accel_words = { accels, "word-unknown" };

static const struct parse_key kubernetes_keys[] = {
	{ "version", parse_version, AT(kubernetes), MARK(kubernetes), .required = true },
	{ "imageRepository", parse_text, AT(image_repository), MARK(image_repository),
	  .form = &parse_form_repository },
	{ "skipPhases", parse_texts, AT(skip_phases), .form = &parse_form_phase },
	{ 0 },
};
static const struct parse_table kubernetes_table = { "kubernetes", kubernetes_keys };

static const struct parse_key snapshots_keys[] = {
	{ "path", parse_text, AT(snapshots.path),
	  .mark = offsetof(struct model, snapshots.path_mark), .form = &parse_form_path },
	{ "every", parse_duration, AT(snapshots.every_s) },
	{ "keep", parse_count, AT(snapshots.keep) },
	{ 0 },
};
static const struct parse_table snapshots_table = { "snapshots", snapshots_keys };

static const struct parse_key cluster_keys[] = {
	{ "name", parse_text, AT(name), .required = true, .form = &parse_form_label },
	{ "kubernetes", parse_submapping, .required = true, .table = &kubernetes_table },
	{ "endpoint", parse_endpoint, MARK(endpoint) },
	{ "token", parse_text, AT(token), MARK(token), .form = &parse_form_token },
	{ "podSubnet", parse_network, AT(pod_subnet), MARK(pod_subnet) },
	{ "serviceSubnet", parse_network, AT(service_subnet), MARK(service_subnet) },
	{ "podNetwork", parse_pod_network, MARK(pod_network) },
	{ "snapshots", parse_submapping, .table = &snapshots_table },
	{ 0 },
};
static const struct parse_table cluster_table = { "cluster", cluster_keys };

static const struct parse_key os_keys[] = {
	{ "distribution", parse_one_word, AT(os.distribution), MARK(distribution), .required = true,
	  .words = &distribution_words },
	{ "release", parse_text, AT(os.release), MARK(release), .required = true,
	  .form = &parse_form_release },
	{ "mirror", parse_text, AT(os.mirror), .form = &parse_form_url },
	{ "packages", parse_texts, AT(os.packages), .form = &parse_form_package },
	{ "sources", parse_texts, AT(os.sources), MARK(sources), .form = &parse_form_source },
	{ "kernelArguments", parse_texts, AT(os.kernel_arguments), .form = &parse_form_argument },
	{ "cloudImage", parse_text, AT(os.cloud_image), MARK(cloud_image),
	  .form = &parse_form_place },
	{ "sha256", parse_text, AT(os.sha256), MARK(sha256), .form = &parse_form_sha256 },
	{ 0 },
};
static const struct parse_table os_table = { "os", os_keys };

static const struct parse_key network_keys[] = {
	{ "subnet", parse_network, AT(network.subnet), MARK(subnet), .required = true },
	{ "gateway", parse_ip, AT(network.gateway), MARK(gateway) },
	{ "nameservers", parse_ips, AT(network.nameservers) },
	{ "ntp", parse_texts, AT(network.ntp), .form = &parse_form_host },
	{ 0 },
};
static const struct parse_table network_table = { "network", network_keys };

static const struct parse_key vm_keys[] = {
	{ "accel", parse_one_word, AT(vm.accel), .words = &accel_words },
	{ "bridge", parse_text, AT(vm.bridge), .form = &parse_form_interface },
	{ 0 },
};
static const struct parse_table vm_table = { "vm", vm_keys };

static const struct parse_key installer_keys[] = {
	{ "waitSeconds", parse_count, AT(installer.wait_s) },
	{ 0 },
};
static const struct parse_table installer_table = { "installer", installer_keys };

static const struct parse_key signing_keys[] = {
	{ "keyFile", parse_text, AT(signing.key_file),
	  .mark = offsetof(struct model, signing.key_mark), .form = &parse_form_password_file },
	{ 0 },
};
static const struct parse_table signing_table = { "signing", signing_keys };

static const struct parse_key admin_keys[] = {
	{ "user", parse_text, AT(admin.user), MARK(user), .form = &parse_form_account },
	{ "sshKeys", parse_texts, AT(admin.ssh_keys), MARK(ssh_keys), .form = &parse_form_ssh_key },
	{ 0 },
};
static const struct parse_table admin_table = { "admin", admin_keys };

static const struct parse_key document_keys[] = {
	{ "apiVersion", parse_api_version, .required = true },
	{ "cluster", parse_submapping, MARK(cluster), .required = true, .table = &cluster_table },
	{ "os", parse_submapping, .required = true, .table = &os_table },
	{ "network", parse_submapping, .required = true, .table = &network_table },
	{ "vm", parse_submapping, .table = &vm_table },
	{ "installer", parse_submapping, .table = &installer_table },
	{ "signing", parse_submapping, .table = &signing_table },
	{ "admin", parse_submapping, .table = &admin_table },
	{ "firewall", parse_submapping, .table = &parse_firewall_table },
	{ "gpus", parse_submapping, AT(gpus), .table = &parse_gpus_table },
	{ "images", parse_texts, AT(images), MARK(images), .form = &parse_form_image },
	{ "registries", .read = parse_registries },
	{ "shares", .read = parse_shares },
	{ "nodes", parse_nodes, MARK(nodes), .required = true },
	{ 0 },
};
const struct parse_table parse_document_table = { "the document", document_keys };

static PARSE_READER(parse_api_version)
{
	const struct parse_form *form = &parse_form_api_version;
	const char *s = parse_scalar(p, y);

	(void)object;
	if (s && !form->ok(s))
		parse_complain(p, y, form->code, form->hint, "%s: '%.128s' is not %s", key->name, s,
			       form->what);
}

/* HOST, HOST:PORT or [IPv6]:PORT. */
static PARSE_READER(parse_endpoint)
{
	struct model *m = object;
	const char *s = parse_scalar(p, y);
	bool bracket = s && s[0] == '[';
	const char *colon;
	size_t n;

	if (!s)
		return;
	if (!parse_form_endpoint.ok(s)) {
		parse_complain(p, y, "endpoint-form", parse_form_endpoint.hint,
			       "%s: '%.128s' is not %s", key->name, s, parse_form_endpoint.what);
		return;
	}
	/* An IPv6 address without brackets can have no port. */
	if (bracket)
		n = strcspn(s, "]");
	else
		n = strchr(s, ':') == strrchr(s, ':') ? strcspn(s, ":") : strlen(s);
	colon = strchr(s + n, ':');
	m->endpoint_host = strndup(s + bracket, n - bracket);
	if (!m->endpoint_host)
		p->error = -ENOMEM;
	if (colon)
		m->endpoint_port = (unsigned)strtoul(colon + 1, NULL, 10);
}

static PARSE_READER(parse_pod_network)
{
	struct model *m = object;
	const char *s = parse_scalar(p, y);

	if (!s)
		return;
	if (strcmp(s, "routed") == 0) {
		m->pod_network = MODEL_PODS_ROUTED;
	} else if (strcmp(s, "none") == 0) {
		m->pod_network = MODEL_PODS_NONE;
	} else {
		m->pod_network = MODEL_PODS_ADDON;
		m->pod_network_addon = parse_copy(p, s);
		if (parse_is_label(s))
			return;
		parse_unmark(key, object);
		parse_complain(p, y, "name-form", "routed, none, or the name of an addon",
			       "%s: '%.128s' is no pod network", key->name, s);
	}
}

/* A whole number of minutes, hours or days: 30m, 6h, 1d. */
static PARSE_READER(parse_duration)
{
	enum { MAX = 9999 };
	static const struct {
		const char *unit;
		unsigned seconds;
	} units[] = { { "m", 60 }, { "h", 3600 }, { "d", 24 * 3600 } };
	const char *s = parse_scalar(p, y);
	size_t n = s ? strspn(s, "0123456789") : 0;
	unsigned long value = n > 0 && n <= 4 ? strtoul(s, NULL, 10) : 0;
	uint64_t *ret = (void *)((char *)object + key->offset);
	size_t i;

	for (i = 0; s && i < COUNT(units); i++)
		if (value > 0 && strcmp(s + n, units[i].unit) == 0) {
			*ret = (uint64_t)value * units[i].seconds;
			return;
		}
	if (s)
		parse_complain(p, y, "duration-form", "such as 30m, 6h or 1d",
			       "%s: '%.128s' is not a time from 1m to %dd", key->name, s, MAX);
}

static void set_default_network(struct net_cidr *cidr, const char *text)
{
	/* They are well-formed, so this cannot fail; were it to, check would say so. */
	(void)!net_cidr_parse(text, cidr);
}

/* What the document leaves out. */
static int set_defaults(struct model *m)
{
	const struct model_node *first = model_first(m, MODEL_CONTROL_PLANE);

	if (!m->mark.pod_subnet.line)
		set_default_network(&m->pod_subnet, "10.244.0.0/16");
	if (!m->mark.service_subnet.line)
		set_default_network(&m->service_subnet, "10.96.0.0/12");
	if (m->endpoint_port == 0)
		m->endpoint_port = 6443;
	if (m->installer.wait_s == 0)
		m->installer.wait_s = 10;
	if (m->snapshots.every_s == 0)
		m->snapshots.every_s = SNAPSHOT_EVERY_S;
	if (m->snapshots.keep == 0)
		m->snapshots.keep = SNAPSHOT_KEEP;
	if (!m->snapshots.path)
		m->snapshots.path = strdup(SNAPSHOT_PATH);
	if (!m->snapshots.path)
		return -ENOMEM;
	if (!m->endpoint_host && !m->mark.endpoint.line && first) {
		m->endpoint_host = strdup(first->name);
		if (!m->endpoint_host)
			return -ENOMEM;
	}
	return model_index(m);
}

static void parse_root(struct parse *p, const struct yaml *root)
{
	if (root->kind == YAML_NULL)
		parse_complain(p, root, "empty", "`rackseed init` writes one to begin with",
			       "the document is empty");
	else if (parse_expect(p, root, YAML_MAPPING))
		parse_mapping(p, root, root, &parse_document_table, p->m);
}

int document_parse(const char *file, const char *bytes, size_t len, struct model *ret,
		   struct complaints *c, struct fault *why)
{
	struct parse p = { .m = ret, .c = c, .key = "the document" };
	struct yaml_error error = { 0 };
	struct yaml root = { 0 };
	int r;

	*ret = (struct model){ 0 };
	r = yaml_parse(bytes, len, &root, &error);
	if (r == -EBADMSG)
		complaint_add(c, COMPLAINT_ERROR,
			      (struct model_mark){ .line = error.line, .column = error.column },
			      error.code, NULL, NULL, "%s", error.message);
	else if (r == 0)
		parse_root(&p, &root);
	yaml_done(&root);
	ret->file = parse_copy(&p, file);
	if (r != -ENOMEM)
		r = p.error ? p.error : set_defaults(ret);
	if (r == 0)
		return 0;
	model_done(ret);
	return fault_errno(why, r, "%s", file);
}
