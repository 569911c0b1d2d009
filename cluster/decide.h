/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

/*
 * What a Kubernetes node does at boot, from what was found: one pure function over a table.
 * Never reset what was once complete; silence of a peer is not absence.
 */

enum decide_peers {			/* what the other control planes say */
		    DECIDE_NO_PEERS,	/* there are none in the file */
		    DECIDE_PEER_SERVES, /* a cluster answers */
		    DECIDE_PEERS_EMPTY, /* all answer, none has etcd data */
		    DECIDE_PEER_SILENT, /* at least one does not answer and none serves */
		    DECIDE_N_PEERS,
};

struct decide_facts {
	bool control_plane;    /* this node's role */
	bool first;	       /* the first control plane of the file */
	bool completed;	       /* our journal says that init or join once completed */
	bool has_kubelet_conf; /* kubelet.conf with a certificate that is valid for our CA */
	bool has_etcd_data;    /* /var/lib/etcd/member */
	bool started;	       /* our journal says that init or join was begun */
	bool was_healthy;      /* an API server of ours was ever healthy */
	bool kubelet_active;
	bool api_serves; /* the endpoint answers with our CA (what a join needs) */

	/* kubelet's certificate where it is not a valid one. */
	bool expired; /* of our CA, and over or not begun */
	bool foreign; /* of another CA */

	bool etcd_damaged; /* etcd data lies here that no etcd would start from; not has_etcd_data
			    */
	bool has_snapshot; /* a verified one is within reach */
	bool snapshots_silent; /* the place that the file names for them cannot be looked at */
	bool restored; /* our journal says that a snapshot was put here, or was about to be */
	bool forced;   /* an operator takes the silence of others upon himself */
	bool clock_off; /* it shows a time at which the cluster's CA is not valid */
	enum decide_peers peers;
};

enum decide_action {
	DECIDE_NOTHING, /* a member and running */
	DECIDE_START,	/* a member: start kubelet */
	DECIDE_INIT,
	DECIDE_JOIN,
	DECIDE_RESUME_INIT, /* init was interrupted: reset what it half made if .reset, then init */
	DECIDE_RESUME_JOIN, /* join was interrupted: reset if .reset, then join */
	DECIDE_RENEW,	    /* a member whose kubelet needs a new certificate: make it, start */
	DECIDE_RESTORE,	    /* the newest snapshot into etcd, then init over it */
	DECIDE_REPLACE,	 /* a member that lost its etcd data: leave etcd, join over what is here */
	DECIDE_ANEW,	 /* by an operator's word: set etcd data aside, init over what is here */
	DECIDE_WAIT_API, /* for the API server */
	DECIDE_WAIT_PEERS,     /* for control planes that do not answer */
	DECIDE_WAIT_SNAPSHOTS, /* for the place of the snapshots */
	DECIDE_WAIT_CLOCK,     /* for the right time */
	DECIDE_REFUSE,	       /* unknown state, left alone */
	DECIDE_N_ACTIONS,
};

struct decision {
	enum decide_action action;
	/*
	 * `kubeadm reset` comes first. Without it nothing is removed: the phases run again over
	 * what they made (kubeadm's preflight complaints about files that exist are to be passed
	 * over).
	 */
	bool reset;
	const char *reason; /* one sentence, static */
};

struct decision decide(const struct decide_facts *facts) __attribute__((nonnull));
const char *decide_action_name(enum decide_action action);
