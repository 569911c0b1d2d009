/* SPDX-License-Identifier: MIT */
#include "cluster/pki.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/fault.h"
#include "base/net.h"
#include "base/quote.h"
#include "base/text.h"
#include "cluster/model.h"
#include "cluster/pki_crypto.h"

#define USER "kubernetes-admin"

/* "https://ADDRESS:PORT" that works where nobody resolves the cluster's names. */
static int add_server(const struct model *m, struct text *out, struct fault *why)
{
	const struct model_node *first = model_first(m, MODEL_CONTROL_PLANE);
	char buf[NET_IP_LEN];
	struct net_ip ip = { 0 };

	if (!m->endpoint_host || net_ip_parse(m->endpoint_host, &ip) < 0) {
		if (!first || first->address.family == 0)
			return fault_set(why, EINVAL,
					 "the file has no control plane with an address");
		ip = first->address;
	}
	text_addf(out, ip.family == AF_INET6 ? "https://[%s]:%u" : "https://%s:%u",
		  net_ip_text(&ip, buf), m->endpoint_port ? m->endpoint_port : 6443);
	return 0;
}

static void add_data(struct text *out, const char *key, const struct text *pem)
{
	text_addf(out, "    %s: ", key);
	pki_base64(text_str(pem), pem->len, out);
	text_add(out, "\n");
}

static void render(const char *name, const char *server, const struct text *ca,
		   const struct text *crt, const struct text *key, struct text *out)
{
	scoped(text_done) struct text context = { 0 };

	text_addf(&context, USER "@%s", name);
	text_add(out, "apiVersion: v1\nkind: Config\nclusters:\n- name: ");
	quote_yaml(out, name);
	text_add(out, "\n  cluster:\n    server: ");
	quote_yaml(out, server);
	text_add(out, "\n");
	add_data(out, "certificate-authority-data", ca);
	text_add(out, "users:\n- name: " USER "\n  user:\n");
	add_data(out, "client-certificate-data", crt);
	add_data(out, "client-key-data", key);
	text_add(out, "contexts:\n- name: ");
	quote_yaml(out, text_str(&context));
	text_add(out, "\n  context:\n    cluster: ");
	quote_yaml(out, name);
	text_add(out, "\n    user: " USER "\ncurrent-context: ");
	quote_yaml(out, text_str(&context));
	text_add(out, "\n");
}

int pki_kubeconfig(const struct model *m, int dirfd, int64_t now, struct text *out,
		   struct fault *why)
{
	scoped(text_done) struct text server = { 0 };
	scoped(text_done) struct text ca = { 0 };
	scoped(text_done) struct text crt = { 0 };
	scoped(text_wipe) struct text key = { 0 };
	int r = add_server(m, &server, why);

	if (r == 0)
		r = pki_admin(dirfd, now, &crt, &key, why);
	if (r == 0)
		r = pki_read_file(dirfd, "pki/ca.crt", &ca, why);
	if (r < 0)
		return r;
	render(m->name ? m->name : "kubernetes", text_str(&server), &ca, &crt, &key, out);
	return text_error(out) < 0 ? fault_errno(why, ENOMEM, "kubeconfig") : 0;
}
