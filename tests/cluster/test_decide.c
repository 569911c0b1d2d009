/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include "cluster/decide.h"

enum { N_FACTS = 17 };

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
		.expired = bits >> 9 & 1,
		.foreign = bits >> 10 & 1,
		.etcd_damaged = bits >> 11 & 1,
		.has_snapshot = bits >> 12 & 1,
		.snapshots_silent = bits >> 13 & 1,
		.restored = bits >> 14 & 1,
		.forced = bits >> 15 & 1,
		.clock_off = bits >> 16 & 1,
		.peers = peers,
	};
}

/* A certificate is one thing at a time, and so are etcd's data and the look for snapshots. */
static bool can_occur(const struct decide_facts *f)
{
	return f->has_kubelet_conf + f->expired + f->foreign <= 1 &&
	       f->has_etcd_data + f->etcd_damaged <= 1 &&
	       f->has_snapshot + f->snapshots_silent <= 1 &&
	       !(f->clock_off && f->has_kubelet_conf);
}

/* Calls visit with every combination that can occur, with what is decided. */
static void walk(void (*visit)(const struct decide_facts *f, const struct decision *d))
{
	enum decide_peers peers;
	unsigned bits;

	for (peers = 0; peers < DECIDE_N_PEERS; peers++)
		for (bits = 0; bits < 1u << N_FACTS; bits++) {
			const struct decide_facts facts = facts_of(bits, peers);
			const struct decision d = decide(&facts);

			if (can_occur(&facts))
				visit(&facts, &d);
		}
}

/* A rule that holds for all: where it is broken, the facts are told. */
static void rule(bool holds, const struct decide_facts *f, const struct decision *d,
		 const char *text)
{
	if (!holds)
		fail_msg("%s: cp=%d first=%d completed=%d conf=%d etcd=%d started=%d healthy=%d "
			 "active=%d api=%d expired=%d foreign=%d damaged=%d snapshot=%d quiet=%d "
			 "restored=%d forced=%d clock_off=%d peers=%d -> %s%s (%s)",
			 text, f->control_plane, f->first, f->completed, f->has_kubelet_conf,
			 f->has_etcd_data, f->started, f->was_healthy, f->kubelet_active,
			 f->api_serves, f->expired, f->foreign, f->etcd_damaged, f->has_snapshot,
			 f->snapshots_silent, f->restored, f->forced, f->clock_off, (int)f->peers,
			 decide_action_name(d->action), d->reset ? " after reset" : "", d->reason);
}

static bool makes_a_cluster(const struct decision *d)
{
	return d->action == DECIDE_INIT || d->action == DECIDE_RESUME_INIT;
}

static bool joins(const struct decision *d)
{
	return d->action == DECIDE_JOIN || d->action == DECIDE_RESUME_JOIN;
}

static bool is_told(const struct decide_facts *f)
{
	return f->peers == DECIDE_NO_PEERS || f->peers == DECIDE_PEERS_EMPTY ||
	       (f->peers == DECIDE_PEER_SILENT && f->forced);
}

