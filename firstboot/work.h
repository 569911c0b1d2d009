/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

#include "base/fault.h"
#include "cluster/decide.h"

struct node;
struct sd_bus;
struct text;

/* One run of the step cluster, for the files that it is made of and for nobody else. */
struct work {
	struct node *node;
	struct sd_bus *bus;
	struct decide_facts facts;
	struct decision decision;
	struct fault api; /* why the API server does not serve */
	int64_t asked_ms; /* when its health was last asked for */
};

/* ---- cluster.c ---- */

int work_save(struct work *w, struct fault *why);
int work_save_synced(struct work *w, struct fault *why);
void work_note(struct work *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool work_alive(void *work);

/* The fault, as a wait for the API server; the server's name goes before its cause once. */
int work_wait_server(struct work *w, struct fault *why);

/* Starts kubelet over what is there and sees that the node is a member. */
int work_start(struct work *w, struct fault *why);

/* Remembers a kubeadm that came to its end: only once all that it wrote is on the disk. */
int work_complete(struct work *w, struct fault *why);

/* ---- kubeadm.c: what kubeadm does ---- */

enum { WORK_KUBELET_S = 90 };
#define WORK_KUBELET "kubelet.service"

/* Waits for a kubeadm that outlived the service that started it. */
int work_rejoin(struct work *w, struct fault *why);

int work_init(struct work *w, struct fault *why);
int work_join(struct work *w, struct fault *why);
int work_resume_init(struct work *w, struct fault *why);
int work_resume_join(struct work *w, struct fault *why);
int work_reset(struct work *w, struct fault *why);

/* Over what lies here: kubeadm's complaints of files that exist are passed over. */
int work_init_over(struct work *w, struct fault *why);
int work_join_over(struct work *w, struct fault *why);

/* A program as a unit of its own, argv[0] absolute. */
int work_program(struct work *w, const char *unit, const char *description, const char *const *argv,
		 unsigned limit_s, struct fault *why);

/* ---- member.c: members whose files or certificates are not what they must be ---- */

/* Before kubelet of a member starts: mends its files, renews what is over soon. STEP_SAME, … */
int work_mend(struct work *w, struct fault *why);
int work_renew(struct work *w, struct fault *why);

/* ---- restore.c: control planes whose etcd data is lost ---- */

int work_restore(struct work *w, struct fault *why);
int work_replace(struct work *w, struct fault *why);
int work_anew(struct work *w, struct fault *why);
