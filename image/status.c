/* SPDX-License-Identifier: MIT */
#include "image/status.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/macros.h"
#include "base/quote.h"
#include "base/text.h"
#include "cluster/api.h"
#include "cluster/model.h"
#include "image/lease.h"
#include "image/survey.h"
#include "image/table.h"

static const struct {
	unsigned role;
	const char *name;
} roles[] = {
	{ MODEL_CONTROL_PLANE, "control-plane" },
	{ MODEL_WORKER, "worker" },
	{ MODEL_STORAGE, "storage" },
	{ MODEL_REGISTRY, "registry" },
};

static const char *const ready_names[] = {
	[STATUS_READY] = "Ready",
	[STATUS_NOT_READY] = "NotReady",
	[STATUS_UNKNOWN] = "unknown",
	[STATUS_NONE] = "",
};

static void name_roles(const struct model_node *node, char buf[static 48])
{
	size_t i, n = 0;

	buf[0] = '\0';
	for (i = 0; i < COUNT(roles); i++)
		if (node->roles & roles[i].role)
			n += (size_t)snprintf(buf + n, 48 - n, "%s%s", n ? "+" : "", roles[i].name);
}

static const struct api_node *find(const struct status_facts *facts, const char *name)
{
	size_t i;

	for (i = 0; i < facts->n_nodes; i++)
		if (strcmp(facts->nodes[i].name, name) == 0)
			return &facts->nodes[i];
	return NULL;
}

static const char *booted(const struct status_facts *facts, size_t i, const struct model_node *node,
			  bool is_alive)
{
	if (node->vm.mark.line != 0 && facts->domains &&
	    (facts->domains[i].state != DOMAIN_ABSENT || !is_alive))
		return domain_state_name(facts->domains[i].state);
	/* A server, or machines of another host: who answers for it has booted. */
	return is_alive ? "yes" : "unknown";
}

static bool is_off(const struct status_facts *facts, size_t i, const struct model_node *node)
{
	return node->vm.mark.line != 0 && facts->domains &&
	       (facts->domains[i].state == DOMAIN_OFF || facts->domains[i].state == DOMAIN_ABSENT ||
		facts->domains[i].state == DOMAIN_CRASHED);
}

/* Its heartbeat lies too far behind those of others. */
static bool is_silent(const struct status_facts *facts, const struct model_node *node)
{
	return facts->leases && leases_lag(facts->leases, node->name) > LEASE_GRACE_S;
}

static void explain_silence(const struct status_facts *facts, const struct model_node *node,
			    struct status_row *row)
{
	time_t last = facts->leases->newest - leases_lag(facts->leases, node->name);
	char when[32] = "";
	struct tm tm;

	if (gmtime_r(&last, &tm))
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	snprintf(row->reason, sizeof(row->reason), "no heartbeat since %s", when);
}

static const struct peer_step *find_step(const struct peer *peer, const char *name)
{
	size_t i;

	for (i = 0; i < peer->n_steps; i++)
		if (strcmp(peer->steps[i].name, name) == 0)
			return &peer->steps[i];
	return NULL;
}

/* What the node itself is busy with; false when that is nothing. */
static bool quote(const struct peer *peer, struct status_row *row)
{
	const struct peer_step *step;

	if (!peer || strcmp(peer->phase, "ready") == 0)
		return false;
	step = find_step(peer, peer->step);
	snprintf(row->reason, sizeof(row->reason), "%s%s%s", step ? step->name : peer->phase,
		 step && step->reason[0] ? ": " : "", step ? step->reason : "");
	return true;
}

/*
 * What else it is for: shares or registries, which Kubernetes knows nothing of. A member joins also
 * when these are in trouble.
 */
static bool serves_badly(const struct model_node *node, const struct peer *peer)
{
	return (node->roles & (MODEL_STORAGE | MODEL_REGISTRY)) && peer &&
	       strcmp(peer->phase, "ready") != 0;
}

/* Why a node is not Ready: what its own machine is comes before what the API server believes. */
static void explain(const struct status_facts *facts, size_t i, const struct model_node *node,
		    const struct api_node *seen, struct status_row *row)
{
	const char *what;

	if (row->ready == STATUS_READY || row->ready == STATUS_NONE)
		return;
	if (is_off(facts, i, node))
		what = facts->domains[i].state == DOMAIN_ABSENT
			       ? "no such machine: rackseed vm up"
			       : "the machine is off: rackseed vm up";
	else if (!model_is_kubernetes(node))
		what = facts->survey ? facts->survey[i].silent : "";
	else if (facts->api_silent)
		what = facts->api_silent;
	else if (!seen)
		what = "has not joined yet";
	else
		what = seen->reason && *seen->reason ? seen->reason : "not Ready";
	if (seen && seen->ready && !is_off(facts, i, node) && model_is_kubernetes(node) &&
	    is_silent(facts, node))
		explain_silence(facts, node, row);
	else if (is_off(facts, i, node) || !quote(row->peer, row))
		snprintf(row->reason, sizeof(row->reason), "%s", what);
}

