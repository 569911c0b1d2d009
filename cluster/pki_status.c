/* SPDX-License-Identifier: MIT */
#include "cluster/pki.h"

#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/net.h"
#include "base/text.h"
#include "cluster/model.h"
#include "cluster/pki_crypto.h"

/* The certificates of the nodes' status endpoints. They live as long as the CA that signs them. */

#define PREFIX "secrets/"

struct place {
	struct text crt, key;
};

static void place_done(struct place *p)
{
	text_done(&p->crt);
	text_done(&p->key);
}

static int find_place(const struct model_node *node, struct place *p, struct fault *why)
{
	text_addf(&p->crt, "pki/status/%s.crt", node->name);
	text_addf(&p->key, "pki/status/%s.key", node->name);
	if (text_error(&p->crt) < 0 || text_error(&p->key) < 0)
		return fault_errno(why, ENOMEM, PREFIX);
	return 0;
}

static void names_of(const struct model_node *node, struct text *out)
{
	char address[NET_IP_LEN];

	text_addf(out, "DNS:%s,IP:%s", node->name, net_ip_text(&node->address, address));
}

/* 1 when what is there can be used, 0 when it is to be made. */
static int survey(const struct model_node *node, int dirfd, const char *ca, int64_t now,
		  const struct place *p, struct fault *why)
{
	scoped(text_done) struct text crt = { 0 };
	scoped(text_wipe) struct text key = { 0 };
	scoped(text_done) struct text names = { 0 };
	struct fault found = { 0 };
	int has_crt = pki_present(dirfd, PREFIX, text_str(&p->crt), why);
	int has_key = has_crt < 0 ? has_crt : pki_present(dirfd, PREFIX, text_str(&p->key), why);
	int r;

	if (has_key <= 0 || has_crt == 0)
		return has_key < 0 ? has_key : 0;
	r = pki_read_file(dirfd, text_str(&p->crt), &crt, why);
	if (r == 0)
		r = pki_read_file(dirfd, text_str(&p->key), &key, why);
	if (r < 0)
		return r;
	names_of(node, &names);
	return pki_keypair(text_str(&crt), text_str(&key), &found) == 0 &&
	       pki_verify(text_str(&crt), ca, now, &found) == 0 &&
	       pki_check_names(text_str(&crt), text_str(&names), &found) == 0;
}

static int replace(int dirfd, const char *path, const struct text *content, struct fault *why)
{
	int r = fs_remove(dirfd, path, why);

	return r < 0 ? r : pki_write_file(dirfd, path, content, why);
}

static int make(const struct model_node *node, int dirfd, struct pki_request request,
		const struct place *p, struct fault *why)
{
	scoped(text_done) struct text names = { 0 };
	scoped(text_done) struct text crt = { 0 };
	scoped(text_wipe) struct text key = { 0 };
	int r = pki_key_new(&key, why);

	names_of(node, &names);
	if (r == 0 && text_error(&names) < 0)
		r = fault_errno(why, ENOMEM, PREFIX);
	request.name = node->name;
	request.names = text_str(&names);
	if (r == 0)
		r = pki_issue(&request, text_str(&key), &crt, why);
	if (r == 0)
		r = replace(dirfd, text_str(&p->key), &key, why);
	if (r >= 0)
		r = replace(dirfd, text_str(&p->crt), &crt, why);
	return r < 0 ? fault_wrap(why, PREFIX) : 0;
}

int pki_status(const struct model *m, int dirfd, int64_t now, struct text *report,
	       struct fault *why)
{
	scoped(text_done) struct text ca_crt = { 0 };
	scoped(text_wipe) struct text ca_key = { 0 };
	struct pki_request request = { 0 };
	size_t i;
	int r = pki_read_file(dirfd, "pki/ca.crt", &ca_crt, why);

	if (r == 0)
		r = pki_read_file(dirfd, "pki/ca.key", &ca_key, why);
	if (r == 0)
		r = pki_not_after(text_str(&ca_crt), &request.not_after, why);
	request.ca_crt = text_str(&ca_crt);
	request.ca_key = text_str(&ca_key);
	for (i = 0; i < m->n_nodes && r >= 0; i++) {
		scoped(place_done) struct place p = { 0 };

		r = find_place(&m->nodes[i], &p, why);
		if (r == 0)
			r = survey(&m->nodes[i], dirfd, request.ca_crt, now, &p, why);
		if (r != 0)
			continue;
		r = make(&m->nodes[i], dirfd, request, &p, why);
		if (r == 0)
			text_addf(report, PREFIX "%-24s status endpoint, certificate and key\n",
				  text_str(&p.crt));
	}
	return r < 0 ? r : 0;
}
