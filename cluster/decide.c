/* SPDX-License-Identifier: MIT */
#include "cluster/decide.h"

#include <stddef.h>

#include "base/macros.h"

/* The facts as bits, so that a row can say which it looks at and what they must be. */
enum {
	CONTROL = 1 << 0,
	FIRST = 1 << 1,
	COMPLETED = 1 << 2,
	CONF = 1 << 3, /* kubelet.conf with a valid certificate */
	ETCD = 1 << 4,
	STARTED = 1 << 5,
	HEALTHY = 1 << 6,
	ACTIVE = 1 << 7, /* kubelet runs */
	API = 1 << 8,	 /* the endpoint answers with our CA */
	EXPIRED = 1 << 9,
	FOREIGN = 1 << 10,
	DAMAGED = 1 << 11, /* etcd data, but not fit to start from; never with ETCD */
	SNAPSHOT = 1 << 12,
	QUIET = 1 << 13, /* nobody knows whether there is a snapshot */
	RESTORED = 1 << 14,
	FORCED = 1 << 15,
	LIVED = 1 << 16, /* HEALTHY or RESTORED: what cannot be made again was here */
	CLOCK = 1 << 17, /* it is off */
};

/* Peers as a set; 0 in a row: whatever they say. */
enum {
	NONE = 1 << DECIDE_NO_PEERS,
	SERVES = 1 << DECIDE_PEER_SERVES,
	EMPTY = 1 << DECIDE_PEERS_EMPTY,
	SILENT = 1 << DECIDE_PEER_SILENT,
};

struct row {
	unsigned look; /* the facts that matter */
	unsigned set;  /* those of them that are true; the others are false */
	unsigned peers;
	enum decide_action action;
	bool reset;
	const char *reason;
};

