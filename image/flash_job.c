/* SPDX-License-Identifier: MIT */
#include "image/flash_job.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/macros.h"
#include "cluster/model.h"
#include "cluster/seed.h"
#include "image/flash_ext4.h"
#include "image/sums_file.h"

enum { MAX_PARTITIONS = 128 };

static const struct flash_job empty = {
	.target = { .fd = -1 }, .table = { .fd = -1 }, .verify = true, .r = 1
};

void flash_job_done(struct flash_job *job)
{
	flash_map_done(&job->map);
	flash_table_done(&job->table);
	flash_proof_done(&job->proof);
	flash_source_done(&job->source);
	target_done(&job->target);
}

int flash_job_open(struct flash_job *job, int root, const struct model *m,
		   const struct model_node *node, const char *image, const char *device,
		   struct fault *why)
{
	struct flash_source source = { 0 };
	int r = flash_source_open(image, &source, why);

	if (r == 0)
		return flash_job_take(job, root, m, node, &source, device, why);
	*job = empty;
	return fault_wrap(why, "node '%s'", node->name);
}

int flash_job_take(struct flash_job *job, int root, const struct model *m,
		   const struct model_node *node, struct flash_source *source, const char *device,
		   struct fault *why)
{
	int r;

	*job = empty;
	job->model = m;
	job->node = node;
	job->source = *source;
	*source = (struct flash_source){ 0 };
	r = target_open(root, device, TARGET_TO_WRITE, &job->target, why);
	if (r < 0)
		return fault_wrap(why, "node '%s'", node->name);
	job->want = (struct target_want){ .node = node->name,
					  .cluster = m->name,
					  .disk = &node->disk,
					  .data = &node->data,
					  .image_bytes = job->source.size };
	target_judge(&job->target.facts, &job->want, &job->verdict);
	return 0;
}

int flash_job_look(struct flash_job *job, int root, struct fault *why)
{
	struct target_facts now;
	int r = target_look(root, &job->target, &now, why);

	if (r < 0)
		return r;
	target_compare(&job->target.facts, &now);
	job->target.facts = now;
	target_judge(&now, &job->want, &job->verdict);
	return 0;
}

int flash_job_prove(struct flash_job *job, const char *image, const struct sums_key *key,
		    struct progress *progress, struct fault *why)
{
	const struct flash_claim claim = { image, job->node->name, key, progress };
	int r = flash_proof_open(&job->proof, &job->source, &claim, why);

	job->key = key ? key->name : NULL;
	return r < 0 ? fault_wrap(why, "node '%s'", job->node->name) : 0;
}

/* An image without a seed, or with another node's, would be the wrong machine for good. */
static int check_seed(const struct flash_job *job, const struct target_partition *parts, int n,
		      struct fault *why)
{
	struct target_seed seed = { 0 };
	int i, r;

	for (i = 0; i < n && strcmp(parts[i].name, SEED_LABEL) != 0; i++)
		;
	if (i == n)
		return fault_set(why, ENODATA, "the image has no seed: rackseed build %s makes one",
				 job->node->name);
	r = target_seed_read(flash_source_read, &job->source, &parts[i], &seed, why);
	if (r < 0)
		return fault_wrap(why, "the image");
	if (strcmp(seed.node, job->node->name) != 0 || strcmp(seed.cluster, job->model->name) != 0)
		return fault_set(why, EINVAL,
				 "the image is node '%s' of cluster '%s', not node '%s' of '%s'",
				 seed.node, seed.cluster, job->node->name, job->model->name);
	return 0;
}

static int by_start(const void *a, const void *b)
{
	const struct flash_range *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

static int partition_by_start(const void *a, const void *b)
{
	const struct target_partition *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* Nobody reads what lies outside of every partition: a disk for a VM is mostly that. */
static int add_gaps(struct target_partition *parts, int n, uint64_t end,
		    struct flash_ranges *unused)
{
	uint64_t at = FLASH_HEAD;
	int i, r = 0;

	if (n)
		qsort(parts, (size_t)n, sizeof(*parts), partition_by_start);
	for (i = 0; r == 0 && i < n; i++) {
		if (parts[i].start > at)
			r = flash_ranges_add(unused, at, parts[i].start - at);
		if (parts[i].start + parts[i].length > at)
			at = parts[i].start + parts[i].length;
	}
	return r == 0 && at < end ? flash_ranges_add(unused, at, end - at) : r;
}

static int make_map(struct flash_job *job, struct target_partition *parts, int n, struct fault *why)
{
	scoped(flash_ranges_done) struct flash_ranges unused = { 0 };
	int i, r = 0;

	if (add_gaps(parts, n, job->table.image_end, &unused) < 0)
		return fault_errno(why, ENOMEM, "partitions of the image");
	for (i = 0; r == 0 && i < n; i++)
		r = flash_ext4_unused(&job->source, &parts[i], &unused, why);
	if (r < 0)
		return r;
	if (unused.n)
		qsort(unused.list, unused.n, sizeof(*unused.list), by_start);
	return flash_map_make(&job->source, unused.list, unused.n, FLASH_HEAD, job->table.image_end,
			      &job->map, why);
}

static void drop_partitions(struct target_partition **p)
{
	free(*p);
}

int flash_job_plan(struct flash_job *job, struct fault *why)
{
	scoped(drop_partitions) struct target_partition *parts =
		calloc(MAX_PARTITIONS, sizeof(*parts));
	uint64_t size = job->target.facts.size_bytes;
	int n, r;

	if (!parts)
		return fault_errno(why, ENOMEM, "partitions of the image");
	r = flash_table_make(&job->source, size ? size : job->source.size, &job->table, why);
	if (r < 0)
		return fault_wrap(why, "node '%s'", job->node->name);
	n = target_partitions(job->table.fd, parts, MAX_PARTITIONS, why);
	r = n < 0 ? n : check_seed(job, parts, n, why);
	if (r == 0)
		r = make_map(job, parts, n, why);
	return r < 0 ? fault_wrap(why, "node '%s'", job->node->name) : 0;
}
