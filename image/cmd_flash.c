/* SPDX-License-Identifier: MIT */
#include "image/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/model.h"
#include "image/flash_job.h"
#include "image/flash_list.h"
#include "image/progress.h"
#include "image/sums_file.h"

enum { MAX_JOBS = 16, WORD = 256 };

struct session {
	const struct invocation *in;
	const struct model *model;
	int root;
	struct flash_job *jobs;
	size_t n;
	struct sums_key key; /* that has to vouch for the images, where is_signed */
	bool is_signed;
};

static const char *option(const struct session *s, const char *name, const char *otherwise)
{
	const char *value = command_value(s->in, name);

	return value ? value : otherwise;
}

/* ---- the disks: looked at, refused, asked about --------------------------------------------- */

/* raw before qcow2: the latter may be what a virtual machine has been running on. */
static int find_image(const struct session *s, const char *node, struct text *path,
		      struct fault *why)
{
	static const char *const suffixes[] = { "raw", "qcow2" };
	const char *given = command_value(s->in, "image");
	scoped(text_done) struct text folder = { 0 };
	size_t i;

	if (given) {
		text_add(path, given);
		return text_error(path);
	}
	command_out(s->in, &folder);
	if (text_error(&folder) < 0)
		return fault_errno(why, ENOMEM, "flash");
	for (i = 0; i < COUNT(suffixes); i++) {
		text_done(path);
		text_addf(path, "%s/%s.%s", text_str(&folder), node, suffixes[i]);
		if (text_error(path) == 0 && access(text_str(path), F_OK) == 0)
			return 0;
	}
	return fault_set(why, ENOENT, "no disk '%s/%s.raw' or .qcow2: rackseed build %s makes it",
			 text_str(&folder), node, node);
}

/* True when any is refused. All are told, so that nobody mends one thing after the other. */
static bool tell_refusals(const struct session *s)
{
	bool refused = false;
	size_t i, k;

	for (i = 0; i < s->n; i++) {
		const struct target_verdict *v = &s->jobs[i].verdict;

		if (target_weight(v) != TARGET_REFUSED)
			continue;
		refused = true;
		for (k = 0; k < v->n; k++)
			fprintf(stderr, "rackseed: '%s' is refused for node '%s': %s (%s)\n",
				s->jobs[i].target.path, s->jobs[i].node->name, v->reasons[k].text,
				v->reasons[k].code);
	}
	return refused;
}

/* Whether --yes-wipe, a list with commas, has the word for this disk. */
static bool consented_by_option(const struct session *s, const struct flash_job *job)
{
	const char *words = option(s, "yes-wipe", "");
	char word[WORD];
	size_t n;

	for (; *words; words += n + (words[n] == ',')) {
		n = strcspn(words, ",");
		snprintf(word, sizeof(word), "%.*s", (int)(n < WORD ? n : WORD - 1), words);
		if (target_consents(&job->target.facts, &job->verdict, job->target.path, word,
				    true))
			return true;
	}
	return false;
}

static bool consented_by_hand(const struct flash_job *job, struct text *what)
{
	const struct target_facts *f = &job->target.facts;
	bool by_serial = target_weight(&job->verdict) == TARGET_ASKS_SERIAL;
	const char *number = f->serial[0] ? "serial" : f->wwn[0] ? "WWN" : NULL;
	char word[WORD];

	fprintf(stderr, "%s\nIt is to become node '%s'. Type its %s%s%s to go on: ", text_str(what),
		job->node->name, number ? number : "", number && !by_serial ? " or " : "",
		number && by_serial ? "" : "name");
	fflush(stderr);
	if (!fgets(word, sizeof(word), stdin))
		return false;
	word[strcspn(word, "\r\n")] = '\0';
	return target_consents(f, &job->verdict, job->target.path, word, false);
}

static int ask(const struct session *s, const struct flash_job *job, struct fault *why)
{
	scoped(text_done) struct text what = { 0 };
	const struct target_facts *f = &job->target.facts;
	size_t i;

	if (job->verdict.n == 0 || consented_by_option(s, job))
		return 0;
	flash_job_describe(job, &what);
	for (i = 0; i < job->verdict.n; i++)
		text_addf(&what, "%s%s (%s)", i ? "; " : ": ", job->verdict.reasons[i].text,
			  job->verdict.reasons[i].code);
	if (isatty(STDIN_FILENO) != 1)
		return fault_set(why, EPERM, "%s; --yes-wipe %s says that it may be lost",
				 text_str(&what),
				 f->serial[0] ? f->serial
				 : f->wwn[0]  ? f->wwn
					      : f->name);
	if (!consented_by_hand(job, &what))
		return fault_set(why, EPERM, "'%s': that was not it; nothing was written",
				 job->target.path);
	return 0;
}