/* The first row that matches holds. */
static const struct row rows[] = {
	/* By such a clock every certificate is over, and whatever is signed would be of no use. */
	{ CLOCK, CLOCK, 0, DECIDE_WAIT_CLOCK, false,
	  "at the time that the clock shows the cluster's CA is not valid: nothing is changed" },

	/* Once a member, always a member: nothing here resets, inits or joins as a new one. */
	{ CONTROL | ETCD, ETCD, 0, DECIDE_REFUSE, false,
	  "this is a worker in the file, but etcd data of a control plane lies here" },
	{ CONTROL | DAMAGED, DAMAGED, 0, DECIDE_REFUSE, false,
	  "this is a worker in the file, but damaged etcd data of a control plane lies here" },
	{ COMPLETED | FOREIGN, COMPLETED | FOREIGN, 0, DECIDE_REFUSE, false,
	  "this was a member of a cluster with another CA than the seed's" },
	{ CONTROL | COMPLETED | CONF | ACTIVE, COMPLETED | CONF | ACTIVE, 0, DECIDE_NOTHING, false,
	  "a member, and its kubelet runs" },
	{ CONTROL | COMPLETED | CONF, COMPLETED | CONF, 0, DECIDE_START, false,
	  "a member: its kubelet only has to start" },
	{ CONTROL | COMPLETED, COMPLETED, 0, DECIDE_RENEW, false,
	  "a member, but its kubelet has no valid certificate: get a new one" },
	{ CONTROL | COMPLETED | CONF | ETCD | ACTIVE, CONTROL | COMPLETED | CONF | ETCD | ACTIVE, 0,
	  DECIDE_NOTHING, false, "a control plane, and its kubelet runs" },
	{ CONTROL | COMPLETED | CONF | ETCD, CONTROL | COMPLETED | CONF | ETCD, 0, DECIDE_START,
	  false, "a control plane with its etcd data: its kubelet only has to start" },
	{ COMPLETED | ETCD, COMPLETED | ETCD, 0, DECIDE_RENEW, false,
	  "a control plane with its etcd data, but without a valid certificate: make new ones" },

	/* Control planes that were complete, and whose etcd data is gone or damaged. */
	{ COMPLETED | SNAPSHOT, COMPLETED | SNAPSHOT, NONE, DECIDE_RESTORE, false,
	  "this was a control plane, its etcd data is lost, and a snapshot is at hand" },
	{ COMPLETED | FIRST | SNAPSHOT, COMPLETED | FIRST | SNAPSHOT, EMPTY, DECIDE_RESTORE, false,
	  "no control plane has etcd data any more, and a snapshot is at hand" },
	{ COMPLETED | FIRST | FORCED, COMPLETED | FIRST | FORCED, NONE | EMPTY | SILENT,
	  DECIDE_ANEW, false, "the etcd data is lost, and an operator wants the cluster anew" },
	{ COMPLETED | QUIET, COMPLETED | QUIET, NONE, DECIDE_WAIT_SNAPSHOTS, false,
	  "the etcd data is lost, and the place of its snapshots does not answer" },
	{ COMPLETED | API, COMPLETED | API, SERVES, DECIDE_REPLACE, false,
	  "the etcd data is lost, and another control plane serves: replace this member" },
	{ COMPLETED, COMPLETED, SERVES, DECIDE_WAIT_API, false,
	  "the etcd data is lost; to be replaced it needs the endpoint to answer" },
	{ COMPLETED, COMPLETED, SILENT, DECIDE_WAIT_PEERS, false,
	  "the etcd data is lost, and a silent control plane may hold the cluster" },
	{ COMPLETED, COMPLETED, 0, DECIDE_REFUSE, false,
	  "this was a control plane, its etcd data is lost, and there is no snapshot "
	  "(rackseed-firstboot --force-init begins anew)" },

	/* Workers. */
	{ CONTROL | CONF, CONF, 0, DECIDE_START, false,
	  "the join was cut short after kubelet had got its certificate: start it" },
	{ CONTROL | EXPIRED, EXPIRED, 0, DECIDE_RENEW, false,
	  "a member by its certificate, which is over: get a new one" },
	{ CONTROL | STARTED | API, STARTED | API, 0, DECIDE_RESUME_JOIN, true,
	  "the join was cut short before kubelet had a certificate: reset, then join" },
	{ CONTROL | API, API, 0, DECIDE_JOIN, false, "a new worker: join" },
	{ CONTROL, 0, 0, DECIDE_WAIT_API, false, "a join needs the API server" },

	/* Control planes that have etcd data, but never came to the end. */
	{ FIRST, 0, NONE, DECIDE_REFUSE, false,
	  "not the first control plane of the file, and yet there is no other" },
	{ DAMAGED | STARTED, DAMAGED, 0, DECIDE_REFUSE, false,
	  "damaged etcd data is here that nothing of ours is known to have made" },
	{ ETCD | STARTED | CONF, ETCD | CONF, 0, DECIDE_START, false,
	  "etcd data and a valid kubelet.conf are here, though nothing tells how: start kubelet" },
	{ ETCD | STARTED | EXPIRED, ETCD | EXPIRED, 0, DECIDE_RENEW, false,
	  "etcd data and a kubelet.conf of ours are here, but its certificate is over" },
	{ ETCD | STARTED, ETCD, 0, DECIDE_REFUSE, false,
	  "etcd data is here that nothing of ours is known to have made" },
	{ ETCD | RESTORED | FIRST, ETCD | RESTORED | FIRST, NONE | EMPTY, DECIDE_RESUME_INIT, false,
	  "a snapshot was put here, and init over it was cut short: run its phases again" },
	{ ETCD | HEALTHY | FIRST, ETCD | HEALTHY | FIRST, 0, DECIDE_RESUME_INIT, false,
	  "init was cut short after its API server had been healthy: run its phases again" },
	{ ETCD | HEALTHY | CONF, ETCD | HEALTHY | CONF, 0, DECIDE_START, false,
	  "the join was cut short after its API server had been healthy: start kubelet" },
	{ ETCD | FIRST | API, ETCD | FIRST | API, NONE | EMPTY, DECIDE_RESUME_INIT, false,
	  "init was cut short, and its own API server answers: run its phases again" },
	{ ETCD | API, ETCD | API, SERVES, DECIDE_RESUME_JOIN, true,
	  "a cluster answers, and what lies here was never a whole member: reset, then join" },
	{ ETCD, ETCD, SERVES, DECIDE_WAIT_API, false,
	  "another control plane serves; a join needs the endpoint to answer" },
	{ ETCD | RESTORED, ETCD | RESTORED, SILENT, DECIDE_WAIT_PEERS, false,
	  "a snapshot was put here, and a silent control plane may hold the cluster" },
	{ ETCD | FIRST | FORCED | API, ETCD | FIRST | FORCED, SILENT, DECIDE_RESUME_INIT, true,
	  "others are silent, and an operator wants this one to init: reset, then init" },
	{ ETCD, ETCD, SILENT, DECIDE_WAIT_PEERS, false,
	  "another control plane is silent, and may hold the cluster" },
	{ ETCD | FIRST, ETCD | FIRST, 0, DECIDE_RESUME_INIT, true,
	  "init was cut short before any API server was healthy: reset, then init" },
	{ ETCD, ETCD, 0, DECIDE_REFUSE, false,
	  "a join was begun here, but no other control plane has a cluster any more" },

	/* Control planes whose etcd data is gone or damaged before they came to the end. */
	{ LIVED | FIRST | SNAPSHOT, LIVED | FIRST | SNAPSHOT, NONE | EMPTY, DECIDE_RESTORE, false,
	  "an API server lived here, its etcd data is lost, and a snapshot is at hand" },
	{ LIVED | FIRST | FORCED, LIVED | FIRST | FORCED, NONE | EMPTY | SILENT, DECIDE_ANEW, false,
	  "the etcd data is lost, and an operator wants the cluster anew" },
	{ LIVED | FIRST | QUIET, LIVED | FIRST | QUIET, NONE | EMPTY, DECIDE_WAIT_SNAPSHOTS, false,
	  "the etcd data is lost, and the place of its snapshots does not answer" },
	{ LIVED | API, LIVED | API, SERVES, DECIDE_REPLACE, false,
	  "the etcd data is lost, and another control plane serves: replace this member" },
	{ LIVED, LIVED, SERVES, DECIDE_WAIT_API, false,
	  "the etcd data is lost; to be replaced it needs the endpoint to answer" },
	{ LIVED, LIVED, SILENT, DECIDE_WAIT_PEERS, false,
	  "the etcd data is lost, and a silent control plane may hold the cluster" },
	{ LIVED, LIVED, 0, DECIDE_REFUSE, false,
	  "an API server was healthy here once, but the etcd data is lost, and there is no "
	  "snapshot (rackseed-firstboot --force-init begins anew)" },

	/* Control planes that are new, or as good as. */
	{ STARTED | CONF, CONF, 0, DECIDE_REFUSE, false,
	  "kubelet.conf is here, but nothing of ours is known to have made it, nor is etcd data" },
	{ STARTED | API, STARTED | API, 0, DECIDE_RESUME_JOIN, true,
	  "a cluster answers, and what was begun here had no etcd data yet: reset, then join" },
	{ API, API, 0, DECIDE_JOIN, false, "a cluster answers: join it" },
	{ 0, 0, SERVES, DECIDE_WAIT_API, false,
	  "another control plane serves; a join needs the endpoint to answer" },
	{ FIRST | FORCED | STARTED, FIRST | FORCED | STARTED, SILENT, DECIDE_RESUME_INIT, true,
	  "others are silent, and an operator wants this one to init: reset, then init" },
	{ FIRST | FORCED, FIRST | FORCED, SILENT, DECIDE_INIT, false,
	  "others are silent, and an operator wants this one to init" },
	{ 0, 0, SILENT, DECIDE_WAIT_PEERS, false,
	  "another control plane is silent, and may hold the cluster" },
	{ FIRST, 0, 0, DECIDE_WAIT_API, false, "the first control plane of the file has to init" },
	{ SNAPSHOT | STARTED, SNAPSHOT | STARTED, 0, DECIDE_RESTORE, true,
	  "what was begun here never served, and a snapshot is at hand: reset, then restore it" },
	{ SNAPSHOT, SNAPSHOT, 0, DECIDE_RESTORE, false,
	  "a new disk, but a snapshot of this cluster is at hand: restore it" },
	{ QUIET | FORCED, QUIET, 0, DECIDE_WAIT_SNAPSHOTS, false,
	  "the place of the snapshots does not answer, and may hold the cluster" },
	{ STARTED, STARTED, 0, DECIDE_RESUME_INIT, true,
	  "init was cut short before any API server was healthy: reset, then init" },
	{ 0, 0, 0, DECIDE_INIT, false,
	  "no control plane has a cluster, and this is the first: init" },
};

