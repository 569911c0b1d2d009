/* SPDX-License-Identifier: MIT */
#include "image/command.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/text.h"
#include "cluster/model.h"
#include "image/accel.h"
#include "image/domain.h"
#include "image/machine.h"
#include "image/virt.h"
#include "image/vm.h"
#include "image/vm_data.h"

enum { DOWN_S = 120 };

static void say(const struct vm *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(const struct vm *s, const char *format, ...)
{
	va_list ap;

	if (s->in->quiet)
		return;
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/* ---- up ------------------------------------------------------------------------------------- */

/* Finds the image of a node: absolute path into disk; the format by its name. */
static int find_disk(const struct vm *s, const char *node, char disk[static PATH_MAX],
		     const char **ret_format, struct fault *why)
{
	static const struct {
		const char *suffix, *format;
	} kinds[] = { { "qcow2", "qcow2" }, { "raw", "raw" }, { "img", "raw" } };
	scoped(text_done) struct text folder = { 0 };
	scoped(text_done) struct text path = { 0 };
	size_t i;

	command_out(s->in, &folder);
	if (text_error(&folder) < 0)
		return fault_errno(why, ENOMEM, "vm");
	for (i = 0; i < COUNT(kinds); i++) {
		text_done(&path);
		text_addf(&path, "%s/%s.%s", text_str(&folder), node, kinds[i].suffix);
		if (text_error(&path) == 0 && realpath(text_str(&path), disk)) {
			*ret_format = kinds[i].format;
			return 0;
		}
		if (errno != ENOENT)
			return fault_errno(why, errno, "%s", text_str(&path));
	}
	return fault_set(why, ENOENT, "no disk '%s/%s.qcow2': make it with rackseed build %s",
			 text_str(&folder), node, node);
}

static enum model_accel choose_accel(const struct vm *s)
{
	struct fault why = { 0 };

	if (s->model->vm.accel != MODEL_ACCEL_AUTO)
		return s->model->vm.accel;
	if (accel_kvm_works(&why))
		return MODEL_ACCEL_KVM;
	say(s, "no KVM (%s): the machines are emulated, which is some ten times slower", why.text);
	return MODEL_ACCEL_TCG;
}

static bool is_on(const struct vm *s, const struct model_node *node)
{
	struct domain_facts facts;
	struct fault why;

	return domain_look(s->connect, s->model, node, &facts, &why) == 0 &&
	       (facts.state == DOMAIN_RUNNING || facts.state == DOMAIN_STOPPING);
}

static int up_one(const struct vm *s, const struct machine *common, struct fault *why)
{
	struct machine machine = *common;
	const char *name = machine.node->name;
	char disk[PATH_MAX], out[PATH_MAX];
	scoped(text_done) struct text folder = { 0 };
	scoped(text_done) struct text log = { 0 };
	scoped(text_done) struct text data = { 0 };
	int r = find_disk(s, name, disk, &machine.format, why);

	if (r < 0)
		return r;
	command_out(s->in, &folder);
	if (!realpath(text_str(&folder), out))
		return fault_errno(why, errno, "%s", text_str(&folder));
	r = vm_data_make(out, machine.node, &data, why);
	if (r < 0)
		return fault_wrap(why, "node '%s': its disk for data", name);
	if (r > 0)
		say(s, "%s: made an empty disk for data, %s", name, text_str(&data));
	text_addf(&log, "%s/%s.console.log", out, name);
	if (text_error(&log) < 0)
		return fault_errno(why, ENOMEM, "node '%s'", name);
	machine.data = data.len ? text_str(&data) : NULL;
	machine.disk = disk;
	machine.log = text_str(&log);
	r = domain_up(s->connect, &machine, why);
	if (r >= 0)
		say(s, "%s: %s", name, r ? "started" : "runs already");
	return r;
}

/* Before anything is started, so that a disk that was forgotten leaves nothing half done. */
static int find_disks(const struct vm *s, struct fault *why)
{
	char disk[PATH_MAX];
	const char *format;
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < s->n_nodes; i++)
		r = find_disk(s, s->nodes[i]->name, disk, &format, why);
	return r;
}

static int up(const struct vm *s, struct fault *why)
{
	struct machine machine = { .model = s->model, .accel = s->model->vm.accel };
	char file[PATH_MAX];
	size_t i;
	int r = find_disks(s, why);

	if (r < 0)
		return r;
	if (!realpath(s->in->file, file))
		return fault_errno(why, errno, "%s", s->in->file);
	machine.file = file;
	if (!s->model->vm.bridge) {
		r = virt_network_up(s->connect, s->model, file, why);
		if (r < 0)
			return r;
		if (r > 0)
			say(s, "network %s: started", s->model->name);
	}
	for (i = 0; i < s->n_nodes; i++) {
		machine.node = s->nodes[i];
		/* The probe takes seconds where there is no KVM: only when something starts. */
		if (machine.accel == MODEL_ACCEL_AUTO)
			machine.accel = is_on(s, s->nodes[i]) ? MODEL_ACCEL_AUTO : choose_accel(s);
		r = up_one(s, &machine, why);
		if (r < 0)
			return r;
	}
	return EXIT_DONE;
}

/* ---- down, cut ------------------------------------------------------------------------------ */

static int64_t now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

static int cut(const struct vm *s, struct fault *why)
{
	size_t i;
	int r;

	for (i = 0; i < s->n_nodes; i++) {
		r = domain_cut(s->connect, s->model, s->nodes[i], why);
		if (r < 0)
			return r;
		say(s, "%s: %s", s->nodes[i]->name, r ? "cut" : "was off");
	}
	return EXIT_DONE;
}

/* Presses each power button until its machine is off or time is up: a button can be missed. */
static int shut_down(const struct vm *s, struct fault *why)
{
	const struct timespec pause = { .tv_nsec = 500000000 };
	int64_t end = now_s() + (int64_t)s->timeout_s, press = 0;
	size_t i, n_running = 1;
	int r;

	while (n_running && now_s() < end) {
		bool pressing = now_s() >= press;

		press = pressing ? now_s() + 10 : press;
		for (n_running = 0, i = 0; i < s->n_nodes; i++) {
			r = pressing ? domain_shutdown(s->connect, s->model, s->nodes[i], why)
				     : is_on(s, s->nodes[i]);
			if (r < 0)
				return r;
			n_running += r > 0;
		}
		if (n_running)
			nanosleep(&pause, NULL);
	}
	return 0;
}

static int forget(const struct vm *s, struct fault *why)
{
	size_t i;
	int r = 0;

	for (i = 0; r >= 0 && i < s->n_nodes; i++)
		r = domain_forget(s->connect, s->model, s->nodes[i], why);
	if (r >= 0 && s->all && !s->model->vm.bridge)
		r = virt_network_remove(s->connect, s->model, why);
	return r < 0 ? r : EXIT_DONE;
}

static int down(const struct vm *s, struct fault *why)
{
	size_t i;
	int r = shut_down(s, why);

	if (r < 0)
		return r;
	for (i = 0; i < s->n_nodes; i++) {
		r = domain_cut(s->connect, s->model, s->nodes[i], why);
		if (r < 0)
			return r;
		if (r > 0)
			say(s, "%s: did not shut down in %" PRIu64 " s, cut", s->nodes[i]->name,
			    s->timeout_s);
		else
			say(s, "%s: off", s->nodes[i]->name);
	}
	return command_value(s->in, "delete") ? forget(s, why) : EXIT_DONE;
}

/* ---- console -------------------------------------------------------------------------------- */

static int console(const struct vm *s, struct fault *why)
{
	int r;

	if (isatty(STDIN_FILENO))
		say(s, "console of %s, Ctrl-] leaves", s->nodes[0]->name);
	r = domain_console(s->connect, s->model, s->nodes[0], why);
	return r < 0 ? r : EXIT_DONE;
}

/* ---- the command ---------------------------------------------------------------------------- */

static const struct {
	const char *name;
	int (*run)(const struct vm *s, struct fault *why);
} actions[] = {
	{ "up", up }, { "down", down }, { "cut", cut }, { "list", vm_list }, { "console", console },
};

/* The nodes that are named, or all that have vm:. */
static int pick(struct vm *s, struct fault *why)
{
	const struct model *m = s->model;
	size_t i;

	s->all = s->in->n_args == 1;
	for (i = 1; i < s->in->n_args; i++) {
		const struct model_node *node = model_node(m, s->in->args[i]);

		if (!node)
			return fault_set(why, ENOENT, "no node '%s' in %s", s->in->args[i],
					 s->in->file);
		if (node->vm.mark.line == 0)
			return fault_set(why, EINVAL,
					 "node '%s' is no virtual machine: it has no vm: in %s",
					 node->name, s->in->file);
		s->nodes[s->n_nodes++] = node;
	}
	for (i = 0; s->all && i < m->n_nodes; i++)
		if (m->nodes[i].vm.mark.line != 0)
			s->nodes[s->n_nodes++] = &m->nodes[i];
	if (s->n_nodes == 0)
		return fault_set(why, ENOENT, "%s: no node has vm:, so there is no virtual machine",
				 s->in->file);
	return 0;
}

static int judge_console(const struct vm *s, size_t action)
{
	if (actions[action].run != console || s->n_nodes == 1)
		return 0;
	fprintf(stderr, "rackseed: whose console? name one node\n");
	return EXIT_MISUSE;
}

static int run_vm(const struct invocation *in, struct fault *why)
{
	scoped(model_done) struct model m = { 0 };
	scoped(drop_connect) virConnectPtr connect = NULL;
	struct vm s = { .in = in, .model = &m, .timeout_s = DOWN_S };
	size_t a;
	int r;

	for (a = 0; a < COUNT(actions); a++)
		if (in->n_args && strcmp(in->args[0], actions[a].name) == 0)
			break;
	if (a == COUNT(actions)) {
		fprintf(stderr, "rackseed: vm needs up, down, cut, list or console%s%s%s\n",
			in->n_args ? ", not '" : "", in->n_args ? in->args[0] : "",
			in->n_args ? "'" : "");
		return EXIT_MISUSE;
	}
	r = command_number(in, "timeout", 0, INT32_MAX, &s.timeout_s);
	if (r == 0)
		r = command_load(in, &m, NULL, why);
	if (r != 0)
		return r;
	s.nodes = calloc(m.n_nodes + in->n_args, sizeof(void *));
	if (!s.nodes)
		return fault_errno(why, ENOMEM, "vm");
	r = pick(&s, why);
	if (r == 0)
		r = judge_console(&s, a);
	if (r == 0)
		r = virEventRegisterDefaultImpl() < 0 ? virt_fault(why, "libvirt") : 0;
	if (r == 0)
		r = virt_open(command_value(in, "connect"), &connect, why);
	if (r == 0) {
		s.connect = connect;
		r = actions[a].run(&s, why);
	}
	free(s.nodes);
	return r;
}

static const struct command_option options[] = {
	{ "out", "DIR", "where the disks are (default: out, beside the file)" },
	{ "connect", "URI", "the libvirt to use, default qemu:///system" },
	{ "timeout", "SECONDS", "down: how long machines may take to shut down, default 120" },
	{ "delete", NULL, "down: make libvirt forget them, too; disks stay" },
	{ NULL, NULL, NULL },
};

static const struct command_rule rules[] = {
	{ "--out", "up", NULL },
	{ "--timeout", "down", NULL },
	{ "--delete", "down", NULL },
	{ "--json", "list", NULL },
	{ NULL, NULL, NULL },
};

const struct command cmd_vm = {
	.name = "vm",
	.synopsis = "up|down|cut|list|console [NODE...]",
	.help = "runs nodes as virtual machines under libvirt; cut pulls the plug",
	.options = options,
	.rules = rules,
	.max_args = COMMAND_MANY,
	.run = run_vm,
};
