/* SPDX-License-Identifier: MIT */
#include "image/command.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/quote.h"
#include "base/text.h"
#include "cluster/model.h"
#include "cluster/seed.h"
#include "image/build.h"
#include "image/build_out.h"
#include "image/golden.h"
#include "image/release.h"
#include "image/seeding.h"
#include "image/stamp.h"
#include "image/stick.h"
#include "image/tools.h"

#define EPOCH 1767225600 /* 2026-01-01: later than no file of these releases' media */

/* One run of the command. */
struct job {
	const struct invocation *in;
	struct model model;
	struct text source;
	struct build build;
	struct build_out out;
	struct golden goldens[RELEASE_N_USES]; /* by their uses; key "" : not asked for yet */
	bool listed[RELEASE_N_USES]; /* and whether what is in it stands beside the disks */
	char *folder_path, *node_tree;
	enum stamp_format format;
};

static void job_done(struct job *j)
{
	size_t i;

	for (i = 0; i < RELEASE_N_USES; i++)
		golden_done(&j->goldens[i]);
	build_out_done(&j->out);
	cache_done(&j->build.cache);
	drop_fd(&j->build.folder);
	text_done(&j->source);
	model_done(&j->model);
	free(j->folder_path);
	free(j->node_tree);
}

static bool is_meant(const struct job *j, const struct model_node *node)
{
	const char *given;
	size_t i, n;

	for (i = 0; i < j->in->n_args; i++)
		if (strcmp(j->in->args[i], node->name) == 0)
			return true;
	given = command_value(j->in, "nodes");
	for (; given && *given; given += n + (given[n] == ',')) {
		n = strcspn(given, ",");
		if (strlen(node->name) == n && strncmp(given, node->name, n) == 0)
			return true;
	}
	return j->in->n_args == 0 && !command_value(j->in, "nodes");
}

static bool choose_format(struct job *j)
{
	const char *given = command_value(j->in, "format");
	enum stamp_format f;

	for (f = 0; f < STAMP_N_FORMATS; f++)
		if (strcmp(given ? given : "qcow2", stamp_format_name(f)) == 0) {
			j->format = f;
			return true;
		}
	fprintf(stderr, "rackseed: no such format '%s': raw or qcow2\n", given);
	return false;
}

static int choose_epoch(struct job *j, struct fault *why)
{
	const char *given = getenv("SOURCE_DATE_EPOCH");
	char *end = NULL;
	intmax_t value = given && *given ? strtoimax(given, &end, 10) : EPOCH;

	if ((end && *end) || value <= 0 || value > UINT32_MAX)
		return fault_set(why, EINVAL, "SOURCE_DATE_EPOCH: '%s' is no time", given);
	j->build.epoch = (int64_t)value;
	return 0;
}

/* What is missing is said before the long work, not after it. */
static int check_secrets(struct job *j, struct fault *why)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < j->model.n_nodes; i++) {
		scoped(seed_done) struct seed seed = { 0 };
		char sum[DIGEST_LEN];

		if (is_meant(j, &j->model.nodes[i]))
			r = seeding_gather(&j->build, &j->model.nodes[i], &seed, sum, why);
	}
	return r;
}

static int prepare(struct job *j, struct fault *why)
{
	struct build *b = &j->build;
	int r = choose_epoch(j, why);

	progress_init(&b->progress, j->in->quiet);
	b->model = &j->model;
	b->source = text_str(&j->source);
	b->source_len = j->source.len;
	if (r == 0)
		r = b->folder = command_folder(j->in, why);
	if (r >= 0)
		r = build_path_of(b->folder, &j->folder_path, why);
	if (r >= 0)
		r = release_find(j->model.os.distribution, j->model.os.release, &b->release, why);
	if (r >= 0)
		r = tools_check(j->format == STAMP_QCOW2, why);
	if (r >= 0)
		r = tools_node_tree(&j->node_tree, why);
	b->folder_path = j->folder_path;
	b->node_tree = j->node_tree;
	if (r >= 0)
		r = check_secrets(j, why);
	if (r >= 0)
		r = build_out_open(&j->out, b, command_value(j->in, "out"), why);
	if (r >= 0)
		r = cache_open(&b->cache, why);
	if (r >= 0)
		r = cache_lock(&b->cache, &b->progress, why);
	return r < 0 ? r : build_out_read(&j->out, b, why);
}