static const char *const action_names[DECIDE_N_ACTIONS] = {
	[DECIDE_NOTHING] = "nothing",
	[DECIDE_START] = "start",
	[DECIDE_INIT] = "init",
	[DECIDE_JOIN] = "join",
	[DECIDE_RESUME_INIT] = "resume-init",
	[DECIDE_RESUME_JOIN] = "resume-join",
	[DECIDE_RENEW] = "renew",
	[DECIDE_RESTORE] = "restore",
	[DECIDE_REPLACE] = "replace",
	[DECIDE_ANEW] = "anew",
	[DECIDE_WAIT_API] = "wait-api",
	[DECIDE_WAIT_PEERS] = "wait-peers",
	[DECIDE_WAIT_SNAPSHOTS] = "wait-snapshots",
	[DECIDE_WAIT_CLOCK] = "wait-clock",
	[DECIDE_REFUSE] = "refuse",
};

static unsigned bits(const struct decide_facts *f)
{
	const struct {
		bool is;
		unsigned bit;
	} all[] = {
		{ f->control_plane, CONTROL },
		{ f->first, FIRST },
		{ f->completed, COMPLETED },
		{ f->has_kubelet_conf, CONF },
		{ f->has_etcd_data, ETCD },
		{ f->started, STARTED },
		{ f->was_healthy, HEALTHY },
		{ f->kubelet_active, ACTIVE },
		{ f->api_serves, API },
		{ f->expired, EXPIRED },
		{ f->foreign, FOREIGN },
		{ f->etcd_damaged, DAMAGED },
		{ f->has_snapshot, SNAPSHOT },
		{ f->snapshots_silent, QUIET },
		{ f->restored, RESTORED },
		{ f->forced, FORCED },
		{ f->was_healthy || f->restored, LIVED },
		{ f->clock_off, CLOCK },
	};
	unsigned sum = 0;
	size_t i;

	for (i = 0; i < COUNT(all); i++)
		sum |= all[i].is ? all[i].bit : 0;
	return sum;
}

struct decision decide(const struct decide_facts *facts)
{
	unsigned now = bits(facts);
	unsigned peers = 1u << facts->peers;
	size_t i = 0;

	/* The last row matches everything. */
	while ((now & rows[i].look) != rows[i].set || (rows[i].peers && !(rows[i].peers & peers)))
		i++;
	return (struct decision){ rows[i].action, rows[i].reset, rows[i].reason };
}

const char *decide_action_name(enum decide_action action)
{
	return action_names[action];
}