/* It is Ready at an address that the file does not give it. */
static void compare_address(const struct model_node *node, const struct api_node *seen,
			    struct status_row *row)
{
	struct net_ip ip;
	char expected[NET_IP_LEN];

	if (!seen->address || !*seen->address)
		return;
	snprintf(row->address, sizeof(row->address), "%s", seen->address);
	if (net_ip_parse(seen->address, &ip) < 0 || net_ip_equal(&ip, &node->address))
		return;
	snprintf(row->reason, sizeof(row->reason), "the file says %s",
		 net_ip_text(&node->address, expected));
}

/* Without kubelet nobody vouches for a node but itself. */
static enum status_ready own_word(const struct status_facts *facts, size_t i,
				  const struct model_node *node)
{
	if (!facts->survey)
		return STATUS_NONE;
	if (!facts->survey[i].answered)
		return is_off(facts, i, node) && facts->domains[i].state != DOMAIN_ABSENT
			       ? STATUS_NOT_READY
			       : STATUS_UNKNOWN;
	return strcmp(facts->survey[i].peer.phase, "ready") == 0 ? STATUS_READY : STATUS_NOT_READY;
}

static enum status_ready readiness(const struct model_node *node, const struct status_facts *facts,
				   size_t i, const struct api_node *seen)
{
	if (!model_is_kubernetes(node))
		return own_word(facts, i, node);
	if (facts->api_silent)
		return STATUS_UNKNOWN;
	if (!seen || !seen->ready || is_silent(facts, node))
		return STATUS_NOT_READY;
	/* One that is not defined here may run on another host; one that is off here does not run.
	 */
	if (is_off(facts, i, node) && facts->domains[i].state != DOMAIN_ABSENT)
		return STATUS_NOT_READY;
	if (facts->survey && facts->survey[i].answered &&
	    serves_badly(node, &facts->survey[i].peer))
		return STATUS_NOT_READY;
	return STATUS_READY;
}

bool status_merge(const struct model *m, const struct status_facts *facts, struct status_row *rows)
{
	bool all_ready = true;
	size_t i;

	for (i = 0; i < m->n_nodes; i++) {
		const struct model_node *node = &m->nodes[i];
		const struct api_node *seen = find(facts, node->name);
		struct status_row *row = &rows[i];

		*row = (struct status_row){ .node = node->name, .version = "", .phase = "" };
		if (facts->survey && facts->survey[i].answered)
			row->peer = &facts->survey[i].peer;
		if (facts->survey)
			row->phase = row->peer ? row->peer->phase : "silent";
		name_roles(node, row->expected);
		net_ip_text(&node->address, row->address);
		row->ready = readiness(node, facts, i, seen);
		row->booted = booted(facts, i, node, row->ready == STATUS_READY || row->peer);
		if (seen && seen->version)
			row->version = seen->version;
		explain(facts, i, node, seen, row);
		if (seen)
			compare_address(node, seen, row);
		all_ready = all_ready && (row->ready == STATUS_READY || row->ready == STATUS_NONE);
	}
	return all_ready;
}

enum { N_COLUMNS = 8 };

static const char *const heading[N_COLUMNS] = { "NODE",	 "EXPECTED", "BOOTED",	"READY",
						"PHASE", "VERSION",  "ADDRESS", "REASON" };

static void fill(const struct status_row *row, const char *cells[static N_COLUMNS])
{
	const char *words[N_COLUMNS] = { row->node,    row->expected,
					 row->booted,  ready_names[row->ready],
					 row->phase,   row->version,
					 row->address, row->reason };

	memcpy(cells, words, sizeof(words));
}

/* "waiting for X, 40 s: refused" without its seconds. */
static void add_timeless(const char *reason, struct text *out)
{
	const char *comma;

	for (; *reason; reason++) {
		size_t n;

		comma = strncmp(reason, ", ", 2) == 0 ? reason + 2 : NULL;
		n = comma ? strspn(comma, "0123456789") : 0;
		if (n > 0 && strncmp(comma + n, " s", 2) == 0 &&
		    (comma[n + 2] == ':' || comma[n + 2] == '\0'))
			reason = comma + n + 2;
		if (!*reason)
			return;
		text_add_n(out, reason, 1);
	}
}

