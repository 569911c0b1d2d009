/* SPDX-License-Identifier: MIT */
#include "image/install.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/machine.h"
#include "cluster/seed.h"
#include "image/disk.h"
#include "image/flash_list.h"

/* Links and disks come late: this often they are looked at, this long before one is missed. */
enum { LOOK_MS = 2000, PATIENCE_S = 20, PIECE = 1 << 20, TELL_S = 10 };

/* What is known so far. */
struct attempt {
	struct install *in;
	struct machine machine;
	const struct model_node *node;
	size_t number; /* the node's, on the stick */
	char passphrase[INSTALL_LINE];
	struct flash_job job;
};

static int64_t now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/* ---- who this machine is -------------------------------------------------------------------- */

static void tell_stranger(struct attempt *a)
{
	scoped(flash_list_done) struct flash_list disks = { 0 };
	scoped(text_done) struct text block = { 0 };
	struct target_want want = { 0 };
	struct fault ignored = { 0 };

	if (flash_list_look(a->in->root, &want, &disks, &ignored) < 0)
		disks = (struct flash_list){ 0 };
	install_print_stranger(&a->machine, &disks, a->in->stick.says.model.name, &block);
	install_console_say(&a->in->console, "%s", text_str(&block));
}

/* For ever: somebody may plug in the link that is meant. Told again when the machine changes. */
static int find_node(struct attempt *a, struct fault *why)
{
	const struct model *m = &a->in->stick.says.model;
	int64_t since = now_s();
	size_t told = SIZE_MAX;
	char line[INSTALL_LINE];
	int r;

	for (;;) {
		r = machine_read(a->in->root, true, &a->machine, why);
		if (r < 0)
			return r;
		a->node = machine_find(&a->machine, m);
		if (a->node)
			break;
		if (now_s() - since >= PATIENCE_S && told != a->machine.n_links) {
			told = a->machine.n_links;
			tell_stranger(a);
		}
		(void)install_console_ask(&a->in->console, false, LOOK_MS, line);
	}
	a->number = (size_t)(a->node - m->nodes);
	return 0;
}

/* ---- its disk ------------------------------------------------------------------------------- */

/* Asks for the passphrase until it is right, where there is one. */
static int open_source(struct attempt *a, struct flash_source *ret, struct fault *why)
{
	const struct install_stick *stick = &a->in->stick;
	int r = -EKEYREJECTED;

	while (r == -EKEYREJECTED) {
		if (stick->says.sealed && !a->passphrase[0]) {
			install_console_forget(&a->in->console);
			install_console_say(&a->in->console,
					    "\nThe stick is node '%s' for this "
					    "machine. Its passphrase: ",
					    a->node->name);
			if (!install_console_ask(&a->in->console, true, -1, a->passphrase))
				return fault_set(why, EIO, "no console to type the passphrase on");
		}
		r = install_stick_source(stick, a->number, a->passphrase, ret, why);
		if (r == -EKEYREJECTED) {
			install_console_say(&a->in->console, "%s\n", why->text);
			a->passphrase[0] = '\0';
		}
	}
	return r;
}

static int look_once(struct attempt *a, uint64_t bytes, char *ret_path, size_t size,
		     struct text *table, struct fault *why)
{
	scoped(flash_list_done) struct flash_list disks = { 0 };
	const struct target_want want = { .node = a->node->name,
					  .cluster = a->in->stick.says.model.name,
					  .disk = &a->node->disk,
					  .data = &a->node->data,
					  .image_bytes = bytes };
	size_t row;
	int r = flash_list_look(a->in->root, &want, &disks, why);

	if (r < 0)
		return r;
	flash_list_text(&disks, &a->in->stick.says.model, table);
	r = install_choose(&disks, a->node, &row, why);
	if (r == 0)
		snprintf(ret_path, size, "%s", disks.rows[row].path);
	return r;
}

/* For ever, too; what is wrong is told once, and again when it is something else. */
static int find_disk(struct attempt *a, uint64_t bytes, char *ret_path, size_t size,
		     struct fault *why)
{
	scoped(text_done) struct text told = { 0 };
	int64_t since = now_s();
	char line[INSTALL_LINE];
	int r;