static int find_key(struct session *s, struct fault *why)
{
	scoped(drop_fd) int folder = command_folder(s->in, why);
	int r = folder < 0 ? folder : sums_key_read(folder, s->model, false, &s->key, why);

	s->is_signed = r == 1;
	return r < 0 ? r : 0;
}

static int prove(struct session *s, struct flash_job *job, struct fault *why)
{
	scoped(text_done) struct text image = { 0 };
	struct progress progress;
	int r = find_image(s, job->node->name, &image, why);

	progress_init(&progress, s->in->quiet);
	return r < 0 ? r : flash_job_prove(job, text_str(&image), s->is_signed ? &s->key : NULL,
					   &progress, why);
}

static int prove_all(struct session *s, struct fault *why)
{
	size_t i;
	int r = 0;

	if (command_value(s->in, "unsigned"))
		return 0;
	r = find_key(s, why);
	for (i = 0; r == 0 && i < s->n; i++)
		r = prove(s, &s->jobs[i], why);
	return r;
}

static int open_jobs(struct session *s, struct fault *why)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < s->in->n_args / 2; i++) {
		scoped(text_done) struct text image = { 0 };
		const struct model_node *node = model_node(s->model, s->in->args[2 * i]);

		r = find_image(s, node->name, &image, why);
		if (r == 0)
			r = flash_job_open(&s->jobs[i], s->root, s->model, node, text_str(&image),
					   s->in->args[2 * i + 1], why);
		s->jobs[i].verify = !command_value(s->in, "no-verify");
		s->n = i + 1;
	}
	return r;
}

/* Everything that may go wrong before the first byte is written. EXIT_FAILED: refused and told. */
static int prepare(struct session *s, struct fault *why)
{
	size_t i;
	int r = open_jobs(s, why);

	if (r < 0)
		return r;
	if (tell_refusals(s))
		return EXIT_FAILED;
	r = prove_all(s, why);
	for (i = 0; r == 0 && i < s->n; i++)
		r = flash_job_plan(&s->jobs[i], why);
	for (i = 0; r == 0 && i < s->n; i++)
		r = ask(s, &s->jobs[i], why);
	for (i = 0; r == 0 && i < s->n; i++)
		r = flash_job_look(&s->jobs[i], s->root, why);
	if (r < 0)
		return r;
	return tell_refusals(s) ? EXIT_FAILED : 0;
}

/* ---- the command ---------------------------------------------------------------------------- */

static int check_pairs(const struct session *s, struct fault *why)
{
	const struct invocation *in = s->in;
	size_t i, k, n = in->n_args / 2;

	if (n > MAX_JOBS)
		return fault_set(why, E2BIG, "more than %d disks in one run", MAX_JOBS);
	for (i = 0; i < n; i++) {
		if (!model_node(s->model, in->args[2 * i]))
			return fault_set(why, EINVAL, "%s: no such node: '%s'", in->file,
					 in->args[2 * i]);
		for (k = 0; k < i; k++)
			if (strcmp(in->args[2 * i], in->args[2 * k]) == 0)
				return fault_set(why, EINVAL,
						 "node '%s' is given twice: two machines would "
						 "be the same node",
						 in->args[2 * i]);
	}
	return 0;
}

static int report(const struct session *s, struct fault *why)
{
	scoped(text_done) struct text out = { 0 };
	bool failed = false;
	size_t i;

	for (i = 0; i < s->n; i++) {
		const struct flash_job *job = &s->jobs[i];

		if (job->r != 0)
			fprintf(stderr, "rackseed: '%s': %s\n", job->target.path,
				job->r < 0 ? job->why.text : "not begun");
		failed |= job->r != 0;
	}
	(s->in->json ? flash_report_json : flash_report_text)(s->jobs, s->n, &out);
	if (text_error(&out) < 0)
		return fault_errno(why, ENOMEM, "report");
	fputs(text_str(&out), stdout);
	return failed ? EXIT_FAILED : EXIT_DONE;
}