/* Silence is not absence, and what was once whole is never wiped. */
static void check_safety(const struct decide_facts *f, const struct decision *d)
{
	bool wipes = d->action == DECIDE_INIT || (d->action == DECIDE_RESUME_INIT && d->reset);
	bool anew = wipes || d->action == DECIDE_ANEW || d->action == DECIDE_RESTORE;
	bool lived = f->was_healthy || f->restored;

	rule(f->clock_off == (d->action == DECIDE_WAIT_CLOCK), f, d,
	     "by a clock that is off nothing is done but waiting for it");
	rule(!f->completed || !d->reset, f, d, "never reset what was once complete");
	rule(!f->completed || (!makes_a_cluster(d) && !joins(d)), f, d,
	     "a member neither inits nor joins as a new one");
	rule(d->action != DECIDE_INIT || !f->has_etcd_data, f, d, "never init over etcd data");
	rule(!anew || is_told(f), f, d, "no cluster begins while a peer serves or is silent");
	rule(!makes_a_cluster(d) || lived || is_told(f), f, d,
	     "nor go on with an init that was never healthy");
	rule(!wipes || !f->api_serves, f, d, "never init while a cluster answers");
	rule(!wipes || !lived, f, d, "never wipe where an API server was healthy");
	rule(!wipes || (!f->has_snapshot && !f->snapshots_silent) || f->has_etcd_data || f->forced,
	     f, d, "never init with a snapshot at hand, or perhaps at hand");
	rule(!makes_a_cluster(d) || (f->control_plane && f->first), f, d,
	     "only the first control plane inits");
	rule(d->action != DECIDE_RESUME_INIT || f->started || f->restored, f, d,
	     "resume only what was begun");
	rule(d->action != DECIDE_RESUME_JOIN || f->started, f, d, "resume only what was begun");
	rule(!f->has_etcd_data || f->started || !d->reset, f, d,
	     "etcd data that nothing of ours made is left alone");
	rule(!(f->first && f->was_healthy && f->has_etcd_data) || !d->reset || !f->control_plane, f,
	     d, "what once served on the first control plane is not reset");
}

static void check_recovery(const struct decide_facts *f, const struct decision *d)
{
	rule(d->action != DECIDE_RESTORE || (f->has_snapshot && !f->has_etcd_data), f, d,
	     "a snapshot goes only where no etcd data is");
	rule(d->action != DECIDE_ANEW || (f->forced && !f->has_etcd_data && f->first), f, d,
	     "a cluster begins anew over a lost one by an operator's word only");
	rule(d->action != DECIDE_REPLACE ||
		     (f->peers == DECIDE_PEER_SERVES && f->api_serves && !f->has_etcd_data),
	     f, d, "a member is replaced only while another one serves");
	rule(d->action != DECIDE_RENEW ||
		     (!f->has_kubelet_conf && !f->foreign && (f->completed || f->expired)),
	     f, d, "a certificate is renewed for a member that has no valid one");
	rule(!f->completed || !f->foreign || f->clock_off || d->action == DECIDE_REFUSE, f, d,
	     "a member of another CA's cluster is left alone");
	rule(f->control_plane ||
		     (d->action != DECIDE_RESTORE && d->action != DECIDE_ANEW &&
		      d->action != DECIDE_REPLACE && d->action != DECIDE_WAIT_SNAPSHOTS),
	     f, d, "a worker has no etcd data to bring back");
	rule(d->action != DECIDE_WAIT_SNAPSHOTS || f->snapshots_silent, f, d,
	     "snapshots are waited for where they cannot be looked at");
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
	if (consistent && !f->completed && !f->has_etcd_data && !f->etcd_damaged &&
	    !f->has_kubelet_conf && !f->was_healthy && !f->restored)
		rule(d->action != DECIDE_REFUSE, f, d, "a new machine is not refused");
}

static void test_no_combination_breaks_a_rule(void **state)
{
	(void)state;
	walk(check_safety);
	walk(check_recovery);
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
	other.restored = !f->restored;
	other.has_snapshot = f->snapshots_silent;
	other.snapshots_silent = f->has_snapshot;
	other.forced = !f->forced;
	rule(decide(&other).action == d->action, f, d, "a worker does not look at this");
}

static void test_a_worker_looks_at_its_own_facts_only(void **state)
{
	(void)state;
	walk(check_irrelevant);
}

/*
 * The table of what a power cut leaves behind, row by row. What a row's damage does not reach is
 * here too: the decision about the node must not change by it, and the named step mends it.
 */