	for (;;) {
		scoped(text_done) struct text table = { 0 };

		r = look_once(a, bytes, ret_path, size, &table, why);
		if (r != -ENOENT && r != -ENOTUNIQ)
			return r;
		if (now_s() - since >= PATIENCE_S &&
		    strcmp(text_str(&told), text_str(&table)) != 0) {
			install_console_say(&a->in->console, "\n*** rackseed: %s ***\n%s",
					    why->text, text_str(&table));
			text_done(&told);
			text_add(&told, text_str(&table));
		}
		(void)install_console_ask(&a->in->console, false, LOOK_MS, line);
	}
}

/* Whether the disk has this very seed: then this stick has been here before. */
static bool is_installed(const struct flash_job *job)
{
	struct fault ignored = { 0 };
	uint64_t at;
	char *there, *here;

	if (!job->target.facts.has_seed)
		return false;
	there = calloc(2, PIECE);
	here = there ? there + PIECE : NULL;
	for (at = DISK_SEED_OFFSET; there && at < DISK_SEED_OFFSET + SEED_BYTES; at += PIECE)
		if (target_read_fd(&job->target.fd, there, PIECE, at, &ignored) < 0 ||
		    flash_source_read(&job->source, here, PIECE, at, &ignored) < 0 ||
		    memcmp(there, here, PIECE) != 0)
			break;
	if (there)
		explicit_bzero(there, 2 * (size_t)PIECE);
	free(there);
	return there && at == DISK_SEED_OFFSET + SEED_BYTES;
}

static int open_job(struct attempt *a, struct fault *why)
{
	scoped(flash_source_done) struct flash_source source = { 0 };
	char path[TARGET_WORD];
	int r = open_source(a, &source, why);

	if (r == 0)
		r = find_disk(a, source.size, path, sizeof(path), why);
	if (r == 0)
		r = flash_job_take(&a->job, a->in->root, &a->in->stick.says.model, a->node, &source,
				   path, why);
	if (r == 0)
		r = flash_job_plan(&a->job, why);
	return r;
}

/* ---- consent -------------------------------------------------------------------------------- */

/* An empty disk: all the time that the file gives to pull the plug. 1: go on, 0: stopped. */
static int count_down(const struct attempt *a)
{
	const struct install_console *c = &a->in->console;
	unsigned left = a->in->stick.says.model.installer.wait_s;
	char line[INSTALL_LINE] = "";

	install_console_forget(c);
	install_console_say(c, "Writing begins in %u s. Enter: at once. Any word: not at all.\n",
			    left);
	for (; left > 0; left--) {
		if (left % TELL_S == 0 || left <= 3)
			install_console_say(c, "%u s\n", left);
		if (install_console_ask(c, false, 1000, line))
			break;
	}
	if (line[0] == '\0')
		return 1;
	install_console_say(c, "Stopped; nothing was written. Enter: from the beginning.\n");
	(void)install_console_ask(c, false, -1, line);
	return 0;
}

/* What is on it is lost only when somebody says so who stands before it. */
static int ask_for_word(const struct attempt *a)
{
	const struct install_console *c = &a->in->console;
	const struct target_facts *f = &a->job.target.facts;
	char word[INSTALL_LINE];

	install_console_forget(c);
	install_console_say(c, "What is on it will be lost. Type its %s to go on: ",
			    f->serial[0] ? "serial"
			    : f->wwn[0]	 ? "WWN"
					 : "name");
	if (install_console_ask(c, false, -1, word) &&
	    target_consents(f, &a->job.verdict, a->job.target.path, word, true))
		return 1;
	install_console_say(c, "That was not it; nothing was written.\n");
	return 0;
}

/* 1: go on; 0: from the beginning. */
static int consent(struct attempt *a, struct fault *why)
{
	scoped(text_done) struct text plan = { 0 };
	int r;

	install_print_plan(&a->machine, &a->job, &plan);
	install_console_say(&a->in->console, "%s", text_str(&plan));
	r = a->job.verdict.n ? ask_for_word(a) : count_down(a);
	if (r <= 0)
		return r;
	r = flash_job_look(&a->job, a->in->root, why);
	if (r < 0)
		return r;
	if (target_weight(&a->job.verdict) == TARGET_REFUSED)
		return fault_set(why, EBUSY, "'%s': %s", a->job.target.path,
				 a->job.verdict.reasons[0].text);
	return 1;
}