static int flash(struct session *s, struct fault *why)
{
	bool parallel = command_value(s->in, "parallel") != NULL;
	int r = check_pairs(s, why);
	size_t i;

	if (r < 0)
		return r;
	s->jobs = calloc(MAX_JOBS, sizeof(*s->jobs));
	if (!s->jobs)
		return fault_errno(why, ENOMEM, "flash");
	r = prepare(s, why);
	if (r == 0)
		r = flash_jobs_run(s->jobs, s->n, parallel, s->in->quiet, why);
	if (r == 0)
		r = report(s, why);
	for (i = 0; i < s->n; i++)
		flash_job_done(&s->jobs[i]);
	free(s->jobs);
	sums_key_done(&s->key);
	return r;
}

static int list(const struct session *s, struct fault *why)
{
	scoped(flash_list_done) struct flash_list disks = { 0 };
	scoped(flash_source_done) struct flash_source source = { 0 };
	scoped(text_done) struct text image = { 0 };
	scoped(text_done) struct text out = { 0 };
	struct target_want want = { 0 };
	const char *name = s->in->n_args ? s->in->args[0] : NULL;
	const struct model_node *node = name && s->model ? model_node(s->model, name) : NULL;
	struct fault no_image;
	int r;

	if (name && !node)
		return fault_set(why, EINVAL, "%s: no such node: '%s'", s->in->file, name);
	if (node) {
		want = (struct target_want){ .node = node->name,
					     .cluster = s->model->name,
					     .disk = &node->disk,
					     .data = &node->data };
		/* Before the first build its size is not known: then no disk is too small. */
		if (find_image(s, name, &image, &no_image) == 0 &&
		    flash_source_open(text_str(&image), &source, &no_image) == 0)
			want.image_bytes = source.size;
	}
	r = flash_list_look(s->root, &want, &disks, why);
	if (r < 0)
		return r;
	(s->in->json ? flash_list_json : flash_list_text)(&disks, s->model, &out);
	if (text_error(&out) < 0)
		return fault_errno(why, ENOMEM, "list");
	fputs(text_str(&out), stdout);
	return EXIT_DONE;
}

/* With --list the file may be missing: a disk is a disk without it, too. */
static int load(const struct invocation *in, bool lists, struct model *m, bool *ret_has_model,
		struct fault *why)
{
	*ret_has_model = !lists || in->n_args || access(in->file, F_OK) == 0;
	return *ret_has_model ? command_load(in, m, NULL, why) : 0;
}

static int flash_run(const struct invocation *in, struct fault *why)
{
	bool lists = command_value(in, "list") != NULL, has_model;
	scoped(model_done) struct model m = { 0 };
	scoped(drop_fd) int root = -1;
	struct session s = { .in = in };
	int r;

	if (lists ? in->n_args > 1 : in->n_args < 2 || in->n_args % 2) {
		fprintf(stderr, "rackseed: flash takes %s (see rackseed flash --help)\n",
			lists ? "at most one node with --list"
			      : "a node and a device, or more pairs");
		return EXIT_MISUSE;
	}
	if (command_value(in, "image") && in->n_args > 2) {
		fprintf(stderr, "rackseed: --image goes with one node only\n");
		return EXIT_MISUSE;
	}
	r = load(in, lists, &m, &has_model, why);
	if (r != 0)
		return r;
	root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return fault_errno(why, errno, "/");
	s.model = has_model ? &m : NULL;
	s.root = root;
	return lists ? list(&s, why) : flash(&s, why);
}

static const struct command_option options[] = {
	{ "out", "DIR", "where rackseed build has put the disks (default: out, beside the file)" },
	{ "image", "FILE", "this disk image, raw or qcow2, instead of the one in --out" },
	{ "parallel", NULL, "all pairs at once, not one after the other" },
	{ "yes-wipe", "SERIAL", "what is on the disk of this serial may be lost; also S1,S2" },
	{ "unsigned", NULL, "also an image that SHA256SUMS beside it does not vouch for" },
	{ "no-verify", NULL, "does not read back what was written" },
	{ "list", NULL, "shows the disks of this machine, and why one would be refused" },
	{ NULL, NULL, NULL },
};

static const struct command_rule rules[] = {
	{ "--parallel", NULL, "--list" },
	{ "--yes-wipe", NULL, "--list" },
	{ "--unsigned", NULL, "--list" },
	{ "--no-verify", NULL, "--list" },
	{ NULL, NULL, NULL },
};

const struct command cmd_flash = {
	.name = "flash",
	.synopsis = "NODE DEVICE [NODE DEVICE...]",
	.help = "writes a node's disk to a device or file, reads it back, refuses the wrong one",
	.options = options,
	.rules = rules,
	.max_args = COMMAND_MANY,
	.uses_files = true,
	.run = flash_run,
};
