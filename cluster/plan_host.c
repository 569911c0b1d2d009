/* SPDX-License-Identifier: MIT */
#include "cluster/plan_parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "netplan/netplan.h"

/* The steps that every node has: who it is, who may log in, its network and its clock. */

#define HEAD "# Written by rackseed from cluster.yaml; changes here do not last.\n"

/* ---- hostname ---- */

static bool is_node_or_address(const struct model *m, const char *host)
{
	struct net_ip ip;

	return net_ip_parse(host, &ip) == 0 || model_node(m, host);
}

/* "registry:5000" without its port. */
static size_t host_len(const char *host)
{
	return strcspn(host, ":");
}

/* Names by which a node is known besides its own: the endpoint's, and its registries'. */
static void aliases(const struct model *m, const struct model_node *node, struct text *out)
{
	size_t i;

	if (node == model_first(m, MODEL_CONTROL_PLANE) && !is_node_or_address(m, m->endpoint_host))
		text_addf(out, " %s", m->endpoint_host);
	for (i = 0; i < m->n_registries; i++) {
		const struct model_registry *r = &m->registries[i];
		scoped(text_done) struct text host = { 0 };

		if (!r->node || strcmp(r->node, node->name) != 0)
			continue;
		text_add_n(&host, r->host, host_len(r->host));
		text_inherit(out, &host);
		if (!is_node_or_address(m, text_str(&host)))
			text_addf(out, " %s", text_str(&host));
	}
}

int plan_hostname(struct plan_work *w, struct fault *why)
{
	scoped(text_done) struct text name = { 0 };
	scoped(text_done) struct text hosts = { 0 };
	size_t i;

	(void)why;
	text_addf(&name, "%s\n", w->node->name);
	plan_put_file(w->plan, PLAN_HOSTNAME, "/etc/hostname", &name);
	text_add(&hosts, HEAD "127.0.0.1 localhost\n"
			      "::1 localhost ip6-localhost ip6-loopback\n");
	for (i = 0; i < w->m->n_nodes; i++) {
		char ip[NET_IP_LEN];

		text_addf(&hosts, "%s %s", net_ip_text(&w->m->nodes[i].address, ip),
			  w->m->nodes[i].name);
		aliases(w->m, &w->m->nodes[i], &hosts);
		text_add(&hosts, "\n");
	}
	plan_put_file(w->plan, PLAN_HOSTNAME, "/etc/hosts", &hosts);
	return 0;
}

/* ---- admin ---- */

#define KEYS_PATH "/etc/ssh/rackseed/authorized_keys"
#define USERS_PATH "/etc/sysusers.d/rackseed-admin.conf"
#define HOME_PATH "/etc/tmpfiles.d/rackseed-admin.conf"
#define SUDO_PATH "/etc/sudoers.d/rackseed-admin"

