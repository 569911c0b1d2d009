/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/streams.h"
#include "base/text.h"
#include "cluster/audit.h"
#include "firstboot/announce.h"
#include "firstboot/early.h"
#include "firstboot/etcd.h"
#include "firstboot/explain.h"
#include "firstboot/journal.h"
#include "firstboot/node.h"
#include "firstboot/probe.h"
#include "firstboot/serve.h"
#include "firstboot/service.h"
#include "firstboot/show.h"
#include "firstboot/snapshots.h"

#ifndef RACKSEED_VERSION
#define RACKSEED_VERSION "0"
#endif

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_MISUSE = 2 };

struct options {
	const char *seed, *root;
	bool json, report;
};

/* systemd sets it for whatever it starts. */
static bool is_under_systemd(void)
{
	return getenv("INVOCATION_ID") != NULL;
}

static int open_node(const struct options *o, struct node *node, struct fault *why)
{
	const char *root = o->root ? o->root : "/";

	node->seed_dir = o->seed;
	node->live = !o->root;
	node->root = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return node->root < 0 ? fault_errno(why, errno, "%s", root) : 0;
}

static void close_node(struct node *node)
{
	node_done(node);
	drop_fd(&node->root);
}

static int command_early(const struct options *o, struct fault *why)
{
	struct announcer to = { .under_systemd = is_under_systemd() };
	scoped(close_node) struct node node = { .root = -1 };
	int r = open_node(o, &node, why);

	return r < 0 ? r : early_run(&node, &to, why);
}

static int command_run(const struct options *o, struct fault *why)
{
	scoped(close_node) struct node node = { .root = -1 };
	int r = open_node(o, &node, why);

	return r < 0 ? r : service_run(&node, is_under_systemd(), why);
}

static int command_status(const struct options *o, struct fault *why)
{
	scoped(text_done) struct text out = { 0 };
	int r = show_status(o->json, &out, why);

	fputs(text_str(&out), stdout);
	return r;
}

static int command_explain(const struct options *o, struct fault *why)
{
	scoped(close_node) struct node node = { .root = -1 };
	scoped(text_done) struct text out = { 0 };
	int r = open_node(o, &node, why);

	if (r >= 0)
		r = explain(&node, &out, why);
	fputs(text_str(&out), stdout);
	return r;
}

/* For ExecCondition= of kubelet.service; what it says goes to the journal. */
static int command_kubelet(const struct options *o, struct fault *why)
{
	scoped(close_node) struct node node = { .root = -1 };
	int r = open_node(o, &node, why);

	if (r < 0 || etcd_kubelet_may_start(node.root))
		return r;
	return fault_set(why, ENODATA,
			 "kubelet stays off: etcd's manifest is here and its data "
			 "is not, so it would begin another cluster");
}

/* The file's being there is what counts, until this boot ends; the next try of the step looks. */
static int command_force(const struct options *o, struct fault *why)
{
	scoped(close_node) struct node node = { .root = -1 };
	int r = open_node(o, &node, why);

	if (r >= 0)
		r = fs_write(node.root, PROBE_FORCED, 0600, "", 0, why);
	if (r >= 0)
		journal_tell(4, "cluster", "forced",
			     "an operator forces init: silent control planes and snapshots are "
			     "taken for lost");
	return r;
}

/* One snapshot of etcd, now; nothing on a node that has no etcd. */
static int command_snapshot(const struct options *o, struct fault *why)
{
	scoped(close_node) struct node node = { .root = -1 };
	int r = open_node(o, &node, why);

	if (r >= 0)
		r = node_load(&node, why);
	return r < 0 ? r : snapshots_take(&node, why);
}

/* systemd names the folder that it puts a unit's credentials into. */
static int command_serve(const struct options *o, struct fault *why)
{
	const char *credentials = getenv("CREDENTIALS_DIRECTORY");

	(void)o;
	if (!credentials)
		return fault_set(why, EINVAL,
				 "serve is for rackseed-status.service: it needs "
				 "credentials");
	return serve(credentials, "/" SERVE_FOLDER, why);
}

/* A node that runs, judged by itself: what lies on its disk against what its seed says. */
static int command_audit(const struct options *o, struct fault *why)
{
	scoped(close_node) struct node node = { .root = -1 };
	scoped(audit_done) struct audit found = { 0 };
	scoped(text_done) struct text out = { 0 };
	int r = open_node(o, &node, why);

	if (r >= 0)
		r = node_load(&node, why);
	if (r >= 0)
		r = audit_folder(o->root ? o->root : "/", &node.seed, &found, why);
	if (r < 0)
		return r;
	found.judged = o->report ? (int64_t)time(NULL) : 0;
	if (o->json || o->report)
		audit_json(&found, node.self->name, &out);
	else
		audit_print(&found, node.self->name, &out);
	if (text_error(&out) < 0)
		return fault_errno(why, ENOMEM, "audit");
	if (o->report) {
		r = fs_write(node.root, SERVE_FOLDER "/" SERVE_AUDIT, 0644, text_str(&out), out.len,
			     why);
		return r < 0 ? r : 0;
	}
	fputs(text_str(&out), stdout);
	if (found.counts[AUDIT_FAIL])
		return fault_set(why, EPERM, "%zu rules are broken", found.counts[AUDIT_FAIL]);
	return 0;
}

