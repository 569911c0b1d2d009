/* SPDX-License-Identifier: MIT */
#include "firstboot/early.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/run.h"
#include "base/text.h"
#include "firstboot/announce.h"
#include "firstboot/apply.h"
#include "firstboot/node.h"
#include "firstboot/steps.h"
#include "firstboot/tasks.h"

#define ISSUE_PATH "run/issue.d/rackseed.issue"

DEFINE_DROP(dir, DIR *, closedir)

enum { LINK_LIMIT_S = 60, SEED_LIMIT_S = 60, STEP_LIMIT_S = 30, PASSWD_MAX = 1 << 20 };

static int early_seed(struct node *node, struct fault *why)
{
	int r = node_load(node, why);

	return r < 0 ? r : STEP_SAME;
}

/* A link may come up late, so its absence is waited out; another serial number stays another. */
int early_machine(struct node *node, struct fault *why)
{
	scoped(text_done) struct text links = { 0 };
	char mac[NET_MAC_LEN];
	int r = machine_read(node->root, node->live, &node->machine, why);

	if (r < 0)
		return r;
	node->verdict = machine_judge(&node->machine, node->self);
	if (node->verdict != MACHINE_LACKS_MAC)
		return STEP_SAME;
	machine_print_links(&node->machine, &links);
	fault_set(why, EAGAIN, "this machine has %s", text_str(&links));
	return step_wait(why, "a link with MAC %s", net_mac_text(&node->self->mac, mac));
}

int early_hostname(struct node *node, struct fault *why)
{
	const char *name = node->self->name;
	char now[256] = "";
	int r = node_apply(node, PLAN_HOSTNAME, why);

	if (r < 0)
		return r;
	if (gethostname(now, sizeof(now) - 1) == 0 && strcmp(now, name) == 0)
		return r;
	if (sethostname(name, strlen(name)) < 0)
		return fault_errno(why, errno, "cannot set the hostname");
	return STEP_CHANGED;
}

bool early_has_user(const char *passwd, const char *user)
{
	size_t n = strlen(user);
	const char *line = passwd;

	while (line && *line) {
		if (strncmp(line, user, n) == 0 && line[n] == ':')
			return true;
		line = strchr(line, '\n');
		line += line != NULL;
	}
	return false;
}

static bool has_users(const struct node *node)
{
	bool serves = node->self->roles & MODEL_CONTROL_PLANE;
	const char *user = node->model.admin.user;
	scoped(text_done) struct text passwd = { 0 };
	struct fault ignored = { 0 };

	return fs_read(node->root, "etc/passwd", PASSWD_MAX, &passwd, &ignored) == 0 &&
	       (!user || early_has_user(text_str(&passwd), user)) &&
	       (!serves || early_has_user(text_str(&passwd), "etcd"));
}

/* The accounts and a home: a power cut may have come between the files and what they ask for. */
static bool has_accounts(const struct node *node)
{
	scoped(text_done) struct text home = { 0 };
	struct stat st;

	if (!has_users(node))
		return false;
	if (!node->model.admin.user)
		return true;
	text_addf(&home, "home/%s", node->model.admin.user);
	return text_error(&home) == 0 && fstatat(node->root, text_str(&home), &st, 0) == 0;
}

/* Runs a tool of systemd on each of the plan's files in a folder. */
static int run_on(const struct node *node, const char *tool, const char *option, const char *folder,
		  struct fault *why)
{
	const char *argv[] = { tool, option, NULL, NULL };
	const struct run what = { .argv = argv };
	const struct plan_action *file;
	size_t i;
	int r = 0;

	for (i = 0; r >= 0; i++) {
		file = apply_find(&node->plan, PLAN_ADMIN, folder, ".conf", i);
		if (!file)
			return 0;
		argv[2] = file->path;
		r = run(&what, why);
	}
	return r;
}

int early_admin(struct node *node, struct fault *why)
{
	int changed = node_apply(node, PLAN_ADMIN, why);
	int r;

	if (changed < 0 || (changed == FS_SAME && has_accounts(node)))
		return changed;
	r = run_on(node, "systemd-sysusers", "--", "/etc/sysusers.d/", why);
	if (r >= 0)
		r = run_on(node, "systemd-tmpfiles", "--create", "/etc/tmpfiles.d/", why);
	return r < 0 ? r : STEP_CHANGED;
}

