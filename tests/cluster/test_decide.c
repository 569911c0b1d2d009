/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include "cluster/decide.h"

enum { N_FACTS = 9 };

static struct decide_facts facts_of(unsigned bits, enum decide_peers peers)
{
	return (struct decide_facts){
		.control_plane = bits & 1,
		.first = bits >> 1 & 1,
		.completed = bits >> 2 & 1,
		.has_kubelet_conf = bits >> 3 & 1,
		.has_etcd_data = bits >> 4 & 1,
		.started = bits >> 5 & 1,
		.was_healthy = bits >> 6 & 1,
		.kubelet_active = bits >> 7 & 1,
		.api_serves = bits >> 8 & 1,
		.peers = peers,
	};
}

/* Calls visit with every combination that there is, with what is decided. */
static void walk(void (*visit)(const struct decide_facts *f, const struct decision *d))
{
	enum decide_peers peers;
	unsigned bits;

	for (peers = 0; peers < DECIDE_N_PEERS; peers++)
		for (bits = 0; bits < 1u << N_FACTS; bits++) {
			const struct decide_facts facts = facts_of(bits, peers);
			const struct decision d = decide(&facts);

			visit(&facts, &d);
		}
}

/* A rule that holds for all: where it is broken, the facts are told. */
static void rule(bool holds, const struct decide_facts *f, const struct decision *d,
		 const char *text)
{
	if (!holds)
		fail_msg("%s: cp=%d first=%d completed=%d conf=%d etcd=%d started=%d healthy=%d "
			 "active=%d api=%d peers=%d -> %s%s (%s)",
			 text, f->control_plane, f->first, f->completed, f->has_kubelet_conf,
			 f->has_etcd_data, f->started, f->was_healthy, f->kubelet_active,
			 f->api_serves, (int)f->peers, decide_action_name(d->action),
			 d->reset ? " after reset" : "", d->reason);
}

static bool makes_a_cluster(const struct decision *d)
{
	return d->action == DECIDE_INIT || d->action == DECIDE_RESUME_INIT;
}

static bool joins(const struct decision *d)
{
	return d->action == DECIDE_JOIN || d->action == DECIDE_RESUME_JOIN;
}

static void check_safety(const struct decide_facts *f, const struct decision *d)
{
	bool anew = d->action == DECIDE_INIT || (d->action == DECIDE_RESUME_INIT && d->reset);

	rule(!f->completed || !d->reset, f, d, "never reset what was once complete");
	rule(!f->completed || (!makes_a_cluster(d) && !joins(d)), f, d,
	     "a member neither inits nor joins");
	rule(d->action != DECIDE_INIT || !f->has_etcd_data, f, d, "never init over etcd data");
	rule(!anew || f->peers == DECIDE_NO_PEERS || f->peers == DECIDE_PEERS_EMPTY, f, d,
	     "never init while a peer serves or is silent");
	rule(!makes_a_cluster(d) || f->was_healthy || f->peers == DECIDE_NO_PEERS ||
		     f->peers == DECIDE_PEERS_EMPTY,
	     f, d, "nor go on with an init that was never healthy");
	rule(!anew || !f->api_serves, f, d, "never init while a cluster answers");
	rule(!anew || !f->was_healthy, f, d, "never init anew where an API server was healthy");
	rule(!makes_a_cluster(d) || (f->control_plane && f->first), f, d,
	     "only the first control plane inits");
	rule(d->action != DECIDE_RESUME_INIT || f->started, f, d, "resume only what was begun");
	rule(d->action != DECIDE_RESUME_JOIN || f->started, f, d, "resume only what was begun");
	rule(!f->has_etcd_data || f->started || !d->reset, f, d,
	     "etcd data that nothing of ours made is left alone");
	rule(!(f->first && f->was_healthy && f->has_etcd_data) || !d->reset || !f->control_plane, f,
	     d, "what once served on the first control plane is not reset");
}

static void check_liveness(const struct decide_facts *f, const struct decision *d)
{
	bool consistent = !f->control_plane || f->first || f->peers != DECIDE_NO_PEERS;

	rule(d->reason && d->reason[0], f, d, "a reason is given");
	rule(d->action != DECIDE_NOTHING ||
		     (f->completed && f->kubelet_active && f->has_kubelet_conf),
	     f, d, "nothing to do only for a running member");
	rule(!joins(d) || f->api_serves, f, d, "a join needs the API server");
	rule(d->action != DECIDE_WAIT_API || !f->api_serves, f, d,
	     "nobody waits for what is there");
	rule(d->action != DECIDE_START || f->has_kubelet_conf, f, d,
	     "kubelet starts with a certificate only");
	rule(d->action != DECIDE_WAIT_PEERS || f->control_plane, f, d, "a worker has no peers");
	/* A new machine always goes on, or waits for something with a name. */
	if (consistent && !f->completed && !f->has_etcd_data && !f->has_kubelet_conf &&
	    !f->was_healthy)
		rule(d->action != DECIDE_REFUSE, f, d, "a new machine is not refused");
}

static void test_no_combination_breaks_a_rule(void **state)
{
	(void)state;
	walk(check_safety);
	walk(check_liveness);
}

static void check_irrelevant(const struct decide_facts *f, const struct decision *d)
{
	struct decide_facts other = *f;

	if (f->control_plane)
		return;
	other.first = !f->first;
	other.peers = (f->peers + 1) % DECIDE_N_PEERS;
	other.was_healthy = !f->was_healthy;
	rule(decide(&other).action == d->action, f, d, "a worker does not look at this");
}