static const struct command {
	const char *name;
	int (*run)(const struct options *o, struct fault *why);
	const char *help;
} commands[] = {
	{ "early", command_early,
	  "before the network: seed, machine, hostname, account, firewall, netplan" },
	{ "run", command_run, "the rest, then stays for bus and status; started by systemd" },
	{ "serve", command_serve, "tells `rackseed status` what the service says; has no rights" },
	{ "status", command_status, "what the service is doing; --json for programs" },
	{ "snapshot", command_snapshot, "takes a snapshot of etcd, where the file says" },
	{ "kubelet", command_kubelet, "fails where kubelet must not start: etcd lost its data" },
	{ "--force-init", command_force,
	  "silent control planes are lost for good; this boot only" },
	{ "audit", command_audit, "judges this node by the rules of `rackseed audit`" },
	{ "--explain", command_explain, "facts, decision and reason; changes nothing" },
};

static const struct option_row {
	const char *name, *argument, *help;
} option_rows[] = {
	{ "--seed", "DIR", "reads the seed from a folder, not from its partition" },
	{ "--root", "DIR", "with --explain: looks at a root tree that is not this machine's" },
	{ "--json", NULL, "with status and audit: JSON" },
	{ "--report", NULL, "with audit: leaves the result for `rackseed audit NODE`" },
	{ "--help", NULL, "this text" },
	{ "--version", NULL, "the version of rackseed-firstboot" },
};

static int print_help(void)
{
	size_t i;

	printf("usage: rackseed-firstboot COMMAND [OPTION...]\n\n"
	       "Makes this machine the node that its seed says, at every boot.\n\n");
	for (i = 0; i < COUNT(commands); i++)
		printf("  %-14s %s\n", commands[i].name, commands[i].help);
	printf("\n");
	for (i = 0; i < COUNT(option_rows); i++)
		printf("  %s %-*s %s\n", option_rows[i].name, 13 - (int)strlen(option_rows[i].name),
		       option_rows[i].argument ? option_rows[i].argument : "", option_rows[i].help);
	printf("\nExit status: 0 done, 1 failed, 2 misuse.\n");
	return EXIT_DONE;
}

static int print_version(void)
{
	printf("rackseed-firstboot %s\n", RACKSEED_VERSION);
	return EXIT_DONE;
}

/* For completion and the man page's test. */
static int list_words(void)
{
	size_t i;

	for (i = 0; i < COUNT(commands); i++)
		printf("%s\t%s\n", commands[i].name, commands[i].help);
	for (i = 0; i < COUNT(option_rows); i++)
		printf("%s\t%s\n", option_rows[i].name, option_rows[i].help);
	return EXIT_DONE;
}

static int misuse(const char *what, const char *word)
{
	fprintf(stderr, "rackseed-firstboot: %s '%s' (see rackseed-firstboot --help)\n", what,
		word);
	return EXIT_MISUSE;
}

/* Takes one option with its value; how many words it was, 0 when it is none. */
static int take_option(struct options *o, const char *word, const char *value)
{
	const char **target = strcmp(word, "--seed") == 0   ? &o->seed
			      : strcmp(word, "--root") == 0 ? &o->root
							    : NULL;

	if (target && value) {
		*target = value;
		return 2;
	}
	if (strcmp(word, "--json") == 0 || strcmp(word, "--report") == 0) {
		*(word[2] == 'j' ? &o->json : &o->report) = true;
		return 1;
	}
	return 0;
}

static const struct command *find(const char *name)
{
	size_t i;

	for (i = 0; i < COUNT(commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return &commands[i];
	return NULL;
}

static int obey(int argc, char **argv)
{
	const struct command *command = NULL;
	struct options options = { 0 };
	struct fault why = { 0 };
	int i, n;

	for (i = 1; i < argc; i += n) {
		n = 1;
		if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
			return print_help();
		if (strcmp(argv[i], "--version") == 0)
			return print_version();
		if (strcmp(argv[i], "--list-options") == 0)
			return list_words();
		if (!command && (command = find(argv[i])))
			continue;
		n = take_option(&options, argv[i], argv[i + 1]);
		if (n == 0)
			return misuse("no such command or option", argv[i]);
	}
	if (!command)
		return misuse("a command is missing after", argv[0]);
	if (command->run(&options, &why) < 0) {
		fprintf(stderr, "rackseed-firstboot: %s\n", why.text);
		return EXIT_FAILED;
	}
	return EXIT_DONE;
}

int main(int argc, char **argv)
{
	streams_open();
	return streams_end("rackseed-firstboot", obey(argc, argv));
}