/* Those that are not done, but the one that the reason tells of; and those that say how. */
static bool has_news(const struct status_row *row, const struct peer_step *step)
{
	size_t n = strlen(step->name);

	if (strcmp(step->state, "pending") == 0 ||
	    (strncmp(row->reason, step->name, n) == 0 && row->reason[n] == ':'))
		return false;
	return strcmp(step->state, "done") != 0 ||
	       (step->reason[0] && strcmp(step->reason, "changed") != 0 &&
		strcmp(step->reason, "as it must be") != 0);
}

static void add_steps(const struct status_row *row, bool timed, struct text *out)
{
	const struct peer *peer = row->peer;
	size_t i;

	if (peer && peer->began[0])
		text_addf(out, "%s: %s\n", row->node, peer->began);
	for (i = 0; peer && i < peer->n_steps; i++) {
		const struct peer_step *step = &peer->steps[i];
		bool is_plain = step->reason[0] && strcmp(step->state, "failed") != 0;

		if (!has_news(row, step))
			continue;
		/* A wait and a success say so themselves. */
		text_addf(out, "%s: %s: %s%s", row->node, step->name, is_plain ? "" : step->state,
			  !is_plain && step->reason[0] ? ": " : "");
		if (timed)
			text_add(out, step->reason);
		else
			add_timeless(step->reason, out);
		text_add(out, "\n");
	}
}

void status_table(const struct status_row *rows, size_t n, struct text *out)
{
	const char **cells = calloc((n + 1) * N_COLUMNS, sizeof(*cells));
	scoped(text_done) struct text steps = { 0 };
	size_t i;

	if (!cells) {
		out->error = -ENOMEM;
		return;
	}
	memcpy(cells, heading, sizeof(heading));
	for (i = 0; i < n; i++)
		fill(&rows[i], cells + (i + 1) * N_COLUMNS);
	table_render(cells, n + 1, N_COLUMNS, out);
	free(cells);
	for (i = 0; i < n; i++)
		add_steps(&rows[i], true, &steps);
	text_addf(out, "%s%s", steps.len ? "\n" : "", text_str(&steps));
	if (text_error(&steps) < 0)
		out->error = text_error(&steps);
}

void status_lines(const struct status_row *row, struct text *out)
{
	text_addf(out, "%s: %s", row->node,
		  row->ready == STATUS_NONE ? row->booted : ready_names[row->ready]);
	if (row->ready != STATUS_NONE)
		text_addf(out, ", machine %s", row->booted);
	if (row->version[0])
		text_addf(out, ", %s", row->version);
	text_addf(out, ", %s", row->address);
	if (row->reason[0]) {
		text_add(out, ", ");
		add_timeless(row->reason, out);
	}
	text_add(out, "\n");
	add_steps(row, false, out);
}

static void steps_json(const struct peer *peer, struct text *out)
{
	size_t i;

	text_add(out, ", \"steps\": [");
	for (i = 0; peer && i < peer->n_steps; i++) {
		text_add(out, i ? ", {\"name\": " : "{\"name\": ");
		quote_json(out, peer->steps[i].name);
		text_add(out, ", \"state\": ");
		quote_json(out, peer->steps[i].state);
		text_add(out, ", \"reason\": ");
		quote_json(out, peer->steps[i].reason);
		text_addf(out, ", \"since\": %" PRIu64 "}", peer->steps[i].since_usec);
	}
	text_add(out, "]");
}

void status_json(const struct status_row *rows, size_t n, struct text *out)
{
	static const char *const keys[N_COLUMNS] = { "node",  "expected", "booted",  "ready",
						     "phase", "version",  "address", "reason" };
	const char *cells[N_COLUMNS];
	size_t i, k;

	text_add(out, "[");
	for (i = 0; i < n; i++) {
		fill(&rows[i], cells);
		for (k = 0; k < N_COLUMNS; k++) {
			text_addf(out, "%s\"%s\": ", k ? ", " : i ? ",\n {" : "\n {", keys[k]);
			quote_json(out, cells[k]);
		}
		text_add(out, ", \"began\": ");
		quote_json(out, rows[i].peer ? rows[i].peer->began : "");
		steps_json(rows[i].peer, out);
		text_add(out, "}");
	}
	text_add(out, "\n]\n");
}
