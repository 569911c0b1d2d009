/* SPDX-License-Identifier: MIT */

/*
 * How long a document of so many nodes takes: parsed and checked by us, beside the bare events of
 * libfyaml for the same bytes. Processor time, the best of several runs.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libfyaml.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/complaint.h"
#include "cluster/document.h"
#include "cluster/model.h"

static void add_node(struct text *t, unsigned i)
{
	unsigned host = i + 10;

	text_addf(t,
		  "  node-%u:\n"
		  "    role: %s\n"
		  "    address: 172.16.%u.%u\n"
		  "    mac: \"52:54:00:%02x:%02x:%02x\"\n"
		  "    serial: SN%08u\n"
		  "    vm: {cpus: 2, memory: 8Gi, disk: 40Gi}\n"
		  "    labels: {rack: r%u, tier: \"%s\"}\n"
		  "    taints: [\"rack=r%u:NoSchedule\"]\n",
		  i, i < 3 ? "control-plane" : "worker", host >> 8, host & 255, i >> 16 & 255,
		  i >> 8 & 255, i & 255, i, i / 40, i % 3 ? "plain" : "gpu", i / 40);
}

static void make_document(struct text *t, unsigned n_nodes)
{
	unsigned i;

	text_add(t, "apiVersion: rackseed/v1\n"
		    "cluster:\n"
		    "  name: bench\n"
		    "  kubernetes: {version: \"1.30\"}\n"
		    "  endpoint: 172.16.0.9:6443\n"
		    "  podSubnet: 10.0.0.0/8\n"
		    "  serviceSubnet: 192.168.0.0/16\n"
		    "os: {distribution: debian, release: bookworm}\n"
		    "network: {subnet: 172.16.0.0/16, gateway: 172.16.0.1}\n"
		    "nodes:\n");
	for (i = 0; i < n_nodes; i++)
		add_node(t, i);
}

static double ours(const struct text *t)
{
	scoped(complaints_done) struct complaints c = { 0 };
	scoped(model_done) struct model m = { 0 };
	struct fault why = { 0 };
	clock_t start = clock();
	int r = document_parse("bench.yaml", text_str(t), t->len, &m, &c, &why);

	document_check(&m, &c);
	if (r < 0 || c.n_errors) {
		fprintf(stderr, "check: %s\n", r < 0 ? why.text : c.list[0].message);
		exit(1);
	}
	return (double)(clock() - start) / CLOCKS_PER_SEC;
}

static double bare(const struct text *t)
{
	struct fy_parse_cfg cfg = { .flags = FYPCF_QUIET };
	clock_t start = clock();
	struct fy_parser *parser = fy_parser_create(&cfg);
	struct fy_event *event;

	if (!parser || fy_parser_set_string(parser, text_str(t), t->len) < 0)
		exit(1);
	while ((event = fy_parser_parse(parser)))
		fy_parser_event_free(parser, event);
	fy_parser_destroy(parser);
	return (double)(clock() - start) / CLOCKS_PER_SEC;
}

static double best_of(double (*run)(const struct text *), const struct text *t)
{
	double best = run(t);
	int i;

	for (i = 0; i < 4; i++) {
		double s = run(t);

		best = s < best ? s : best;
	}
	return best;
}

int main(void)
{
	static const unsigned sizes[] = { 1000, 10000 };
	double per_node[COUNT(sizes)], seconds = 0, plain = 0;
	size_t i;

	for (i = 0; i < COUNT(sizes); i++) {
		scoped(text_done) struct text t = { 0 };

		make_document(&t, sizes[i]);
		seconds = best_of(ours, &t);
		plain = best_of(bare, &t);
		per_node[i] = seconds / sizes[i];
		printf("# %u nodes, %zu bytes: %.3f s checked, %.3f s libfyaml alone\n", sizes[i],
		       t.len, seconds, plain);
	}
	printf("check\tof the second that 10,000 nodes may take\t%.2f\n", seconds);
	printf("check\ttime per node, 10,000 nodes to 1,000\t%.2f\n", per_node[1] / per_node[0]);
	printf("check\ttime, checked to libfyaml's events alone\t%.2f\n", seconds / plain);
	return seconds < 1 && per_node[1] < 2 * per_node[0] ? 0 : 1;
}