/* Whether netplan's generator has left networkd something in this boot. */
static bool has_networkd_files(int root)
{
	scoped(drop_dir) DIR *dir = NULL;
	struct dirent *entry;
	int fd = openat(root, "run/systemd/network", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	dir = fd < 0 ? NULL : fdopendir(fd);
	while (dir && (entry = readdir(dir)))
		if (strstr(entry->d_name, "-netplan-"))
			return true;
	return false;
}

/* The generator by itself, where it is: `netplan generate` is a Python program around it. */
static const char *const generators[] = { "/usr/libexec/netplan/generate",
					  "/usr/lib/netplan/generate" };

static int generate(struct fault *why)
{
	const char *argv[] = { "netplan", "generate", NULL };
	const struct run what = { .argv = argv };
	size_t i;

	for (i = 0; i < COUNT(generators); i++) {
		if (access(generators[i], X_OK) < 0)
			continue;
		argv[0] = generators[i];
		argv[1] = NULL;
		break;
	}
	return run(&what, why);
}

/*
 * udev saw the links before it had netplan's names and settings for them. What fails here costs a
 * link its new name, not the network.
 */
static void tell_udev(void)
{
	static const char *const reload[] = { "udevadm", "control", "--reload", NULL };
	static const char *const trigger[] = { "udevadm",      "trigger",
					       "--action=add", "--subsystem-match=net",
					       "--settle",     NULL };
	const struct run steps[] = { { .argv = reload, .timeout_ms = 10000 },
				     { .argv = trigger, .timeout_ms = 20000 } };
	struct fault ignored = { 0 };
	size_t i;

	for (i = 0; i < COUNT(steps); i++)
		if (run(&steps[i], &ignored) < 0)
			return;
}

int early_network(struct node *node, struct fault *why)
{
	int changed = node_apply(node, PLAN_NETWORK, why);
	int r;

	if (changed < 0 || (changed == FS_SAME && has_networkd_files(node->root)))
		return changed;
	r = generate(why);
	if (r < 0)
		return r;
	tell_udev();
	return changed; /* what is below /run is made anew in every boot */
}

/*
 * Before the first packet can come in. Should it fail the node must stay within reach, so it comes
 * up as it is; the step of the same name fails too, and says so for as long as it is true.
 */
static int early_firewall(struct node *node, struct fault *why)
{
	int r = task_firewall(node, why);

	if (r < 0)
		fprintf(stderr, "<3>%s\n", why->text);
	return r < 0 ? STEP_SAME : r;
}

static const struct step knowing[] = {
	{ .name = "seed", .run = early_seed, .limit_s = SEED_LIMIT_S },
	{ .name = "machine", .run = early_machine, .limit_s = LINK_LIMIT_S },
};

static const struct step making[] = {
	{ .name = "hostname", .run = early_hostname, .limit_s = STEP_LIMIT_S },
	{ .name = "admin", .run = early_admin, .limit_s = STEP_LIMIT_S },
	{ .name = "firewall", .run = early_firewall, .limit_s = STEP_LIMIT_S },
	{ .name = "network", .run = early_network, .limit_s = STEP_LIMIT_S },
};

static int64_t now_ms(void *data)
{
	struct timespec ts;

	(void)data;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Nothing else goes on this early, so the pace is that of links coming up. */
static enum step_pause pause_briefly(void *data, unsigned ms)
{
	const struct timespec pause = { .tv_nsec = (ms < 200 ? ms : 200) * 1000000L };

	(void)data;
	nanosleep(&pause, NULL);
	return STEP_PAUSE_OVER;
}

static void tell(void *data, const struct step_event *event)
{
	announce(data, event, now_ms(NULL));
}

static int run_table(struct node *node, struct announcer *to, const struct step *steps, size_t n,
		     struct fault *why)
{
	const struct runner runner = { .steps = steps,
				       .n = n,
				       .node = node,
				       .announce = tell,
				       .pause = pause_briefly,
				       .now_ms = now_ms,
				       .data = to };

	return steps_run(&runner, why);
}

/* Stands above the login prompt as long as this boot lasts; nothing of it is on the disk. */
static void post(const struct node *node, const struct announcer *to, const struct text *block)
{
	struct fault why = { 0 };

	if (fs_write(node->root, ISSUE_PATH, 0644, text_str(block), block->len, &why) < 0)
		announce_block(to, why.text);
}

static int refuse(struct node *node, const struct announcer *to, struct fault *why)
{
	scoped(text_done) struct text block = { 0 };

	machine_print_refusal(&node->machine, node->verdict, &node->model, node->self, &block);
	announce_block(to, text_str(&block));
	post(node, to, &block);
	return fault_set(why, ENODEV, "this is not the machine of node '%s'", node->self->name);
}

static int give_up(const struct node *node, const struct announcer *to, struct fault *why)
{
	scoped(text_done) struct text block = { 0 };

	text_addf(&block,
		  "*** rackseed: THIS NODE CANNOT COME UP: %s ***\n"
		  "The network stays down; it is tried again.\n",
		  why->text);
	announce_block(to, text_str(&block));
	post(node, to, &block);
	return -why->code;
}

/* An earlier run of this boot failed: what did not start for our sake is started now. */
static void make_up(struct node *node)
{
	static const char *const argv[] = { "systemctl",
					    "--no-block",
					    "start",
					    "systemd-networkd.service",
					    "rackseed-hostkeys.service",
					    "rackseed-firstboot.service",
					    NULL };
	static const struct run start = { .argv = argv };
	struct fault why = { 0 };

	if (fs_remove(node->root, ISSUE_PATH, &why) == FS_CHANGED && run(&start, &why) < 0)
		fprintf(stderr, "%s\n", why.text);
}

int early_run(struct node *node, struct announcer *to, struct fault *why)
{
	int r = run_table(node, to, knowing, COUNT(knowing), why);

	if (node->loaded && node->verdict != MACHINE_IS_IT)
		return refuse(node, to, why);
	if (r >= 0)
		r = run_table(node, to, making, COUNT(making), why);
	if (r < 0)
		return give_up(node, to, why);
	make_up(node);
	return 0;
}
