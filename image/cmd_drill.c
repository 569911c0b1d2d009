/* SPDX-License-Identifier: MIT */
#include "image/command.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/model.h"
#include "image/drill.h"
#include "image/witness.h"

enum { DEFAULT_CUTS = 8, WRITE_MS = 50 };

struct drill {
	const struct invocation *in;
	const struct model *model;
	struct witness witness;
	struct drill_cut cuts[DRILL_MAX_CUTS];
	unsigned seconds[DRILL_MAX_CUTS];
	size_t n, n_done;
};

static void drill_free(struct drill *d)
{
	witness_done(&d->witness);
	free(d);
}

DEFINE_DROP(drill, struct drill *, drill_free)

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void sleep_ms(unsigned ms)
{
	struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	while (nanosleep(&pause, &pause) < 0 && errno == EINTR)
		;
}

/* ---- the machines ---- */

/* Another command, with what was given to this one, and with the switches that each needs here. */
static int run_other(const struct drill *d, const struct command *command, char *const *args,
		     size_t n, struct fault *why)
{
	static const char *const passed[] = { "out", "connect", "timeout" };
	static const char *const switches[] = { "wait", "force" };
	struct invocation other = {
		.command = command, .file = d->in->file, .quiet = true, .args = args, .n_args = n
	};
	size_t i, k;
	int r;

	for (i = 0; command->options[i].name; i++) {
		const char *name = command->options[i].name;

		for (k = 0; k < COUNT(switches); k++)
			if (strcmp(name, switches[k]) == 0)
				other.values[i] = "";
		for (k = 0; k < COUNT(passed); k++)
			if (strcmp(name, passed[k]) == 0)
				other.values[i] = command_value(d->in, name);
	}
	r = command->run(&other, why);
	if (r <= 0)
		return r;
	return fault_set(why, EREMOTEIO, "rackseed %s %s ended with %d", command->name,
			 n ? args[0] : "", r);
}

static int machines(const struct drill *d, const char *action, const struct model_node *node,
		    struct fault *why)
{
	char *const args[] = { (char *)action, node ? node->name : NULL };

	return run_other(d, &cmd_vm, args, node ? 2 : 1, why);
}

static int await_ready(const struct drill *d, struct fault *why)
{
	int r = run_other(d, &cmd_status, NULL, 0, why);

	return r < 0 ? fault_wrap(why, "not all came back by themselves") : r;
}

/* ---- cuts ---- */

static void pass_time(struct drill *d, const struct drill_cut *cut)
{
	int64_t end = now_ms() + (int64_t)cut->delay_s * 1000;
	struct fault ignored = { 0 };

	while (now_ms() < end) {
		if (cut->moment != DRILL_WRITING)
			sleep_ms((unsigned)(end - now_ms() > 0 ? end - now_ms() : 0));
		else if (witness_write(&d->witness, &ignored) < 0)
			sleep_ms(WRITE_MS);
	}
}

/* Its disk as it was built; of the whole rack, that is the end of the cluster, too. */
static int make_anew(struct drill *d, const struct model_node *node, struct fault *why)
{
	char *const args[] = { node ? node->name : NULL };

	if (!node)
		witness_forget(&d->witness);
	return run_other(d, &cmd_build, args, node ? 1 : 0, why);
}

/* Those that are cut while they start are started for it: a cut before the one that counts. */
static int reach_moment(struct drill *d, const struct drill_cut *cut, struct fault *why)
{
	int r = 0;

	if (drill_starts(cut->moment)) {
		r = machines(d, "cut", cut->node, why);
		if (r >= 0 && cut->moment == DRILL_FIRST_BOOT)
			r = make_anew(d, cut->node, why);
		if (r >= 0)
			r = machines(d, "up", cut->node, why);
	}
	if (r >= 0)
		pass_time(d, cut);
	return r;
}