static int get_golden(struct job *j, unsigned uses, struct fault *why)
{
	struct golden *g = &j->goldens[uses];
	int r = g->key[0] ? 0 : golden_get(&j->build, uses, g, why);

	if (r < 0 || !(uses & RELEASE_KUBERNETES))
		return r;
	free(j->out.record.distribution);
	free(j->out.record.release);
	j->out.record.distribution = strdup(release_distribution(j->build.release->distribution));
	j->out.record.release = strdup(j->build.release->name);
	j->out.record.facts = g->facts;
	return j->out.record.release ? 0 : fault_errno(why, ENOMEM, "record");
}

/* Beside a disk that is there: a folder without room for one stays empty. */
static int place_list(struct job *j, unsigned uses, struct fault *why)
{
	int r = 0;

	if (!j->listed[uses])
		r = golden_place_sbom(&j->goldens[uses], &j->build, j->out.fd, &j->out.sums, why);
	j->listed[uses] = r == 0;
	return r;
}

/* A disk of which it is not known what it was when it was made: nobody may vouch for it now. */
static void note_unknown(struct job *j, const struct model_node *node)
{
	char name[300];

	snprintf(name, sizeof(name), "%s.%s", node->name, stamp_format_name(j->format));
	if (!sums_find(&j->out.sums, name))
		progress_note(&j->build.progress,
			      "%s/%s stays as it is, without a line in " SUMS_NAME
			      ": --force makes it anew",
			      j->out.path, name);
}

static int build_node(struct job *j, const struct model_node *node, struct fault *why)
{
	static const char *const outcomes[] = {
		[STAMP_SAME] = "up to date", [STAMP_MADE] = "made"
	};
	unsigned uses = release_uses(node);
	const struct stamp stamp = { .build = &j->build,
				     .golden = &j->goldens[uses],
				     .node = node,
				     .record = &j->out.record,
				     .sums = &j->out.sums,
				     .folder = j->out.fd,
				     .path = j->out.path,
				     .format = j->format,
				     .force = command_value(j->in, "force") != NULL };
	int r = get_golden(j, uses, why);
	int outcome;

	if (r < 0)
		return r;
	outcome = stamp_node(&stamp, why);
	if (outcome < 0)
		return outcome;
	if (outcome == STAMP_SAME)
		note_unknown(j, node);
	r = place_list(j, uses, why);
	if (r == 0 && j->format == STAMP_QCOW2)
		r = build_out_add_golden(&j->out, &j->build, stamp.golden, why);
	/* Disks that a power cut finds unrecorded are made again; each second is enough. */
	if (r == 0)
		r = build_out_save_lately(&j->out, &j->build, why);
	if (r == 0 && !j->in->json)
		printf("%s/%s.%s: %s\n", j->out.path, node->name, stamp_format_name(j->format),
		       outcomes[outcome]);
	return r;
}

/* ---- the installer stick -------------------------------------------------------------------- */

static int tell_stick(const struct job *j, struct fault *why)
{
	scoped(text_done) struct text path = { 0 };
	scoped(text_done) struct text json = { 0 };

	text_addf(&path, "%s/" STICK_NAME, j->out.path);
	quote_json(&json, text_str(&path));
	if (text_error(&path) < 0 || text_error(&json) < 0)
		return fault_errno(why, ENOMEM, STICK_NAME);
	if (j->in->json)
		printf("{\"installer\": %s}\n", text_str(&json));
	else
		printf("%s: made\n", text_str(&path));
	return 0;
}

