/* SPDX-License-Identifier: MIT */
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <nftables/libnftables.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/quote.h"
#include "base/text.h"
#include "base/yaml.h"
#include "cluster/complaint.h"
#include "cluster/document.h"
#include "cluster/model.h"
#include "cluster/plan.h"

/*
 * Hostile words in a document that is sound else: what the check lets pass makes a plan of which
 * every text is read back by its reader, and says no more than it would with tame words.
 */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

/* '@' is a word of the input, in order; without one there, the tame word behind it up to '@'. */
static const char document[] =
	"apiVersion: rackseed/v1\n"
	"cluster: {name: @lab@, kubernetes: {version: \"1.20.2\"}, endpoint: @k8s.lab:6443@}\n"
	"os: {distribution: debian, release: bookworm}\n"
	"network: {subnet: 192.168.10.0/24, gateway: 192.168.10.1, nameservers: [192.168.10.1],\n"
	"  ntp: [@ntp.lab@]}\n"
	"admin: {user: @ops@}\n"
	"firewall: {ssh: [@192.168.10.0/24@], ports: [@80@]}\n"
	"registries:\n"
	"  @reg:5000@: {node: re, user: @puller@, passwordFile: @secrets/registry@}\n"
	"  docker.io: {mirrors: [@reg:5000/hub@]}\n"
	"shares:\n"
	"  @own@: {node: st, path: @/srv/own@, mount: @/mnt/own@, user: @mlops@,\n"
	"    passwordFile: @secrets/samba@, volume: 10Gi}\n"
	"  nas: {server: @//nas/data@, mount: @/mnt/nas@, guest: true}\n"
	"nodes:\n"
	"  @cp@: {role: control-plane, address: 192.168.10.50, mac: \"52:54:00:00:00:32\"}\n"
	"  @w1@: {role: worker, address: 192.168.10.51, mac: \"52:54:00:00:00:33\",\n"
	"    labels: {@tier@: @gpu@}, taints: [@a=b:NoSchedule@],\n"
	"    network: {ethernets: {@nic0@: {addresses: [192.168.10.51/24]}}}}\n"
	"  st: {role: storage, address: 192.168.10.52, mac: \"52:54:00:00:00:34\"}\n"
	"  re: {role: registry, address: 192.168.10.53, mac: \"52:54:00:00:00:35\"}\n";

static struct nft_ctx *nft; /* or NULL, where there is no namespace to be had */

static void require(bool holds)
{
	if (!holds)
		abort();
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc, (void)argv;
	/* libnftables asks the kernel what is there already, also when nothing is to be done. */
	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return 0;
	nft = nft_ctx_new(NFT_CTX_DEFAULT);
	require(nft != NULL);
	nft_ctx_buffer_output(nft);
	nft_ctx_buffer_error(nft);
	nft_ctx_set_dry_run(nft, true);
	return 0;
}

/* A line of the input; an empty one, or none any more, leaves the tame word. */
static void fill(const char *words, size_t len, struct text *out)
{
	const char *end = words + len;
	const char *s = document;

	while (*s) {
		size_t tame = strcspn(s + (*s == '@'), "@"), n = 0;
		const char *lf = words < end ? memchr(words, '\n', (size_t)(end - words)) : NULL;
		scoped(text_done) struct text word = { 0 };

		if (*s != '@') {
			text_add_n(out, s, tame);
			s += tame;
			continue;
		}
		n = words < end ? (size_t)((lf ? lf : end) - words) : 0;
		text_add_n(&word, n ? words : s + 1, n ? n : tame);
		words += words < end ? n + 1 : 0;
		if (!n && strspn(text_str(&word), "0123456789") == tame)
			text_add(out, text_str(&word));
		else
			quote_yaml(out, text_str(&word));
		s += tame + 2;
	}
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

static void read_rules(const char *rules)
{
	/* Our table and no other, whatever somebody is called. */
	require(strstr(rules, "\ntable inet rackseed {\n\t") != NULL);
	require(!nft || nft_run_cmd_from_buffer(nft, rules) == 0);
}

static void read_yaml(const char *content)
{
	scoped(text_done) struct text veiled = { 0 };
	const char *at = NULL, *next;

	plan_veil(content, &veiled);
	/* kubeadm takes several documents in one file. */
	for (at = text_str(&veiled); at; at = next) {
		scoped(yaml_done) struct yaml tree = { 0 };
		struct yaml_error error = { 0 };

		next = strstr(at, "\n---\n");
		require(yaml_parse(at, next ? (size_t)(next - at) : strlen(at), &tree, &error) ==
			0);
		next = next ? next + strlen("\n---\n") : NULL;
	}
}

/* Each line of a unit is of those that we write. */
static void read_unit(const char *content)
{
	static const char *const begins[] = { "#",
					      "[",
					      "Description=",
					      "After=",
					      "Wants=",
					      "What=",
					      "Where=",
					      "Type=",
					      "Options=",
					      "Requires=",
					      "Before=",
					      "TimeoutSec=",
					      "LazyUnmount=",
					      "DirectoryMode=",
					      "ForceUnmount=",
					      "Documentation=",
					      "DefaultDependencies=",
					      "Conflicts=",
					      "StartLimitIntervalSec=",
					      "WantedBy=",
					      "\n" };
	size_t i;

	for (; *content; content += strcspn(content, "\n") + 1) {
		for (i = 0; i < COUNT(begins); i++)
			if (strncmp(content, begins[i], strlen(begins[i])) == 0)
				break;
		require(i < COUNT(begins));
		if (!strchr(content, '\n'))
			break;
	}
}

static void read_back(const struct plan_action *a)
{
	const char *c;

	for (c = a->path; *c; c++)
		require((unsigned char)*c >= 0x20);
	require(a->path[0] == '/' || a->kind == PLAN_ACCOUNT);
	require(!strstr(a->path, "/../") && !ends_with(a->path, "/.."));
	if (!a->content)
		return;
	if (a->kind == PLAN_OBJECT || a->kind == PLAN_FIELDS || ends_with(a->path, ".yaml") ||
	    ends_with(a->path, ".yml") || ends_with(a->path, ".json") ||
	    ends_with(a->path, ".conflist"))
		read_yaml(a->content);
	else if (ends_with(a->path, ".nft"))
		read_rules(a->content);
	else if (ends_with(a->path, ".mount") && a->kind == PLAN_FILE)
		read_unit(a->content);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct plan_facts unknown = { .kubernetes.patch = -1 };
	scoped(complaints_done) struct complaints c = { 0 };
	scoped(model_done) struct model m = { 0 };
	scoped(text_done) struct text bytes = { 0 };
	struct fault why = { 0 };
	size_t i, k;

	fill((const char *)data, size, &bytes);
	if (document_parse("fuzz.yaml", text_str(&bytes), bytes.len, &m, &c, &why) < 0)
		return 0;
	document_check(&m, &c);
	if (size == 0)
		require(c.n_errors == 0); /* else nothing would be tried at all */
	for (i = 0; i < m.n_nodes && c.n_errors == 0; i++) {
		scoped(plan_done) struct plan plan = { 0 };

		/* What was checked can be planned. */
		require(plan_make(&m, &m.nodes[i], &unknown, &plan, &why) == 0);
		for (k = 0; k < plan.n; k++)
			read_back(&plan.actions[k]);
	}
	return 0;
}
