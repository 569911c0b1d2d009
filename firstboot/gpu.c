/* SPDX-License-Identifier: MIT */
#include "firstboot/gpu.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "base/yaml.h"
#include "cluster/gpu.h"
#include "firstboot/node.h"
#include "firstboot/tasks.h"

DEFINE_DROP(bus, struct sd_bus *, units_close)

#define SPEC_TEMP GPU_RUN_D "/nvidia.yaml"
#define SMI_TEMP GPU_RUN_D "/smi.csv"

enum { LOOKS_MAX = 8, AGAIN_S = 600, TOOL_S = 180, FILE_MAX = 4 << 20 };

/* What an earlier look learned: a tool is not run every minute to hear the same. */
struct gpu_memory {
	struct gpu_facts facts;
	int64_t tried_s, tested_s; /* monotonic; of the refusals, of the test */
};

/* One run of the step. */
struct gpu_work {
	struct node *node;
	const struct gpu_hands *hands;
	struct gpu_facts f;
	struct gpu_memory *memory;
	bool changed;
};

static int64_t now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static int recall(struct gpu_work *w, struct fault *why)
{
	struct gpu_memory *memory = w->node->gpu_memory;

	if (!memory)
		memory = w->node->gpu_memory = calloc(1, sizeof(*memory));
	if (!memory)
		return fault_errno(why, ENOMEM, "GPUs");
	w->memory = memory;
	w->f = memory->facts;
	w->f.vendor = gpu_vendor_of(w->node->self);
	w->f.wanted = w->node->self->gpu_count;
	w->f.fabric = false;
	if (w->f.loaded || now_s() - memory->tried_s >= AGAIN_S)
		w->f.refusal[0] = w->f.fabric_refusal[0] = '\0';
	if (now_s() - memory->tested_s >= AGAIN_S)
		w->f.tested = false;
	return 0;
}

/* ---- what there is to do ---- */

static void remember_refusal(struct gpu_work *w, char *buf, size_t size, const struct fault *why)
{
	snprintf(buf, size, "%.*s", (int)size - 1, why->text);
	text_tame(buf);
	w->memory->tried_s = now_s();
}

/* A refusal is nothing that trying again mends: it is judged, with what else is known. */
static int load(struct gpu_work *w, struct fault *why)
{
	const char *const by_alias[] = { w->f.alias, NULL };
	const char *const *name = w->f.vendor->modules[0] ? w->f.vendor->modules : by_alias;
	struct fault refusal = { 0 };
	int r = 0;

	for (; *name && r == 0; name++) {
		const char *const argv[] = { "/sbin/modprobe", "--", *name, NULL };

		r = w->hands->run(w->hands->data, argv, &refusal);
	}
	if (r == -ECANCELED)
		return fault_set(why, ECANCELED, "stopped");
	if (r == 0) /* should the modules not be there all the same */
		fault_set(&refusal, ENOENT, "modprobe was content, and it is not there");
	remember_refusal(w, w->f.refusal, sizeof(w->f.refusal), &refusal);
	w->changed = true;
	return 0;
}

static int start_fabric(struct gpu_work *w, struct fault *why)
{
	struct fault refusal = { 0 };
	int r = w->hands->start(w->hands->data, w->f.vendor->fabric_unit, &refusal);

	if (r == -ECANCELED)
		return fault_set(why, ECANCELED, "stopped");
	w->f.fabric = r >= 0;
	if (r < 0)
		remember_refusal(w, w->f.fabric_refusal, sizeof(w->f.fabric_refusal), &refusal);
	return 0;
}

/* A tool that is content with nothing must not take away what was there. */
static int check_spec(const struct text *spec, struct fault *why)
{
	scoped(yaml_done) struct yaml tree = { 0 };
	struct yaml_error error = { 0 };
	const struct yaml *devices;

	if (yaml_parse(text_str(spec), spec->len, &tree, &error) < 0)
		return fault_set(why, EBADMSG, "what nvidia-ctk made: %s", error.message);
	devices = yaml_get(&tree, "devices");
	if (!yaml_text(yaml_get(&tree, "cdiVersion")) || !yaml_text(yaml_get(&tree, "kind")) ||
	    !devices || devices->kind != YAML_SEQUENCE || devices->n_items == 0)
		return fault_set(why, EBADMSG,
				 "what nvidia-ctk made is no CDI specification with devices");
	return 0;
}

/* The fingerprint comes behind what it vouches for: after a cut it is made once more. */
static int make_spec(struct gpu_work *w, struct fault *why)
{
	const char *const argv[] = { w->f.vendor->spec_program, "cdi", "generate", "--format=yaml",
				     "--output=" SPEC_TEMP,	NULL };
	scoped(text_done) struct text spec = { 0 };
	scoped(text_done) struct text print = { 0 };
	int root = w->node->root;
	int r = fs_remove(root, SPEC_TEMP, why);

	if (r >= 0)
		r = w->hands->run(w->hands->data, argv, why);
	if (r >= 0)
		r = fs_read(root, SPEC_TEMP, FILE_MAX, &spec, why);
	if (r >= 0)
		r = check_spec(&spec, why);
	if (r >= 0)
		r = fs_write(root, GPU_SPEC_PATH, 0644, text_str(&spec), spec.len, why);
	gpu_fingerprint(&w->f, &print);
	if (r >= 0)
		r = fs_write(root, GPU_STATE_PATH, 0644, text_str(&print), print.len, why);
	w->changed = true;
	return r < 0 ? r : 0;
}