static int make_stick(struct job *j, const char *passphrase, struct fault *why)
{
	struct stick_part *parts = calloc(j->model.n_nodes, sizeof(*parts));
	struct stick stick = { .build = &j->build,
			       .parts = parts,
			       .passphrase = passphrase,
			       .folder = j->out.fd,
			       .path = j->out.path };
	size_t i;
	int r = 0;

	if (!parts)
		return fault_errno(why, ENOMEM, STICK_NAME);
	for (i = 0; r == 0 && i < j->model.n_nodes; i++) {
		const struct model_node *node = &j->model.nodes[i];

		if (!is_meant(j, node))
			continue;
		r = get_golden(j, release_uses(node), why);
		parts[stick.n++] = (struct stick_part){ node, &j->goldens[release_uses(node)] };
	}
	if (r == 0)
		r = stick_make(&stick, why);
	for (i = 0; r == 0 && i < stick.n; i++)
		r = place_list(j, release_uses(parts[i].node), why);
	if (r == 0)
		r = sums_add_file(&j->out.sums, j->out.fd, STICK_NAME, &j->build.progress, why);
	if (r == 0)
		r = build_out_save_sums(&j->out, why);
	free(parts);
	progress_drop(&j->build.progress);
	return r == 0 ? tell_stick(j, why) : r;
}

static int build_stick(struct job *j, struct fault *why)
{
	const char *path = command_value(j->in, "passphrase");
	scoped(text_wipe) struct text passphrase = { 0 };
	int r = path ? stick_passphrase(path, &passphrase, why) : 0;

	if (r == 0)
		r = prepare(j, why);
	return r < 0 ? r : make_stick(j, path ? text_str(&passphrase) : NULL, why);
}

static int check_names(const struct job *j, struct fault *why)
{
	const char *given = command_value(j->in, "nodes");
	char name[256];
	size_t n;

	for (; given && *given; given += n + (given[n] == ',')) {
		n = strcspn(given, ",");
		snprintf(name, sizeof(name), "%.*s", n < 255 ? (int)n : 255, given);
		if (!model_node(&j->model, name))
			return fault_set(why, EINVAL, "%s: no such node: '%s'", j->in->file, name);
	}
	return 0;
}

/* ---- the command ---------------------------------------------------------------------------- */

static int build_nodes(struct job *j, struct fault *why)
{
	size_t i;
	int r = prepare(j, why);

	for (i = 0; r == 0 && i < j->model.n_nodes; i++)
		if (is_meant(j, &j->model.nodes[i]))
			r = build_node(j, &j->model.nodes[i], why);
	progress_drop(&j->build.progress);
	if (j->out.saved_s) {
		struct fault ignored = { 0 };
		int end = build_out_save(&j->out, &j->build, r < 0 ? &ignored : why);

		r = r < 0 ? r : end;
	}
	if (r == 0 && j->in->json) {
		scoped(text_done) struct text json = { 0 };

		record_render(&j->out.record, &json);
		fputs(text_str(&json), stdout);
	}
	return r;
}

static int build(const struct invocation *in, struct fault *why)
{
	scoped(job_done) struct job job = { .in = in, .build = { .folder = -1 } };
	int r;

	job.out = BUILD_OUT_EMPTY;
	job.build.cache = (struct cache){ .fd = -1, .lock_fd = -1 };
	if (!choose_format(&job))
		return EXIT_MISUSE;
	umask(022);
	r = command_load(in, &job.model, &job.source, why);
	if (r != 0)
		return r;
	r = command_nodes(in, &job.model, why);
	if (r == 0)
		r = check_names(&job, why);
	if (r < 0)
		return r;
	return command_value(in, "installer") ? build_stick(&job, why) : build_nodes(&job, why);
}

static const struct command_option options[] = {
	{ "out", "DIR", "where the disks go (default: out, beside the file)" },
	{ "format", "FORMAT", "qcow2 (default) or raw" },
	{ "nodes", "A,B", "these alone, as NODE... says it" },
	{ "installer", NULL, "one bootable image that installs whichever of the nodes it meets" },
	{ "passphrase", "FILE", "with --installer: its secrets under the first line of FILE" },
	{ "force", NULL, "make disks anew that are up to date" },
	{ NULL, NULL, NULL },
};

static const struct command_rule rules[] = {
	{ "--passphrase", "--installer", NULL },
	{ "--format", NULL, "--installer" },
	{ NULL, NULL, NULL },
};

const struct command cmd_build = {
	.name = "build",
	.synopsis = "[NODE...]",
	.help = "builds the disks of all nodes, or of those named",
	.options = options,
	.rules = rules,
	.max_args = COMMAND_MANY,
	.uses_files = true,
	.run = build,
};
