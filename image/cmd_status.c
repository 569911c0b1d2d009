/* SPDX-License-Identifier: MIT */
#include "image/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/text.h"
#include "cluster/api.h"
#include "cluster/model.h"
#include "cluster/pki.h"
#include "image/lease.h"
#include "image/status.h"
#include "image/survey.h"
#include "image/virt.h"

enum {
	PACE_MS = 2000,
	SLOWEST_PACE_MS = 15000,
	API_LIMIT_MS = 10000,
	NODE_LIMIT_MS = 4000,
	HICCUP_S = 30,
	SERVER_LEN = 320,
};

/* One `rackseed status`: what it asks with, and what was shown last. */
struct watch {
	const struct invocation *in;
	const struct model *model;
	virConnectPtr connect; /* NULL: no libvirt */
	struct text ca, crt, key;
	struct status_row *rows;
	struct domain_facts *domains;
	struct survey_row *survey;
	char **lines; /* --wait: each node's lines as printed last */
	bool all_ready;
	bool keeps_on; /* --watch: there is no end to it */
	int64_t answered_s; /* --wait: when the API server answered last, or -1 */
	int64_t first_beat; /* the newest heartbeat at the first answer, 0: no answer yet */
	bool is_alive;	    /* heartbeats were seen to go on */
};

static void watch_done(struct watch *w)
{
	size_t i;

	drop_connect(&w->connect);
	text_done(&w->ca);
	text_done(&w->crt);
	text_wipe(&w->key);
	for (i = 0; w->lines && i < w->model->n_nodes; i++)
		free(w->lines[i]);
	free(w->lines);
	free(w->rows);
	free(w->domains);
	free(w->survey);
}

static bool has_machines(const struct model *m)
{
	size_t i;

	for (i = 0; i < m->n_nodes; i++)
		if (m->nodes[i].vm.mark.line != 0)
			return true;
	return false;
}

/* Servers need no libvirt, so its absence is no fault here. */
static void open_libvirt(struct watch *w)
{
	struct fault why = { 0 };

	if (!has_machines(w->model))
		return;
	if (virt_open(command_value(w->in, "connect"), &w->connect, &why) < 0 && !w->in->quiet)
		fprintf(stderr, "rackseed: warning: %s\n", why.text);
}

