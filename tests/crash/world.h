/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "base/text.h"

struct model;

/*
 * The world around the step `cluster`: systemd, kubelet, kubeadm, etcd and the API server, as far
 * as files and answers go. They stand in for units.c, api.c and run(); like the real ones they sync
 * only etcd's data, and refuse what is half made.
 */

enum mark { MARK_HEALTHY = 1, MARK_DONE, MARK_RESET, MARK_CLUSTER };

struct world {
	int root;
	bool control_plane;
	bool kubelet_active;
	unsigned clusters; /* how many etcd clusters began in this world */
	unsigned resets;
	unsigned long long asked;
	/* What the programs do instead of their work, in turn; 0: their work. */
	enum lie { LIE_NONE, LIE_FAIL, LIE_FAIL_DONE, LIE_DONE_NOTHING, LIE_HALF, N_LIES } lie;
	unsigned lies_left;
	/* The API server of another machine (for workers), or a trouble of ours. */
	enum trouble {
		TROUBLE_NONE,
		TROUBLE_REFUSED,
		TROUBLE_SILENT,
		TROUBLE_FOREIGN,
		TROUBLE_401,
		TROUBLE_403,
		TROUBLE_409,
		TROUBLE_429,
		TROUBLE_500,
		TROUBLE_HALF,
		TROUBLE_RUBBISH,
		TROUBLE_BUS,
		N_TROUBLES
	} trouble;
	unsigned troubles_left;
};

extern struct world world;

/* Makes the keys that everybody here uses, signed by the CAs below secrets; once. */
void world_make_keys(const char *secrets);

/* Switches the machine on: kubelet may come up before anybody asks. */
void world_power_on(int root, bool control_plane, bool kubelet_is_early);

/* Lays out a member as it was a year ago, or without kubelet's certificate. */
void world_expire(int root, bool control_plane);

/* The number of the cluster whose data lies at root; 0: none. */
unsigned world_cluster(int root);

/* Makes a snapshot of a cluster with that number. */
void world_put_snapshot(int root, const char *path, unsigned cluster);
