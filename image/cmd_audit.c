/* SPDX-License-Identifier: MIT */
#include "image/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/api.h"
#include "cluster/audit.h"
#include "cluster/model.h"
#include "cluster/peer.h"
#include "cluster/pki.h"
#include "cluster/seed.h"
#include "image/audit.h"
#include "image/progress.h"

static const struct command_option options[] = {
	{ "root", "DIR", "audits a root file system in a folder, not an image" },
	{ "seed", "DIR", "with --root: the folder of the seed that belongs to it" },
	{ "junit", NULL, "the results as JUnit's XML, for CI" },
	{ NULL, NULL, NULL },
};

static int look_in_folder(const char *root, const char *seed_dir, struct audit *ret,
			  struct fault *why)
{
	scoped(drop_fd) int fd = seed_dir ? open(seed_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	scoped(seed_done) struct seed seed = { 0 };
	int r = seed_dir && fd < 0 ? fault_errno(why, errno, "%s", seed_dir) : 0;

	if (r == 0 && seed_dir)
		r = seed_read(fd, &seed, why);
	return r < 0 ? r : audit_folder(root, seed_dir ? &seed : NULL, ret, why);
}

enum { NODE_LIMIT_MS = 20000 };

/* What a node that runs has found out about itself, told to the administrator alone. */
static int ask(const struct invocation *in, const struct model_node *node, struct audit *ret,
	       struct fault *why)
{
	scoped(drop_fd) int folder = command_folder(in, why);
	scoped(drop_fd) int secrets =
		folder < 0 ? -1 : openat(folder, "secrets", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scoped(text_done) struct text ca = { 0 }, crt = { 0 }, answer = { 0 };
	scoped(text_wipe) struct text key = { 0 };
	char url[PEER_URL_LEN];
	struct api api = { .server = peer_url(&node->address, url), .timeout_ms = NODE_LIMIT_MS };
	int status;

	if (folder < 0)
		return folder;
	if (secrets < 0)
		return fault_errno(why, errno, "secrets (rackseed secrets makes them)");
	status = fs_read(secrets, "pki/ca.crt", 1 << 20, &ca, why);
	if (status >= 0)
		status = pki_admin(secrets, time(NULL), &crt, &key, why);
	if (status < 0)
		return fault_wrap(why, "secrets (rackseed secrets makes them)");
	api.ca = text_str(&ca);
	api.crt = text_str(&crt);
	api.key = text_str(&key);
	status = api_call(&api, "GET", "/v1/audit", NULL, &answer, why);
	if (status < 0)
		return status;
	return status == 200 ? audit_parse(text_str(&answer), answer.len, ret, why)
			     : peer_fault(status, text_str(&answer), why);
}

/* An image, or what is no file but a node of the file. */
static int look_at_node(const struct invocation *in, struct audit *ret, struct fault *why)
{
	scoped(model_done) struct model model = { 0 };
	const struct model_node *node;
	int r = command_load(in, &model, NULL, why);

	if (r != 0)
		return r;
	node = model_node(&model, in->args[0]);
	if (!node)
		return fault_set(why, ENOENT, "%s is neither an image nor a node of %s",
				 in->args[0], in->file);
	r = ask(in, node, ret, why);
	return r < 0 ? fault_wrap(why, "%s", node->name) : 0;
}

static int look(const struct invocation *in, const char *root, struct audit *ret, struct fault *why)
{
	struct progress progress;
	int r;

	if (root)
		return look_in_folder(root, command_value(in, "seed"), ret, why);
	if (access(in->args[0], F_OK) < 0 && errno == ENOENT)
		return look_at_node(in, ret, why);
	progress_init(&progress, in->quiet);
	progress_phase(&progress, 0, "looking at every file of %s", in->args[0]);
	r = audit_image(in->args[0], ret, why);
	progress_drop(&progress);
	return r;
}

static int audit(const struct invocation *in, struct fault *why)
{
	const char *root = command_value(in, "root");
	scoped(audit_done) struct audit found = { 0 };
	scoped(text_done) struct text out = { 0 };
	const char *what;
	int r;

	if (in->n_args != (root ? 0 : 1)) {
		fprintf(stderr, "rackseed: audit takes an image, a node, or --root with a folder "
				"(see rackseed audit --help)\n");
		return EXIT_MISUSE;
	}
	what = root ? root : in->args[0];
	r = look(in, root, &found, why);
	if (r != 0)
		return r;
	if (command_value(in, "junit"))
		audit_junit(&found, what, &out);
	else if (in->json)
		audit_json(&found, what, &out);
	else
		audit_print(&found, what, &out);
	if (text_error(&out) < 0)
		return fault_errno(why, ENOMEM, "%s", what);
	fputs(text_str(&out), stdout);
	return found.counts[AUDIT_FAIL] ? EXIT_FAILED : EXIT_DONE;
}

static const struct command_rule rules[] = {
	{ "--seed", "--root", NULL },
	{ "--junit", NULL, "--json" },
	{ NULL, NULL, NULL },
};

const struct command cmd_audit = {
	.name = "audit",
	.synopsis = "IMAGE|NODE",
	.help = "judges an image or node by the CIS benchmark and own rules; changes nothing",
	.options = options,
	.rules = rules,
	.max_args = 1,
	.run = audit,
};