static int watch_init(struct watch *w, struct fault *why)
{
	scoped(drop_fd) int folder = command_folder(w->in, why);
	scoped(drop_fd) int secrets = -1;
	int r;

	if (folder < 0)
		return folder;
	secrets = openat(folder, "secrets", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (secrets < 0)
		return fault_errno(why, errno, "secrets (rackseed secrets makes them)");
	r = fs_read(secrets, "pki/ca.crt", 1 << 20, &w->ca, why);
	if (r < 0)
		return fault_wrap(why, "secrets (rackseed secrets makes them)");
	r = pki_admin(secrets, time(NULL), &w->crt, &w->key, why);
	if (r < 0)
		return r;
	w->rows = calloc(w->model->n_nodes + 1, sizeof(*w->rows));
	w->domains = calloc(w->model->n_nodes + 1, sizeof(*w->domains));
	w->survey = calloc(w->model->n_nodes + 1, sizeof(*w->survey));
	w->lines = calloc(w->model->n_nodes + 1, sizeof(*w->lines));
	if (!w->rows || !w->domains || !w->survey || !w->lines)
		return fault_errno(why, ENOMEM, "status");
	open_libvirt(w);
	return 0;
}

/* https://HOST:PORT; an IPv6 address stands in brackets. */
static void server_url(const char *host, unsigned port, char url[static SERVER_LEN])
{
	bool bare = strchr(host, ':') != NULL;

	snprintf(url, SERVER_LEN, "https://%s%s%s:%u", bare ? "[" : "", host, bare ? "]" : "",
		 port);
}

/* What one API server said; owns it. */
struct answer {
	struct api_node *nodes;
	unsigned long n_nodes;
	struct leases leases;
};

static void answer_done(struct answer *answer)
{
	api_nodes_free(answer->nodes, answer->n_nodes);
	leases_done(&answer->leases);
}

/* Leases may be missing: then what it says of the nodes stands alone. */
static int ask_for_nodes(const struct api *api, struct status_facts *facts, struct answer *answer,
			 struct fault *why)
{
	scoped(text_done) struct text body = { 0 };
	struct fault no_leases;
	int r = api_nodes(api, &answer->nodes, &answer->n_nodes, why);

	if (r < 0)
		return r;
	facts->nodes = answer->nodes;
	facts->n_nodes = answer->n_nodes;
	if (api_call(api, "GET", LEASE_PATH, NULL, &body, &no_leases) == 200 &&
	    leases_parse(text_str(&body), body.len, &answer->leases, &no_leases) == 0)
		facts->leases = &answer->leases;
	return 0;
}

/* One server's answers. */
static int ask_one(const struct watch *w, const char *host, struct status_facts *facts,
		   struct answer *answer, struct fault *why)
{
	char url[SERVER_LEN];
	struct api api = { .server = url, .ca = text_str(&w->ca), .timeout_ms = API_LIMIT_MS };
	int r = api_keep(&api, why);

	api.crt = text_str(&w->crt);
	api.key = text_str(&w->key);
	server_url(host, w->model->endpoint_port, url);
	if (r == 0)
		r = ask_for_nodes(&api, facts, answer, why);
	api_close(&api);
	return r;
}

/*
 * The endpoint's name often is a node of the file that this host cannot resolve, so the control
 * planes are asked by their addresses; the endpoint itself only when it is something else.
 */
static int ask(const struct watch *w, struct status_facts *facts, struct answer *answer,
	       struct fault *why)
{
	const struct model *m = w->model;
	char address[NET_IP_LEN];
	size_t i;
	int r = fault_set(why, ENOENT, "no control plane in the file");

	if (m->endpoint_host && !model_node(m, m->endpoint_host))
		r = ask_one(w, m->endpoint_host, facts, answer, why);
	for (i = 0; r < 0 && i < m->n_nodes; i++)
		if (m->nodes[i].roles & MODEL_CONTROL_PLANE)
			r = ask_one(w, net_ip_text(&m->nodes[i].address, address), facts, answer,
				    why);
	return r;
}

static bool look_at_machines(struct watch *w)
{
	struct fault why;
	size_t i;

	for (i = 0; w->connect && i < w->model->n_nodes; i++)
		if (domain_look(w->connect, w->model, &w->model->nodes[i], &w->domains[i], &why) <
		    0)
			return false;
	return w->connect != NULL;
}

/* After an outage the API server repeats what it was told before it, until heartbeats go on. */
static void feel_pulse(struct watch *w, const struct status_facts *facts)
{
	int64_t newest;

	if (facts->api_silent)
		return;
	newest = facts->leases ? facts->leases->newest : 0;
	/* A cluster without leases has no pulse to feel. */
	if (newest == 0 || (w->first_beat && newest != w->first_beat))
		w->is_alive = true;
	else
		w->first_beat = newest;
}

/* A busy API server misses one answer and gives the next: no change worth a line. */
static bool is_hiccup(struct watch *w, const struct status_facts *facts, int64_t elapsed_s)
{
	if (!facts->api_silent)
		w->answered_s = elapsed_s;
	return facts->api_silent && w->answered_s >= 0 && elapsed_s - w->answered_s < HICCUP_S;
}

/* Asks everybody once and hands the picture to show(). */
static int look(struct watch *w, int64_t elapsed_s,
		int (*show)(struct watch *w, int64_t elapsed_s, struct fault *why),
		struct fault *why)
{
	scoped(answer_done) struct answer answer = { 0 };
	const struct survey survey = { .ca = text_str(&w->ca),
				       .crt = text_str(&w->crt),
				       .key = text_str(&w->key),
				       .timeout_ms = NODE_LIMIT_MS };
	struct fault no_api = { 0 };
	struct status_facts facts = { 0 };

	if (ask(w, &facts, &answer, &no_api) < 0)
		facts.api_silent = no_api.text;
	if (look_at_machines(w))
		facts.domains = w->domains;
	survey_ask(&survey, w->model, w->survey);
	facts.survey = w->survey;
	w->all_ready = status_merge(w->model, &facts, w->rows);
	feel_pulse(w, &facts);
	return is_hiccup(w, &facts, elapsed_s) ? 0 : show(w, elapsed_s, why);
}

static int show_all(struct watch *w, int64_t elapsed_s, struct fault *why)
{
	scoped(text_done) struct text out = { 0 };

	(void)elapsed_s;
	if (w->in->json)
		status_json(w->rows, w->model->n_nodes, &out);
	else
		status_table(w->rows, w->model->n_nodes, &out);
	if (text_error(&out) < 0)
		return fault_errno(why, text_error(&out), "status");
	fputs(text_str(&out), stdout);
	return 0;
}

/* Whether a block of lines has this one. */
static bool has_line(const char *block, const char *line, size_t n)
{
	while (block && *block) {
		size_t len = strcspn(block, "\n");

		if (len == n && strncmp(block, line, n) == 0)
			return true;
		block += len + (block[len] == '\n');
	}
	return false;
}

static void print_new(const char *now, const char *before, int64_t elapsed_s)
{
	size_t n;

	for (; *now; now += n + (now[n] == '\n')) {
		n = strcspn(now, "\n");
		if (!has_line(before, now, n))
			printf("%5lld s  %.*s\n", (long long)elapsed_s, (int)n, now);
	}
}

static int show_changes(struct watch *w, int64_t elapsed_s, struct fault *why)
{
	size_t i;

	for (i = 0; i < w->model->n_nodes; i++) {
		scoped(text_done) struct text lines = { 0 };

		status_lines(&w->rows[i], &lines);
		if (text_error(&lines) < 0)
			return fault_errno(why, text_error(&lines), "status");
		print_new(text_str(&lines), w->lines[i], elapsed_s);
		free(w->lines[i]);
		w->lines[i] = text_take(&lines);
	}
	return fflush(stdout) == 0 ? 0 : fault_errno(why, errno, "stdout");
}

static int show_nothing(struct watch *w, int64_t elapsed_s, struct fault *why)
{
	(void)w;
	(void)elapsed_s;
	(void)why;
	return 0;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Where answers are slow, machines are busy: at most a fifth of the time is asked. */
static void pause_after(int64_t took_ms)
{
	int64_t ms = 4 * took_ms < PACE_MS	    ? PACE_MS
		     : 4 * took_ms < SLOWEST_PACE_MS ? 4 * took_ms
						     : SLOWEST_PACE_MS;

	nanosleep(&(struct timespec){ .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 }, NULL);
}

/* As JSON only the end is shown: an array is no stream. limit_s 0: for ever. */
static int wait_ready(struct watch *w, long limit_s, struct fault *why)
{
	int64_t begin = now_ms();
	int r;

	for (;;) {
		int64_t asked = now_ms();

		r = look(w, (asked - begin) / 1000, w->in->json ? show_nothing : show_changes, why);
		if (r < 0 || (w->all_ready && w->is_alive && !w->keeps_on) ||
		    (limit_s && now_ms() - begin >= limit_s * 1000))
			break;
		pause_after(now_ms() - asked);
	}
	w->answered_s = -1;
	if (r == 0 && w->in->json)
		r = look(w, 0, show_all, why);
	w->all_ready = w->all_ready && w->is_alive;
	if (r == 0 && !w->all_ready)
		fprintf(stderr, "rackseed: not all nodes were Ready within %ld s\n", limit_s);
	return r;
}

static int run_status(const struct invocation *in, struct fault *why)
{
	scoped(model_done) struct model m = { 0 };
	struct watch w = { .in = in, .model = &m, .answered_s = -1 };
	uint64_t limit_s = 0;
	int r = command_number(in, "timeout", 1, INT32_MAX, &limit_s);

	if (r == 0)
		r = command_load(in, &m, NULL, why);
	if (r != 0)
		return r;
	r = watch_init(&w, why);
	w.keeps_on = command_value(in, "watch") != NULL;
	if (r == 0)
		r = command_value(in, "wait") || w.keeps_on ? wait_ready(&w, (long)limit_s, why)
					      : look(&w, 0, show_all, why);
	if (r == 0)
		r = w.all_ready ? EXIT_DONE : EXIT_FAILED;
	watch_done(&w);
	return r;
}

static const struct command_option options[] = {
	{ "wait", NULL, "ends when all are Ready; prints each line that changes" },
	{ "watch", NULL, "goes on for ever; prints each line that changes" },
	{ "timeout", "SECONDS", "with --wait: gives up after this, default never" },
	{ "connect", "URI", "the libvirt to ask, default qemu:///system" },
	{ NULL, NULL, NULL },
};

static const struct command_rule rules[] = {
	{ "--timeout", "--wait", NULL },
	{ "--watch", NULL, "--wait" },
	{ "--json", NULL, "--watch" }, /* it has no end, and JSON needs one */
	{ NULL, NULL, NULL },
};

const struct command cmd_status = {
	.name = "status",
	.synopsis = "[--wait|--watch]",
	.help = "shows what each node is: from itself, the API server and libvirt",
	.options = options,
	.rules = rules,
	.run = run_status,
};