static int one_cut(struct drill *d, size_t i, struct fault *why)
{
	const struct drill_cut *cut = &d->cuts[i];
	scoped(text_done) struct text line = { 0 };
	int64_t begin_ms;
	int r;

	drill_tell(cut, i + 1, d->n, &line);
	printf("%s\n", text_str(&line));
	fflush(stdout);
	r = reach_moment(d, cut, why);
	if (r >= 0)
		r = machines(d, "cut", cut->node, why);
	sleep_ms(cut->off_s * 1000);
	begin_ms = now_ms();
	if (r >= 0)
		r = machines(d, "up", cut->node, why);
	if (r >= 0)
		r = await_ready(d, why);
	if (r >= 0)
		r = witness_check(&d->witness, why);
	if (r < 0)
		return fault_wrap(why, "cut %zu of %zu", i + 1, d->n);
	d->seconds[d->n_done++] = (unsigned)((now_ms() - begin_ms) / 1000);
	printf("  all Ready after %u s, data there, same cluster\n", d->seconds[d->n_done - 1]);
	return 0;
}

/* ---- the command ---- */

static int drill_all(struct drill *d, uint64_t seed, struct fault *why)
{
	struct drill_summary sum;
	size_t i;
	int r = machines(d, "up", NULL, why);

	printf("seed %" PRIu64 "\n", seed);
	if (r >= 0)
		r = await_ready(d, why);
	if (r >= 0)
		r = witness_check(&d->witness, why);
	for (i = 0; r >= 0 && i < d->n; i++)
		r = one_cut(d, i, why);
	if (d->n_done > 0) {
		size_t done = d->n_done;

		sum = drill_sum_up(d->seconds, done);
		printf("%zu of %zu cuts recovered: minimum %u s, median %u s, worst %u s\n", done,
		       d->n, sum.min_s, sum.median_s, sum.worst_s);
	}
	return r < 0 ? fault_wrap(why, "seed %" PRIu64, seed) : EXIT_DONE;
}

static int run_drill(const struct invocation *in, struct fault *why)
{
	scoped(model_done) struct model m = { 0 };
	scoped(drop_drill) struct drill *d = calloc(1, sizeof(*d));
	scoped(drop_fd) int folder = -1;
	uint64_t cuts = DEFAULT_CUTS, seed = (uint64_t)time(NULL), ignored;
	int r = command_number(in, "cuts", 1, DRILL_MAX_CUTS, &cuts);

	if (!d)
		return fault_errno(why, ENOMEM, "drill");
	if (r == 0)
		r = command_number(in, "seed", 0, UINT64_MAX, &seed);
	/* status is what obeys it: not after the first cut is it to be found wrong. */
	if (r == 0)
		r = command_number(in, "timeout", 1, INT32_MAX, &ignored);
	if (r == 0)
		r = command_load(in, &m, NULL, why);
	if (r != 0)
		return r;
	*d = (struct drill){ .in = in, .model = &m };
	d->n = (size_t)cuts;
	if (drill_plan(&m, seed, command_value(in, "anew") != NULL, d->cuts, d->n) == 0)
		return fault_set(why, ENOENT, "no node of %s has vm:", in->file);
	if (command_value(in, "plan")) {
		for (size_t i = 0; i < d->n; i++) {
			scoped(text_done) struct text line = { 0 };

			drill_tell(&d->cuts[i], i + 1, d->n, &line);
			printf("%s\n", text_str(&line));
		}
		return EXIT_DONE;
	}
	folder = command_folder(in, why);
	r = folder < 0 ? folder : witness_open(&d->witness, &m, folder, why);
	return r < 0 ? r : drill_all(d, seed, why);
}

static const struct command_option options[] = {
	{ "cuts", "N", "how many power cuts, default 8" },
	{ "seed", "S", "repeats the drill that printed this seed" },
	{ "anew", NULL,
	  "also builds machines anew and cuts their first boot: what they held is lost" },
	{ "plan", NULL, "prints the cuts and makes none" },
	{ "out", "DIR", "where the disks are (default: out, beside the file)" },
	{ "connect", "URI", "the libvirt to use, default qemu:///system" },
	{ "timeout", "SECONDS", "how long a recovery may take, default for ever" },
	{ NULL, NULL, NULL },
};

static const struct command_rule rules[] = {
	{ "--json", NULL, NULL },     { "--out", NULL, "--plan" },
	{ "--connect", NULL, "--plan" }, { "--timeout", NULL, "--plan" },
	{ NULL, NULL, NULL },
};

const struct command cmd_drill = {
	.name = "drill",
	.synopsis = "",
	.help = "cuts the power of the machines at seeded moments and checks that all comes back",
	.options = options,
	.rules = rules,
	.run = run_drill,
};
