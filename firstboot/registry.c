/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/depot.h"
#include "cluster/plan_registry.h"
#include "firstboot/apply.h"
#include "firstboot/node.h"
#include "firstboot/registry.h"
#include "firstboot/tasks.h"

/* The step registry: docker-registry on a node of that role, an instance of a unit per port. */

DEFINE_DROP(bus, struct sd_bus *, units_close)
DEFINE_DROP(dir, DIR *, closedir)

enum { UNIT_LIMIT_S = 60, UNIT_LEN = 64 };

int registry_secret(void *data, const char *path, struct text *out, struct fault *why)
{
	const char *secret = node_secret(data, path);

	if (!secret)
		return fault_set(why, ENOENT, "the seed holds no secrets/%s", path);
	text_add(out, secret);
	return text_error(out) < 0 ? fault_errno(why, ENOMEM, "secrets/%s", path) : 0;
}

unsigned registry_port_of(const char *name)
{
	size_t n = strspn(name, "0123456789");
	unsigned long port = n >= 1 && n <= 5 ? strtoul(name, NULL, 10) : 0;

	return strcmp(name + n, ".yml") == 0 && port <= 65535 ? (unsigned)port : 0;
}

static bool is_planned(const struct plan *plan, unsigned port)
{
	char path[UNIT_LEN];

	snprintf(path, sizeof(path), PLAN_REGISTRY_DIR "%u.yml", port);
	return apply_find(plan, PLAN_REGISTRY, path, "", 0) != NULL;
}

/* An instance that the file has no more: stopped, and with no link to start it again. */
static int retire(struct node *node, struct sd_bus *bus, unsigned port, struct fault *why)
{
	static const char *const files[] = {
		"/etc/systemd/system/timers.target.wants/rackseed-registry-gc@%u.timer",
		"/etc/systemd/system/multi-user.target.wants/rackseed-registry@%u.service",
		PLAN_REGISTRY_DIR "%u.htpasswd",
		PLAN_REGISTRY_TRUST "%u.crt",
		PLAN_REGISTRY_DIR "%u.yml",
	};
	struct units_tick tick = task_tick(node);
	char name[UNIT_LEN];
	size_t i;
	int r;

	snprintf(name, sizeof(name), "rackseed-registry-gc@%u.timer", port);
	r = units_stop(bus, name, UNIT_LIMIT_S, &tick, why);
	snprintf(name, sizeof(name), "rackseed-registry@%u.service", port);
	if (r >= 0)
		r = units_stop(bus, name, UNIT_LIMIT_S, &tick, why);
	/* The configuration last: while it lies there, this is tried again. */
	for (i = 0; i < COUNT(files) && r >= 0; i++) {
		scoped(text_done) struct text path = { 0 };
		const char *at = strstr(files[i], "%u");

		text_addf(&path, "%.*s%u%s", (int)(at - files[i]), files[i], port, at + 2);
		r = fs_remove(node->root, text_str(&path), why);
	}
	return r < 0 ? r : STEP_CHANGED;
}

