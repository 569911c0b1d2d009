/* SPDX-License-Identifier: MIT */
#include "cluster/pki_pair.h"

#include <errno.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/net.h"
#include "cluster/model.h"
#include "cluster/pki.h"
#include "cluster/pki_crypto.h"

/* Certificates of servers: they live as long as their CA, for nobody is there to renew them. */

void pki_server_done(struct pki_server *s)
{
	text_done(&s->crt);
	text_done(&s->key);
	text_done(&s->names);
}

/* The next of "DNS:a,IP:10.0.0.1": its kind's length is that of "DNS:" or "IP:". */
static const char *next_name(const char *names, struct text *ret_name, bool *ret_is_ip)
{
	size_t n = strcspn(names, ",");
	size_t head = strcspn(names, ":") + 1;

	text_done(ret_name);
	*ret_is_ip = names[0] == 'I';
	text_add_n(ret_name, names + head, n - head);
	return names + n + (names[n] == ',');
}

int pki_check_names(const char *crt, const char *names, struct fault *why)
{
	scoped(drop_x509) X509 *x = NULL;
	scoped(text_done) struct text name = { 0 };
	int r = pki_read_crt(crt, &x, why);

	while (r == 0 && *names) {
		bool is_ip;
		int found;

		names = next_name(names, &name, &is_ip);
		found = is_ip ? X509_check_ip_asc(x, text_str(&name), 0)
			      : X509_check_host(x, text_str(&name), name.len, 0, NULL);
		if (found != 1)
			r = fault_set(why, EADDRNOTAVAIL, "the certificate is not for '%s'",
				      text_str(&name));
	}
	return r;
}

static int make_server(const struct pki_pair *p, int dirfd, int64_t now, struct text *crt,
		       struct text *key, struct fault *why)
{
	scoped(text_done) struct text ca_crt = { 0 };
	scoped(text_wipe) struct text ca_key = { 0 };
	struct pki_request request = { .name = p->name, .names = p->names };
	int r = pki_read_file(dirfd, p->ca_crt, &ca_crt, why);

	(void)now;
	if (r == 0)
		r = pki_read_file(dirfd, p->ca_key, &ca_key, why);
	if (r == 0)
		r = pki_not_after(text_str(&ca_crt), &request.not_after, why);
	if (r == 0)
		r = pki_key_new(key, why);
	request.ca_crt = text_str(&ca_crt);
	request.ca_key = text_str(&ca_key);
	return r < 0 ? r : pki_issue(&request, text_str(key), crt, why);
}

static int check_server(const struct pki_pair *p, int dirfd, int64_t now, const char *crt,
			const char *key, struct fault *why)
{
	scoped(text_done) struct text ca = { 0 };
	int r = pki_keypair(crt, key, why);

	if (r == 0)
		r = pki_read_file(dirfd, p->ca_crt, &ca, why);
	if (r == -ENOENT)
		return fault_set(why, ENOENT, "their CA, secrets/%s, is gone", p->ca_crt);
	if (r == 0)
		r = pki_verify(crt, text_str(&ca), now, why);
	return r < 0 ? r : pki_check_names(crt, p->names, why);
}

static void add_host(const struct model_registry *r, struct text *names)
{
	struct net_ip ip;
	char host[NET_IP_LEN];
	size_t n = r->host[0] == '[' ? strcspn(r->host, "]") : strcspn(r->host, ":");
	const char *begin = r->host + (r->host[0] == '[');

	n -= (size_t)(begin - r->host);
	if (n < sizeof(host)) {
		memcpy(host, begin, n);
		host[n] = '\0';
		if (net_ip_parse(host, &ip) == 0) {
			text_addf(names, ",IP:%s", host);
			return;
		}
	}
	text_addf(names, ",DNS:%.*s", (int)n, begin);
}

int pki_server_registry(const struct model *m, const char *node, struct pki_server *s,
			struct pki_pair *pair)
{
	const struct model_node *self = model_node(m, node);
	char address[NET_IP_LEN];
	bool serves = false;
	size_t i;

	if (!self)
		return 0;
	text_addf(&s->crt, "pki/registry/%s.crt", node);
	text_addf(&s->key, "pki/registry/%s.key", node);
	text_addf(&s->names, "DNS:%s,IP:%s", node, net_ip_text(&self->address, address));
	for (i = 0; i < m->n_registries; i++) {
		const struct model_registry *r = &m->registries[i];

		if (!model_serves_tls(r) || strcmp(r->node, node) != 0)
			continue;
		add_host(r, &s->names);
		serves = true;
	}
	*pair = (struct pki_pair){ .crt = text_str(&s->crt),
				   .key = text_str(&s->key),
				   .name = self->name,
				   .what = "registry server",
				   .make = make_server,
				   .check = check_server,
				   .ca_crt = "pki/registry/ca.crt",
				   .ca_key = "pki/registry/ca.key",
				   .names = text_str(&s->names) };
	return serves;
}
