/* SPDX-License-Identifier: MIT */
#pragma once

#include "tests/test.h"

#include "base/macros.h"
#include "cluster/complaint.h"
#include "cluster/document.h"
#include "cluster/model.h"

/* A whole document with one thing changed at a time, and how often that is complained of. */

struct row {
	const char *code;
	size_t n; /* how many complaints of the code there are */
	const char *endpoint, *cluster, *os, *network, *m1, *nodes, *more;
};

static inline void write_document(const struct row *r, struct text *out)
{
#define OR(s, fallback) ((s) ? (s) : (fallback))
	text_addf(out,
		  "apiVersion: rackseed/v1\n"
		  "cluster: {name: lab, kubernetes: {version: \"1.30\"}, endpoint: %s%s}\n"
		  "os: {%s}\n"
		  "network: {%s}\n"
		  "nodes:\n"
		  "  m1: {%s}\n"
		  "%s%s\n",
		  OR(r->endpoint, "m1"), OR(r->cluster, ""),
		  OR(r->os, "distribution: debian, release: bookworm"),
		  OR(r->network, "subnet: 10.0.0.0/24, gateway: 10.0.0.1"),
		  OR(r->m1, "role: [control-plane, worker], address: 10.0.0.11, mac: "
			    "\"52:54:00:00:00:11\""),
		  OR(r->nodes, ""), OR(r->more, ""));
#undef OR
}

static inline void check_rows(const struct row *rows, size_t n_rows)
{
	size_t k;

	for (k = 0; k < n_rows; k++) {
		scoped(model_done) struct model m = { 0 };
		scoped(complaints_done) struct complaints c = { 0 };
		scoped(text_done) struct text t = { 0 };
		struct fault why = { 0 };
		size_t i, n = 0;

		write_document(&rows[k], &t);
		assert_int_equal(document_parse("a.yaml", text_str(&t), t.len, &m, &c, &why), 0);
		document_check(&m, &c);
		for (i = 0; i < c.n; i++)
			n += strcmp(c.list[i].code, rows[k].code) == 0;
		if (n == rows[k].n)
			continue;
		for (i = 0; i < c.n; i++)
			print_error("%s: %s\n", c.list[i].code, c.list[i].message);
		fail_msg("%zu of %s, not %zu, in\n%s", n, rows[k].code, rows[k].n, text_str(&t));
	}
}

#define MAC(n) "mac: \"52:54:00:00:00:" #n "\""
#define NODE(name, n, more) "  " name ": {address: 10.0.0." #n ", " MAC(n) more "}\n"
#define WORKER(n, more) NODE("w" #n, n, ", role: worker" more)
