/* SPDX-License-Identifier: MIT */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/fault.h"
#include "image/flash_map.h"
#include "image/flash_proof.h"
#include "image/flash_source.h"
#include "image/flash_table.h"
#include "image/flash_write.h"
#include "image/target_probe.h"

struct model;
struct progress;
struct sums_key;
struct text;

/* One node that becomes one disk, from the first look to the last byte. */

struct flash_job {
	const struct model *model;
	const struct model_node *node;
	struct target target;
	struct target_want want;
	struct target_verdict verdict;
	struct flash_source source;
	struct flash_table table;
	struct flash_map map;
	struct flash_proof proof; /* empty: nobody vouches for the image */
	const char *key;	  /* what has signed it, or NULL */
	bool verify;
	struct flash_progress progress;
	struct flash_result result;
	int r; /* how it ended: 0, 1: not begun, or a fault */
	struct fault why;
	pthread_t thread;
};

/* Opens image and device and judges the device: see job->verdict. Nothing is written. */
int flash_job_open(struct flash_job *job, int root, const struct model *m,
		   const struct model_node *node, const char *image, const char *device,
		   struct fault *why) __attribute__((nonnull, warn_unused_result));

/* The same of an image that is open already, which the job owns from then on. */
int flash_job_take(struct flash_job *job, int root, const struct model *m,
		   const struct model_node *node, struct flash_source *source, const char *device,
		   struct fault *why) __attribute__((nonnull, warn_unused_result));

/*
 * Looks whether the image is what SHA256SUMS beside it tells of, which key has to have signed
 * unless it is NULL; large files are judged while they are written. See flash_proof_open().
 */
int flash_job_prove(struct flash_job *job, const char *image, const struct sums_key *key,
		    struct progress *progress, struct fault *why)
	__attribute__((nonnull(1, 2, 4, 5), warn_unused_result));

/* Looks into the image: that it is this node's, and what of it must be written. */
int flash_job_plan(struct flash_job *job, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Looks at the device again, through the same fd, and judges again. */
int flash_job_look(struct flash_job *job, int root, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * Writes them, at once when parallel, else one after the other until one fails. Shows progress on
 * stderr unless quiet. SIGINT, SIGTERM and SIGHUP stop all. Each job's r and why tell the end.
 */
int flash_jobs_run(struct flash_job *jobs, size_t n, bool parallel, bool quiet, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

void flash_job_done(struct flash_job *job);

/* What the disks are now, in words for people (those that are done) or as a JSON array (all). */
void flash_report_text(const struct flash_job *jobs, size_t n, struct text *out)
	__attribute__((nonnull));
void flash_report_json(const struct flash_job *jobs, size_t n, struct text *out)
	__attribute__((nonnull));

/* "'/dev/sdb' (Samsung SSD 870, serial S6Z1NX0T, 447.1 GiB)". */
void flash_job_describe(const struct flash_job *job, struct text *out) __attribute__((nonnull));
