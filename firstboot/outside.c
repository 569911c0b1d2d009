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
#include "firstboot/endpoint.h"
#include "firstboot/node.h"
#include "firstboot/status.h"
#include "firstboot/worker.h"

#define BOOT_ID "proc/sys/kernel/random/boot_id"
#define ETCD_DATA "var/lib/etcd/member"

static void look_at_machine(int root, struct status_machine *ret)
{
	scoped(text_done) struct text boot = { 0 };
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
}

static void describe(void *data, struct text *out)
{
	const struct outside *o = data;
	struct status_machine machine;
	struct status status;

	worker_copy_status(o->worker, &status);
	look_at_machine(o->node->root, &machine);
	status_endpoint_json(&status, &machine, out);
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

static int start(struct outside *o, struct fault *why)
{
	const struct endpoint_options options = {
		.address = o->node->self->address.family == AF_INET6 ? "::" : NULL,
		.port = ENDPOINT_PORT,
		.crt = own_secret(o->node, "crt"),
		.key = own_secret(o->node, "key"),
		.ca = node_secret(o->node, "pki/ca.crt"),
		.describe = describe,
		.data = o,
	};

	if (!options.crt || !options.key || !options.ca)
		return fault_set(why, ENOENT,
				 "the seed holds no certificate for the status endpoint: `rackseed "
				 "status` cannot ask this node");
	return endpoint_start(&options, &o->endpoint, why);
}

void outside_open(struct outside *o)
{
	struct fault why = { 0 };

	if (o->endpoint || !is_loaded(o))
		return;
	if (start(o, &why) >= 0)
		return;
	if (!o->told)
		fprintf(stderr, "<4>%s\n", why.text);
	o->told = true;
}

void outside_close(struct outside *o)
{
	endpoint_stop(o->endpoint);
	o->endpoint = NULL;
}