/* *bus is opened for the first of them, where it is not yet. */
static int retire_all(struct node *node, struct sd_bus **bus, struct fault *why)
{
	int fd = openat(node->root, &PLAN_REGISTRY_DIR[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scoped(drop_dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	int outcome = STEP_SAME;
	int r = 0;

	if (!dir) {
		r = errno;
		drop_fd(&fd);
		return r == ENOENT ? STEP_SAME : fault_errno(why, r, PLAN_REGISTRY_DIR);
	}
	while (r >= 0 && (entry = readdir(dir))) {
		unsigned port = registry_port_of(entry->d_name);

		if (port == 0 || is_planned(&node->plan, port))
			continue;
		r = *bus ? 0 : units_open(bus, why);
		if (r >= 0)
			r = retire(node, *bus, port, why);
		outcome = STEP_CHANGED;
	}
	return r < 0 ? r : outcome;
}

/* Started is not serving: it answers, under its certificate, and lets its own user in. */
static int answers(struct node *node, const struct model_registry *r, struct fault *why)
{
	const struct depot_secrets secrets = { .read = registry_secret, .data = node };
	scoped(depot_done) struct depot depot = { 0 };
	int result = depot_open(&node->model, r->host, &secrets, &depot, why);

	/* By its address: the name is the clients' business. */
	if (result == 0)
		result = depot_by_address(&depot, &node->model, r->host, why);
	if (result < 0)
		return result;
	result = depot_login(&depot, why);
	if (result >= 0)
		return STEP_SAME;
	if (result != -ECONNREFUSED && result != -ETIMEDOUT && result != -ECONNRESET)
		return fault_wrap(why, "registry '%s'", r->host);
	/*
	 * A cache asks its upstream how to log in before it starts to listen. A member must not
	 * wait for that with its cluster and its shares; its step registries tells of the cache.
	 */
	if (r->upstream && model_is_kubernetes(node->self))
		return STEP_SAME;
	if (r->upstream)
		return step_wait(why, "registry '%s', which starts when '%s' answers", r->host,
				 r->upstream);
	return step_wait(why, "registry '%s'", r->host);
}

static int serve(struct node *node, struct sd_bus *bus, const struct model_registry *r,
		 bool changed, struct fault *why)
{
	char unit[UNIT_LEN];
	int service, timer = STEP_SAME;

	snprintf(unit, sizeof(unit), "rackseed-registry@%u.service", model_registry_port(r));
	service = task_unit_on(node, bus, unit, changed, why);
	snprintf(unit, sizeof(unit), "rackseed-registry-gc@%u.timer", model_registry_port(r));
	if (service >= 0 && !r->upstream)
		timer = task_unit_on(node, bus, unit, false, why);
	if (service < 0 || timer < 0)
		return service < 0 ? service : timer;
	service |= timer;
	timer = answers(node, r, why);
	return timer < 0 ? timer : service;
}

/* Each of them, whatever became of those before it; the first trouble is what is told. */
static int serve_all(struct node *node, struct sd_bus *bus, bool changed, struct fault *why)
{
	int outcome = STEP_SAME, trouble = 0;
	size_t i;

	for (i = 0; i < node->model.n_registries; i++) {
		const struct model_registry *g = &node->model.registries[i];
		struct fault found = { 0 };
		int r;

		if (!g->node || strcmp(g->node, node->self->name) != 0)
			continue;
		r = serve(node, bus, g, changed, &found);
		if (r >= 0) {
			outcome |= r;
		} else if (trouble == 0) {
			*why = found;
			trouble = r;
		}
	}
	return trouble < 0 ? trouble : outcome;
}

/* A node that had the role under an earlier file: nothing of it goes on, and no key stays. */
static int resign(struct node *node, struct fault *why)
{
	static const char *const files[] = { PLAN_REGISTRY_DIR "tls.key",
					     PLAN_REGISTRY_DIR "tls.crt" };
	scoped(drop_bus) struct sd_bus *bus = NULL;
	int outcome = retire_all(node, &bus, why);
	int r = outcome;
	size_t i;

	for (i = 0; i < COUNT(files) && r >= 0; i++) {
		r = fs_remove(node->root, files[i], why);
		outcome = r == FS_CHANGED ? STEP_CHANGED : outcome;
	}
	return r < 0 ? r : outcome;
}

int task_registry(struct node *node, struct fault *why)
{
	scoped(drop_bus) struct sd_bus *bus = NULL;
	int files, retired, served, r;

	if (!(node->self->roles & MODEL_REGISTRY))
		return resign(node, why);
	files = node_apply(node, PLAN_REGISTRY, why);
	r = files < 0 ? files : units_open(&bus, why);
	/* What was linked into targets is to be known to systemd now. */
	if (r >= 0 && files == FS_CHANGED)
		r = units_reload(bus, why);
	if (r < 0)
		return r;
	retired = retire_all(node, &bus, why);
	served = retired < 0 ? retired : serve_all(node, bus, files == FS_CHANGED, why);
	return served < 0 ? served : files | retired | served;
}