static void test_a_worker_looks_at_its_own_facts_only(void **state)
{
	(void)state;
	walk(check_irrelevant);
}

static void test_rows_of_the_recovery_table(void **state)
{
#define CP .control_plane = true
	static const struct {
		struct decide_facts facts;
		enum decide_action action;
		bool reset;
	} cases[] = {
		/* guarded init */
		{ { CP, .first = true, .peers = DECIDE_NO_PEERS }, DECIDE_INIT, false },
		{ { CP, .first = true, .peers = DECIDE_PEERS_EMPTY }, DECIDE_INIT, false },
		{ { CP, .peers = DECIDE_PEERS_EMPTY }, DECIDE_WAIT_API, false },
		{ { CP, .first = true, .peers = DECIDE_PEER_SILENT }, DECIDE_WAIT_PEERS, false },
		{ { CP, .first = true, .peers = DECIDE_PEER_SERVES }, DECIDE_WAIT_API, false },
		{ { CP, .first = true, .peers = DECIDE_PEER_SERVES, .api_serves = true },
		  DECIDE_JOIN,
		  false },
		{ { CP, .peers = DECIDE_PEER_SERVES, .api_serves = true }, DECIDE_JOIN, false },
		/* all nodes were off: start, nobody inits */
		{ { CP, .first = true, .completed = true, .started = true, .was_healthy = true,
		    .has_kubelet_conf = true, .has_etcd_data = true, .peers = DECIDE_PEER_SILENT },
		  DECIDE_START,
		  false },
		{ { CP, .first = true, .completed = true, .has_kubelet_conf = true,
		    .has_etcd_data = true, .kubelet_active = true },
		  DECIDE_NOTHING,
		  false },
		/* own etcd data, its journal lost: start, never init */
		{ { CP, .first = true, .has_kubelet_conf = true, .has_etcd_data = true },
		  DECIDE_START,
		  false },
		{ { CP, .first = true, .has_etcd_data = true }, DECIDE_REFUSE, false },
		/* init was interrupted */
		{ { CP, .first = true, .started = true }, DECIDE_RESUME_INIT, true },
		{ { CP, .first = true, .started = true, .has_kubelet_conf = true },
		  DECIDE_RESUME_INIT,
		  true },
		{ { CP, .first = true, .started = true, .has_kubelet_conf = true,
		    .has_etcd_data = true },
		  DECIDE_RESUME_INIT,
		  true },
		{ { CP, .first = true, .started = true, .has_kubelet_conf = true,
		    .has_etcd_data = true, .was_healthy = true },
		  DECIDE_RESUME_INIT,
		  false },
		{ { CP, .first = true, .started = true, .has_kubelet_conf = true,
		    .has_etcd_data = true, .api_serves = true },
		  DECIDE_RESUME_INIT,
		  false },
		{ { CP, .first = true, .started = true, .has_etcd_data = true,
		    .peers = DECIDE_PEER_SILENT },
		  DECIDE_WAIT_PEERS,
		  false },
		/* control-plane join was interrupted */
		{ { CP, .started = true, .has_etcd_data = true, .has_kubelet_conf = true,
		    .api_serves = true, .peers = DECIDE_PEER_SERVES },
		  DECIDE_RESUME_JOIN,
		  true },
		{ { CP, .started = true, .api_serves = true, .peers = DECIDE_PEER_SERVES },
		  DECIDE_RESUME_JOIN,
		  true },
		/* a member whose etcd data or certificate went away is named, not repaired */
		{ { CP, .first = true, .completed = true, .has_kubelet_conf = true },
		  DECIDE_REFUSE,
		  false },
		{ { .completed = true }, DECIDE_REFUSE, false },
		/* workers */
		{ { .api_serves = true }, DECIDE_JOIN, false },
		{ { .started = false }, DECIDE_WAIT_API, false },
		{ { .started = true, .api_serves = true }, DECIDE_RESUME_JOIN, true },
		{ { .started = true, .has_kubelet_conf = true }, DECIDE_START, false },
		{ { .has_kubelet_conf = true }, DECIDE_START, false },
		{ { .completed = true, .has_kubelet_conf = true }, DECIDE_START, false },
		{ { .completed = true, .has_kubelet_conf = true, .kubelet_active = true },
		  DECIDE_NOTHING,
		  false },
		{ { .completed = true, .has_kubelet_conf = true, .has_etcd_data = true },
		  DECIDE_REFUSE,
		  false },
	};

	(void)state;
	CASES (c, cases) {
		const struct decision d = decide(&c->facts);

		rule(d.action == c->action && d.reset == c->reset, &c->facts, &d,
		     decide_action_name(c->action));
	}
}

static void test_every_action_has_a_name_and_is_reached(void **state)
{
	bool reached[DECIDE_N_ACTIONS] = { false };
	enum decide_peers peers;
	enum decide_action action;
	unsigned bits;

	(void)state;
	for (peers = 0; peers < DECIDE_N_PEERS; peers++)
		for (bits = 0; bits < 1u << N_FACTS; bits++) {
			const struct decide_facts facts = facts_of(bits, peers);

			reached[decide(&facts).action] = true;
		}
	for (action = 0; action < DECIDE_N_ACTIONS; action++) {
		assert_non_null(decide_action_name(action));
		assert_true(reached[action]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_combination_breaks_a_rule),
		cmocka_unit_test(test_a_worker_looks_at_its_own_facts_only),
		cmocka_unit_test(test_rows_of_the_recovery_table),
		cmocka_unit_test(test_every_action_has_a_name_and_is_reached),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