static void test_rows_of_the_recovery_table(void **state)
{
#define CP .control_plane = true
#define LONE CP, .first = true, .peers = DECIDE_NO_PEERS
#define WHOLE .completed = true, .started = true, .has_kubelet_conf = true
#define LIVED .started = true, .was_healthy = true
	static const struct {
		const char *row;
		struct decide_facts facts;
		enum decide_action action;
		bool reset;
	} cases[] = {
		{ "init: a cluster answers anywhere",
		  { CP, .first = true, .peers = DECIDE_PEER_SERVES, .api_serves = true },
		  DECIDE_JOIN,
		  false },
		{ "init: a cluster answers anywhere",
		  { CP, .peers = DECIDE_PEER_SERVES, .api_serves = true },
		  DECIDE_JOIN,
		  false },
		{ "init: a peer serves, the endpoint does not yet",
		  { CP, .first = true, .peers = DECIDE_PEER_SERVES },
		  DECIDE_WAIT_API,
		  false },
		{ "init: every peer answers and none has etcd data: the first inits",
		  { CP, .first = true, .peers = DECIDE_PEERS_EMPTY },
		  DECIDE_INIT,
		  false },
		{ "init: every peer answers and none has etcd data: the others wait",
		  { CP, .peers = DECIDE_PEERS_EMPTY },
		  DECIDE_WAIT_API,
		  false },
		{ "init: some peer is silent",
		  { CP, .first = true, .peers = DECIDE_PEER_SILENT },
		  DECIDE_WAIT_PEERS,
		  false },
		{ "init: some peer is silent, and an operator overrides",
		  { CP, .first = true, .peers = DECIDE_PEER_SILENT, .forced = true },
		  DECIDE_INIT,
		  false },
		{ "init: some peer is silent, and an operator overrides on another than the first",
		  { CP, .peers = DECIDE_PEER_SILENT, .forced = true },
		  DECIDE_WAIT_PEERS,
		  false },
		{ "init: own etcd data is here and was complete",
		  { LONE, WHOLE, .was_healthy = true, .has_etcd_data = true },
		  DECIDE_START,
		  false },
		{ "init: one control plane, nothing here", { LONE }, DECIDE_INIT, false },
		{ "init: one control plane, a snapshot within reach",
		  { LONE, .has_snapshot = true },
		  DECIDE_RESTORE,
		  false },
		{ "init: one control plane, the snapshots' place is silent",
		  { LONE, .snapshots_silent = true },
		  DECIDE_WAIT_SNAPSHOTS,
		  false },
		{ "init: one control plane, the snapshots' place is silent, an operator overrides",
		  { LONE, .snapshots_silent = true, .forced = true },
		  DECIDE_INIT,
		  false },

		{ "swap is back (step swap)",
		  { LONE, WHOLE, .has_etcd_data = true, .kubelet_active = true },
		  DECIDE_NOTHING,
		  false },
		{ "kubelet restarts before init/join",
		  { LONE, .kubelet_active = true },
		  DECIDE_INIT,
		  false },
		{ "kubelet restarts before init/join",
		  { .kubelet_active = true, .api_serves = true },
		  DECIDE_JOIN,
		  false },
		{ "init was interrupted: nothing was ever healthy",
		  { LONE, .started = true },
		  DECIDE_RESUME_INIT,
		  true },
		{ "init was interrupted: nothing was ever healthy",
		  { LONE, .started = true, .has_kubelet_conf = true },
		  DECIDE_RESUME_INIT,
		  true },
		{ "init was interrupted: nothing was ever healthy",
		  { LONE, .started = true, .has_kubelet_conf = true, .has_etcd_data = true },
		  DECIDE_RESUME_INIT,
		  true },
		{ "init was interrupted: etcd data half made",
		  { LONE, .started = true, .etcd_damaged = true },
		  DECIDE_RESUME_INIT,
		  true },
		{ "init was interrupted: an API server was healthy",
		  { LONE, LIVED, .has_kubelet_conf = true, .has_etcd_data = true },
		  DECIDE_RESUME_INIT,
		  false },
		{ "init was interrupted: its API server answers",
		  { LONE, .started = true, .has_kubelet_conf = true, .has_etcd_data = true,
		    .api_serves = true },
		  DECIDE_RESUME_INIT,
		  false },
		{ "init was interrupted: peers silent",
		  { CP, .first = true, .started = true, .has_etcd_data = true,
		    .peers = DECIDE_PEER_SILENT },
		  DECIDE_WAIT_PEERS,
		  false },
		{ "init was interrupted over a restored snapshot",
		  { LONE, .started = true, .restored = true, .has_etcd_data = true,
		    .has_snapshot = true },
		  DECIDE_RESUME_INIT,
		  false },
		{ "restoring was interrupted before the data was in its place",
		  { LONE, .started = true, .restored = true, .has_snapshot = true },
		  DECIDE_RESTORE,
		  false },
		{ "restoring was interrupted, and the snapshot went out of reach",
		  { LONE, .started = true, .restored = true },
		  DECIDE_REFUSE,
		  false },
		{ "restoring was interrupted, and the snapshots' place went silent",
		  { LONE, .started = true, .restored = true, .snapshots_silent = true },
		  DECIDE_WAIT_SNAPSHOTS,
		  false },
		{ "init was interrupted, with a snapshot of an earlier life at hand",
		  { LONE, .started = true, .has_snapshot = true },
		  DECIDE_RESTORE,
		  true },
		{ "worker join was interrupted: valid certificate",
		  { .started = true, .has_kubelet_conf = true },
		  DECIDE_START,
		  false },
		{ "worker join was interrupted: none",
		  { .started = true, .api_serves = true },
		  DECIDE_RESUME_JOIN,
		  true },
		{ "worker join was interrupted: none, no API server",
		  { .started = true },
		  DECIDE_WAIT_API,
		  false },
		{ "control-plane join was interrupted",
		  { CP, .started = true, .has_etcd_data = true, .has_kubelet_conf = true,
		    .api_serves = true, .peers = DECIDE_PEER_SERVES },
		  DECIDE_RESUME_JOIN,
		  true },
		{ "control-plane join was interrupted before etcd",
		  { CP, .started = true, .api_serves = true, .peers = DECIDE_PEER_SERVES },
		  DECIDE_RESUME_JOIN,
		  true },
		{ "re-imaged node, same name (the act waits for the Node)",
		  { .api_serves = true },
		  DECIDE_JOIN,
		  false },
		{ "re-imaged first control plane while others serve",
		  { CP, .first = true, .api_serves = true, .peers = DECIDE_PEER_SERVES },
		  DECIDE_JOIN,
		  false },
		{ "leaf certificates expired: worker",
		  { .completed = true, .expired = true },
		  DECIDE_RENEW,
		  false },
		{ "leaf certificates expired: control plane",
		  { LONE, .completed = true, .was_healthy = true, .expired = true,
		    .has_etcd_data = true },
		  DECIDE_RENEW,
		  false },
		{ "leaf certificates expired, and the journal is lost",
		  { LONE, .expired = true, .has_etcd_data = true },
		  DECIDE_RENEW,
		  false },
		{ "leaf certificates expired, and the journal is lost: worker",
		  { .expired = true },
		  DECIDE_RENEW,
		  false },
		{ "clock is wrong: years behind, control plane (its own are made for all times)",
		  { LONE, LIVED, .completed = true, .expired = true, .has_etcd_data = true },
		  DECIDE_RENEW,
		  false },
		{ "clock is wrong: years behind, worker (its certificate is of the future)",
		  { WHOLE },
		  DECIDE_START,
		  false },
		{ "the node's address changed in the file (refused by the act)",
		  { LONE, WHOLE, .has_etcd_data = true },
		  DECIDE_START,
		  false },
		{ "etcd damaged: three members",
		  { CP, WHOLE, .etcd_damaged = true, .api_serves = true,
		    .peers = DECIDE_PEER_SERVES },
		  DECIDE_REPLACE,
		  false },
		{ "etcd damaged: three members, the others silent",
		  { CP, WHOLE, .etcd_damaged = true, .peers = DECIDE_PEER_SILENT },
		  DECIDE_WAIT_PEERS,
		  false },
		{ "etcd damaged: one, with a snapshot",
		  { LONE, WHOLE, .etcd_damaged = true, .has_snapshot = true },
		  DECIDE_RESTORE,
		  false },
		{ "etcd damaged: one, without",
		  { LONE, WHOLE, .etcd_damaged = true },
		  DECIDE_REFUSE,
		  false },
		{ "etcd damaged: one, without, asked to begin anew",
		  { LONE, WHOLE, .etcd_damaged = true, .forced = true },
		  DECIDE_ANEW,
		  false },
		{ "etcd gone: one, without", { LONE, WHOLE }, DECIDE_REFUSE, false },
		{ "etcd gone before init's end: one, with a snapshot",
		  { LONE, LIVED, .has_snapshot = true },
		  DECIDE_RESTORE,
		  false },
		{ "all nodes were off",
		  { CP, .first = true, WHOLE, .was_healthy = true, .has_etcd_data = true,
		    .peers = DECIDE_PEER_SILENT },
		  DECIDE_START,
		  false },
		{ "all nodes were off",
		  { CP, WHOLE, .has_etcd_data = true, .peers = DECIDE_PEER_SILENT },
		  DECIDE_START,
		  false },
		{ "all nodes were off", { WHOLE }, DECIDE_START, false },
		{ "clock is wrong: ten years ahead, control plane",
		  { LONE, LIVED, .completed = true, .expired = true, .has_etcd_data = true,
		    .clock_off = true },
		  DECIDE_WAIT_CLOCK,
		  false },
		{ "clock is wrong: ten years ahead, worker",
		  { .completed = true, .expired = true, .api_serves = true, .clock_off = true },
		  DECIDE_WAIT_CLOCK,
		  false },
		{ "clock is wrong: ten years ahead, a new disk",
		  { LONE, .clock_off = true },
		  DECIDE_WAIT_CLOCK,
		  false },
		{ "containerd content lost (step images)", { WHOLE }, DECIDE_START, false },
		{ "zero-length kubeconfig: worker", { .completed = true }, DECIDE_RENEW, false },
		{ "zero-length PKI, kubeconfig or manifest (mended before kubelet starts)",
		  { LONE, .completed = true, .has_etcd_data = true },
		  DECIDE_RENEW,
		  false },
		{ "kubelet checkpoint files corrupt (set aside before kubelet starts)",
		  { WHOLE },
		  DECIDE_START,
		  false },
		{ "cni0 has another address (before kubelet starts)",
		  { WHOLE },
		  DECIDE_START,
		  false },
		{ "somebody flushed nftables (step firewall)",
		  { WHOLE, .kubelet_active = true },
		  DECIDE_NOTHING,
		  false },
		{ "Samba is down (step shares)",
		  { WHOLE, .kubelet_active = true },
		  DECIDE_NOTHING,
		  false },
		{ "token expired (step objects): a join waits until it is known",
		  { 0 },
		  DECIDE_WAIT_API,
		  false },
		{ "API server not up", { .started = true }, DECIDE_WAIT_API, false },
		{ "network-online waits for an unplugged port (netplan, wait-online)",
		  { WHOLE },
		  DECIDE_START,
		  false },
		{ "the journal is lost: etcd data and certificate tell",
		  { LONE, .has_kubelet_conf = true, .has_etcd_data = true },
		  DECIDE_START,
		  false },
		{ "the journal is lost: etcd data alone is unknown",
		  { LONE, .has_etcd_data = true },
		  DECIDE_REFUSE,
		  false },
		{ "the journal is lost: worker",
		  { .has_kubelet_conf = true },
		  DECIDE_START,
		  false },
		{ "a worker with etcd data",
		  { WHOLE, .has_etcd_data = true },
		  DECIDE_REFUSE,
		  false },
		{ "a seed of another cluster",
		  { .completed = true, .foreign = true },
		  DECIDE_REFUSE,
		  false },
	};

	(void)state;
	CASES (c, cases) {
		const struct decision d = decide(&c->facts);

		rule(d.action == c->action && d.reset == c->reset, &c->facts, &d, c->row);
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

			if (can_occur(&facts))
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