/* These words enter sudoers and sysusers.d, which have no way to quote: nothing odd may pass. */
static bool is_user(const char *s)
{
	size_t n = strlen(s);

	return n >= 1 && n <= 32 &&
	       s[strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_-")] == '\0' && s[0] != '-' &&
	       (s[0] < '0' || s[0] > '9') && strcmp(s, "root") != 0;
}

static bool is_line(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

/* An account that the file does not name any more must not stay usable. */
static void remove_admin(struct plan *p)
{
	static const char *const paths[] = { USERS_PATH, HOME_PATH, KEYS_PATH, SUDO_PATH };
	size_t i;

	for (i = 0; i < COUNT(paths); i++)
		plan_put(p, &(struct plan_item){
				    .step = PLAN_ADMIN, .kind = PLAN_ABSENT, .path = paths[i] });
}

static int authorized_keys(struct plan_work *w, struct fault *why)
{
	scoped(text_done) struct text keys = { 0 };
	char **key;

	text_add(&keys, HEAD);
	for (key = w->m->admin.ssh_keys; key && *key; key++) {
		if (!is_line(*key))
			return fault_set(why, EINVAL, "admin.sshKeys: a key must be one line");
		text_addf(&keys, "%s\n", *key);
	}
	/* sshd opens it as the user who logs in. */
	plan_put_file(w->plan, PLAN_ADMIN, KEYS_PATH, &keys);
	return 0;
}

/* Owns the data of etcd, which runs as a static pod: nobody else on the machine may look. */
static void etcd_account(struct plan_work *w)
{
	scoped(text_done) struct text account = { 0 };
	scoped(text_done) struct text folder = { 0 };

	text_add(&account, HEAD "u etcd - \"etcd\" /var/lib/etcd\n");
	plan_put_file(w->plan, PLAN_ADMIN, "/etc/sysusers.d/rackseed-etcd.conf", &account);
	text_add(&folder, HEAD "d /var/lib/etcd 0700 etcd etcd -\n");
	plan_put_file(w->plan, PLAN_ADMIN, "/etc/tmpfiles.d/rackseed-etcd.conf", &folder);
}

int plan_admin(struct plan_work *w, struct fault *why)
{
	const char *user = w->m->admin.user;
	scoped(text_done) struct text account = { 0 };
	scoped(text_done) struct text home = { 0 };
	scoped(text_done) struct text sudo = { 0 };
	int r;

	if (w->node->roles & MODEL_CONTROL_PLANE)
		etcd_account(w);
	if (!user || !*user) {
		remove_admin(w->plan);
		return 0;
	}
	if (!is_user(user))
		return fault_set(why, EINVAL, "admin.user '%s' is no name for an account", user);
	text_addf(&account, HEAD "u %s - \"administrator\" /home/%s /bin/bash\n", user, user);
	plan_put_file(w->plan, PLAN_ADMIN, USERS_PATH, &account);
	text_addf(&home, HEAD "d /home/%s 0700 %s %s -\n", user, user, user);
	plan_put_file(w->plan, PLAN_ADMIN, HOME_PATH, &home);
	r = authorized_keys(w, why);
	if (r < 0)
		return r;
	text_addf(&sudo, HEAD "%s ALL=(ALL:ALL) NOPASSWD: ALL\n", user);
	plan_put(w->plan, &(struct plan_item){ .step = PLAN_ADMIN,
					       .kind = PLAN_FILE,
					       .mode = 0440,
					       .path = SUDO_PATH,
					       .content = sudo.data });
	return text_error(&sudo) < 0 ? fault_errno(why, text_error(&sudo), "admin") : 0;
}

/* ---- network ---- */

/* Routes to the parts of the pod network that the other members have. */
static int pod_routes(const struct plan_work *w, struct netplan_route **ret, size_t *ret_n,
		      struct fault *why)
{
	struct netplan_route *routes = calloc(w->m->n_nodes + 1, sizeof(*routes));
	size_t i, n = 0;
	int r = routes ? 0 : -ENOMEM;

	for (i = 0; i < w->m->n_nodes && r == 0; i++) {
		const struct model_node *other = &w->m->nodes[i];

		if (other == w->node || !model_is_kubernetes(other))
			continue;
		routes[n].via = other->address;
		r = model_pod_cidr(w->m, other, &routes[n].to);
		if (r == 0 && routes[n].to.ip.family != other->address.family)
			r = -EAFNOSUPPORT;
		n++;
	}
	if (r < 0) {
		free(routes);
		return fault_errno(why, r, "routes to the pods of the other nodes");
	}
	*ret = routes;
	*ret_n = n;
	return 0;
}

DEFINE_DROP(routes, struct netplan_route *, free)

static int netplan_file(struct plan_work *w, struct fault *why)
{
	const struct model *m = w->m;
	struct netplan_config config = { .mac = w->node->mac,
					 .address = { w->node->address, m->network.subnet.prefix },
					 .gateway = m->network.gateway,
					 .nameservers = m->network.nameservers,
					 .n_nameservers = m->network.n_nameservers,
					 .own = w->node->network };
	scoped(drop_routes) struct netplan_route *routes = NULL;
	scoped(text_done) struct text out = { 0 };
	int r = 0;

	if (!w->node->has_mac && !config.own)
		return fault_set(why, EINVAL, "neither mac: nor network: says which link is meant");
	if (m->pod_network == MODEL_PODS_ROUTED && model_is_kubernetes(w->node))
		r = pod_routes(w, &routes, &config.n_routes, why);
	config.routes = routes;
	if (r == 0)
		r = netplan_render(&config, &out, why);
	if (r < 0)
		return r;
	plan_put(w->plan, &(struct plan_item){ .step = PLAN_NETWORK,
					       .kind = PLAN_FILE,
					       .mode = 0600,
					       .path = "/etc/netplan/60-rackseed.yaml",
					       .content = out.data });
	return 0;
}

/*
 * Names are resolved by a plain file: networkd hands its name servers to systemd-resolved only,
 * which Debian's images lack; where it runs, it reads this file too.
 */
static void resolv_conf(struct plan_work *w)
{
	scoped(text_done) struct text out = { 0 };
	char ip[NET_IP_LEN];
	size_t i;

	text_add(&out, HEAD);
	for (i = 0; i < w->m->network.n_nameservers; i++)
		text_addf(&out, "nameserver %s\n", net_ip_text(&w->m->network.nameservers[i], ip));
	plan_put_file(w->plan, PLAN_NETWORK, "/etc/resolv.conf", &out);
}

int plan_network(struct plan_work *w, struct fault *why)
{
	/* What cloud images and installers leave behind would ask for DHCP. */
	static const char *const strangers[] = { "/etc/netplan/00-installer-config.yaml",
						 "/etc/netplan/50-cloud-init.yaml" };
	size_t i;
	int r = netplan_file(w, why);

	if (r < 0)
		return r;
	for (i = 0; i < COUNT(strangers); i++)
		plan_put(w->plan, &(struct plan_item){ .step = PLAN_NETWORK,
						       .kind = PLAN_ABSENT,
						       .path = strangers[i] });
	resolv_conf(w);
	return 0;
}