/* ---- writing -------------------------------------------------------------------------------- */

struct teller {
	const struct attempt *a;
	atomic_bool stop;
};

/* A line per phase and every ten seconds, as serial lines are slow; the last one always. */
static void *tell_progress(void *data)
{
	static const struct timespec pause = { .tv_nsec = 200000000 };
	struct teller *t = data;
	struct flash_progress *p = (struct flash_progress *)(uintptr_t)&t->a->job.progress;
	int64_t since = now_s(), told = since;
	int shown = FLASH_WAITING;
	bool last;

	do {
		scoped(text_done) struct text line = { 0 };
		int phase;

		last = atomic_load(&t->stop);
		if (!last)
			nanosleep(&pause, NULL);
		phase = atomic_load(&p->phase);
		if (phase == shown && now_s() - told < TELL_S)
			continue;
		since = phase == shown ? since : now_s();
		told = now_s();
		shown = phase;
		flash_progress_text((enum flash_phase)phase, atomic_load(&p->done),
				    atomic_load(&p->total), (uint64_t)(told - since) * 1000, &line);
		install_console_say(&t->a->in->console, "%s: %s\n", t->a->node->name,
				    text_str(&line));
	} while (!last);
	return NULL;
}

static int write_disk(struct attempt *a, struct fault *why)
{
	struct teller teller = { .a = a };
	scoped(text_done) struct text report = { 0 };
	pthread_t thread;
	int r = pthread_create(&thread, NULL, tell_progress, &teller);

	if (r != 0)
		return fault_errno(why, r, "starting to write");
	r = flash_jobs_run(&a->job, 1, false, true, why);
	atomic_store(&teller.stop, true);
	pthread_join(thread, NULL);
	if (r == 0 && a->job.r < 0) {
		*why = a->job.why;
		r = a->job.r;
	}
	if (r < 0)
		return fault_wrap(why, "'%s'", a->job.target.path);
	flash_report_text(&a->job, 1, &report);
	install_console_say(&a->in->console, "%s", text_str(&report));
	return 0;
}

/* ---- all of it ------------------------------------------------------------------------------ */

enum outcome { OUTCOME_NOTHING, OUTCOME_WRITTEN, OUTCOME_OVER };

static int attempt(struct attempt *a, struct fault *why)
{
	int r = find_node(a, why);

	if (r == 0)
		r = open_job(a, why);
	if (r < 0)
		return r;
	if (!a->in->again && is_installed(&a->job)) {
		install_console_say(&a->in->console,
				    "\n*** rackseed: '%s' IS NODE '%s' ALREADY, FROM THIS STICK "
				    "***\nNothing is written. Take the stick out and reboot.\n",
				    a->job.target.path, a->node->name);
		return OUTCOME_NOTHING;
	}
	r = consent(a, why);
	if (r <= 0)
		return r < 0 ? r : OUTCOME_OVER;
	r = write_disk(a, why);
	return r < 0 ? r : OUTCOME_WRITTEN;
}

int install_run(struct install *in, struct fault *why)
{
	struct attempt a = { .in = in };
	char line[INSTALL_LINE];
	int r;

	for (;;) {
		a.job = (struct flash_job){ .target = { .fd = -1 }, .table = { .fd = -1 } };
		r = attempt(&a, why);
		flash_job_done(&a.job);
		if (r == -ECANCELED || r == OUTCOME_NOTHING || r == OUTCOME_WRITTEN)
			break;
		if (r == OUTCOME_OVER)
			continue;
		install_console_say(&in->console, "\n*** rackseed: %s ***\nEnter: once more.\n",
				    why->text);
		if (!install_console_ask(&in->console, false, -1, line))
			break;
	}
	explicit_bzero(a.passphrase, sizeof(a.passphrase));
	return r < 0 ? r : r == OUTCOME_WRITTEN;
}
