/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fault;
struct text;

/* What a node remembers from boot to boot: one small file, written whole or not at all. */

struct state {
	bool init_started, join_started; /* kubeadm was let loose */
	bool completed;			 /* and came to its end once: never reset from here on */
	bool healthy;			 /* an API server of ours answered once */
	bool restored;			 /* a snapshot was put into etcd, or is about to be */
	bool anew;			 /* the cluster began over one whose data was lost */
	int64_t saved_time;		 /* a time that is past for certain, in seconds; 0: none */
	int64_t began; /* when a cluster began on this disk, by init or from a snapshot; 0: never */
	int64_t snapshot; /* the time of the snapshot that it began from; 0: from none */
};

#define STATE_PATH "/var/lib/rackseed/state"

enum state_outcome { STATE_READ = 0, STATE_ABSENT = 1, STATE_DAMAGED = 2 };

void state_render(const struct state *state, struct text *out) __attribute__((nonnull));

/* "it began anew on … from the snapshot of …", or nothing: for people. */
void state_tell_beginning(const struct state *state, struct text *out) __attribute__((nonnull));

/*
 * STATE_READ, or STATE_DAMAGED for anything that state_render() did not write whole; *ret is then
 * empty, and what else lies on the disk decides.
 */
int state_parse(const char *bytes, size_t len, struct state *ret)
	__attribute__((nonnull, warn_unused_result));

/* Any outcome of the enum is fine to go on with; negative: the disk does not answer. */
int state_load(int root, struct state *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* FS_SAME when that is what the file holds already. */
int state_save(int root, const struct state *state, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
