/* SPDX-License-Identifier: MIT */
#pragma once

/* The unit that mounts a node's disk for data; how it begins tells ours from other people's. */

#define PLAN_DATA_UNIT "srv.mount"
#define PLAN_DATA_PATH "/etc/systemd/system/" PLAN_DATA_UNIT
#define PLAN_DATA_HEAD                                                                             \
	"# Written by rackseed from cluster.yaml; changes here do not last.\n"                     \
	"[Unit]\n"
