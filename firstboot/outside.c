/* SPDX-License-Identifier: MIT */
#include "firstboot/outside.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "firstboot/node.h"
#include "firstboot/serve.h"
#include "firstboot/state.h"
#include "firstboot/status.h"
#include "firstboot/worker.h"

#define BOOT_ID "proc/sys/kernel/random/boot_id"
#define ETCD_DATA "var/lib/etcd/member"

static void look_at_machine(int root, struct status_machine *ret)
{
	scoped(text_done) struct text boot = { 0 };
	scoped(text_done) struct text began = { 0 };
	struct state state;
	struct fault ignored = { 0 };
	struct timespec up = { 0 };
	struct stat st;

	*ret = (struct status_machine){ .version = RACKSEED_VERSION };
	if (fs_read(root, BOOT_ID, 4096, &boot, &ignored) >= 0)
		snprintf(ret->boot, sizeof(ret->boot), "%.*s", (int)strcspn(text_str(&boot), "\n"),
			 text_str(&boot));
	clock_gettime(CLOCK_BOOTTIME, &up);
	ret->uptime_s = (uint64_t)up.tv_sec;
	/* What cannot be looked at may be there: nobody shall begin a cluster anew by mistake. */
	ret->has_etcd_data =
		fstatat(root, ETCD_DATA, &st, AT_SYMLINK_NOFOLLOW) == 0 || errno != ENOENT;
	if (state_load(root, &state, &ignored) == STATE_READ && state.anew)
		state_tell_beginning(&state, &began);
	snprintf(ret->began, sizeof(ret->began), "%s", text_str(&began));
}

/* The first step is seed; what it loaded nobody writes to any more. */
static bool is_loaded(const struct outside *o)
{
	struct status status;

	worker_copy_status(o->worker, &status);
	return status.n_rows > 0 && status.rows[0].state == STEP_DONE;
}

static const char *own_secret(const struct node *node, const char *extension)
{
	scoped(text_done) struct text path = { 0 };

	text_addf(&path, "pki/status/%s.%s", node->self->name, extension);
	return text_error(&path) < 0 ? NULL : node_secret(node, text_str(&path));
}

static int put(const struct outside *o, const char *name, mode_t mode, const char *content,
	       struct fault *why)
{
	char path[64];

	snprintf(path, sizeof(path), SERVE_FOLDER "/%s", name);
	return fs_write(o->node->root, path, mode, content, strlen(content), why);
}

/* The key comes last: its presence starts the unit (rackseed-status.path). */
static int prepare(struct outside *o, struct fault *why)
{
	bool v6 = o->node->self->address.family == AF_INET6;
	const struct {
		const char *name, *content;
	} files[] = {
		{ SERVE_ADDRESS, v6 ? "::" : "0.0.0.0" },
		{ SERVE_CA, node_secret(o->node, "pki/ca.crt") },
		{ SERVE_CRT, own_secret(o->node, "crt") },
		{ SERVE_KEY, own_secret(o->node, "key") },
	};
	size_t i;
	int r = 0;

	for (i = 0; i < COUNT(files) && r >= 0; i++) {
		if (!files[i].content)
			return fault_set(why, ENOENT,
					 "the seed holds no certificate for the status endpoint: "
					 "`rackseed status` cannot ask this node");
		r = put(o, files[i].name, 0600, files[i].content, why);
	}
	return r < 0 ? r : 0;
}

static int report(const struct outside *o, struct fault *why)
{
	scoped(text_done) struct text json = { 0 };
	struct status_machine machine;
	struct status status;
	int r;

	worker_copy_status(o->worker, &status);
	look_at_machine(o->node->root, &machine);
	status_endpoint_json(&status, &machine, &json);
	if (text_error(&json) < 0)
		return fault_errno(why, text_error(&json), "report");
	r = put(o, SERVE_REPORT, 0644, text_str(&json), why);
	return r < 0 ? r : 0;
}

void outside_report(struct outside *o)
{
	struct fault why = { 0 };
	int r = 0;

	if (!is_loaded(o))
		return;
	r = report(o, &why);
	if (r == 0 && !o->prepared) {
		r = prepare(o, &why);
		o->prepared = r == 0;
	}
	if (r < 0 && !o->told)
		fprintf(stderr, "<4>%s\n", why.text);
	o->told = r < 0;
}

void outside_close(struct outside *o)
{
	struct fault ignored = { 0 };

	if (o->prepared && fs_remove(o->node->root, SERVE_FOLDER "/" SERVE_REPORT, &ignored) < 0)
		fprintf(stderr, "<4>%s\n", ignored.text);
}