static int test(struct gpu_work *w, struct fault *why)
{
	const char *const argv[] = {
		w->f.vendor->test_program,
		"--query-gpu=pci.bus_id,name,memory.total,driver_version",
		"--format=csv,noheader,nounits",
		"--filename=" SMI_TEMP,
		NULL,
	};
	scoped(text_done) struct text csv = { 0 };
	int root = w->node->root;
	int r = w->hands->start(w->hands->data, w->f.vendor->persistence_unit, why);

	/* Without it the driver forgets its settings when nobody works, which is no fault. */
	if (r == -ECANCELED)
		return r;
	r = fs_remove(root, SMI_TEMP, why);
	if (r >= 0)
		r = w->hands->run(w->hands->data, argv, why);
	if (r >= 0)
		r = fs_read(root, SMI_TEMP, FILE_MAX, &csv, why);
	if (r < 0)
		return r;
	gpu_read_smi(text_str(&csv), &w->f);
	w->f.tested = true;
	w->memory->tested_s = now_s();
	return 0;
}

static int (*const actions[GPU_N_VERDICTS])(struct gpu_work *w, struct fault *why) = {
	[GPU_LOAD] = load,
	[GPU_START_FABRIC] = start_fabric,
	[GPU_MAKE_SPEC] = make_spec,
	[GPU_TEST] = test,
};

/* ---- the step ---- */

static int finish(struct gpu_work *w, enum gpu_verdict verdict, const char *reason,
		  struct fault *why)
{
	w->memory->facts = w->f;
	if (verdict != GPU_READY)
		return fault_set(why, ENODEV, "%s", reason);
	w->changed |= !w->node->gpu.tested;
	gpu_tell(&w->f, &w->node->gpu);
	return step_say(why, w->changed ? STEP_CHANGED : STEP_SAME, "%s", reason);
}

static int look(struct gpu_work *w, struct fault *why)
{
	int r = fs_mkdirs(w->node->root, GPU_RUN_D, 0755, why);
	int i;

	for (i = 0; i < LOOKS_MAX && r >= 0; i++) {
		scoped(text_done) struct text reason = { 0 };
		enum gpu_verdict verdict;

		r = gpu_probe(w->node->root, &w->f, why);
		if (r < 0)
			return r;
		verdict = gpu_decide(&w->f, &reason);
		if (!gpu_is_action(verdict))
			return finish(w, verdict, text_str(&reason), why);
		r = actions[verdict](w, why);
	}
	if (r >= 0)
		r = fault_set(why, EAGAIN, "the GPUs change while they are looked at");
	return r;
}

int gpu_settle(struct node *node, const struct gpu_hands *hands, struct fault *why)
{
	struct gpu_work work = { .node = node, .hands = hands };
	int files, r;

	if (!gpu_vendor_of(node->self))
		return STEP_SAME;
	files = node_apply(node, PLAN_GPU, why);
	if (files < 0)
		return files;
	r = recall(&work, why);
	if (r >= 0)
		r = look(&work, why);
	/* Whatever it is: pods are not to come before it is tested anew. */
	if (r < 0)
		node->gpu = (struct gpu_found){ 0 };
	return r < 0 ? r : r | files;
}

/* ---- with the hands of systemd: this service may see no device, and load no module ---- */

static int run_unit(void *data, const char *const *argv, struct fault *why)
{
	struct node *node = data;
	const char *slash = strrchr(argv[0], '/');
	scoped(drop_bus) struct sd_bus *bus = NULL;
	struct units_tick tick = task_tick(node);
	char unit[64];
	const struct units_transient what = { .unit = unit,
					      .description = "GPUs of rackseed-firstboot",
					      .argv = argv,
					      .limit_s = TOOL_S };
	int r = units_open(&bus, why);

	snprintf(unit, sizeof(unit), "rackseed-gpu-%.30s.service", slash ? slash + 1 : argv[0]);
	return r < 0 ? r : units_run(bus, &what, &tick, why);
}

static int start_unit(void *data, const char *unit, struct fault *why)
{
	struct node *node = data;
	scoped(drop_bus) struct sd_bus *bus = NULL;
	char state[32];
	int r = units_open(&bus, why);

	if (r >= 0)
		r = units_state(bus, unit, state, why);
	if (r >= 0 && !state[0])
		return fault_set(why, ENOENT, "%s is not installed", unit);
	return r < 0 ? r : task_unit_on(node, bus, unit, false, why);
}

int task_gpu(struct node *node, struct fault *why)
{
	const struct gpu_hands hands = { .run = run_unit, .start = start_unit, .data = node };

	return gpu_settle(node, &hands, why);
}
