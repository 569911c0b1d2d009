/* SPDX-License-Identifier: MIT */
#include "image/root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/run.h"
#include "base/text.h"
#include "cluster/model.h"
#include "image/args.h"
#include "image/build.h"
#include "image/release.h"

DEFINE_DROP(dir, DIR *, closedir)

enum { LONG_MS = 20 * 60 * 1000 };

int root_run(const char *root, const char *const *words, struct text *out, struct fault *why)
{
	static const char *const env[] = { "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
					   "HOME=/root",
					   "LC_ALL=C",
					   "LD_PRELOAD",
					   "LD_LIBRARY_PATH",
					   NULL };
	scoped(args_done) struct args argv = { 0 };

	/* Some of them want a /proc; with the namespace it is gone again. */
	args_add(&argv, "unshare");
	args_add(&argv, "--mount-proc=%s/proc", root);
	args_add(&argv, "chroot");
	args_add(&argv, "%s", root);
	args_add_all(&argv, words);
	if (!args_list(&argv))
		return fault_errno(why, ENOMEM, "%s", words[0]);
	return run(
		&(struct run){
			.argv = args_list(&argv), .env = env, .out = out, .timeout_ms = LONG_MS },
		why);
}

static int make_initrd(const char *root, const char *version, int64_t epoch, struct fault *why)
{
	char time[64];
	const char *const words[] = { "env", time, "update-initramfs", "-c", "-k", version, NULL };

	snprintf(time, sizeof(time), "SOURCE_DATE_EPOCH=%lld", (long long)epoch);
	return root_run(root, words, NULL, why);
}

/* linux-update-symlinks leaves it out where there was no initrd yet. */
static int link_initrd(int boot, struct fault *why)
{
	char kernel[NAME_MAX + 1], initrd[NAME_MAX + 16];
	ssize_t n = readlinkat(boot, "vmlinuz", kernel, sizeof(kernel) - 1);
	int r;

	if (n <= (ssize_t)strlen("vmlinuz-"))
		return 0;
	kernel[n] = '\0';
	snprintf(initrd, sizeof(initrd), "initrd.img-%s", kernel + strlen("vmlinuz-"));
	r = fs_link(boot, "initrd.img", initrd, why);
	return r < 0 ? r : 0;
}

int root_make_initrds(const char *root, int64_t epoch, struct fault *why)
{
	static const char kernel[] = "vmlinuz-";
	scoped(drop_fd) int top = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scoped(drop_dir) DIR *dir = NULL;
	struct dirent *entry;
	int fd = top < 0 ? -1 : openat(top, "boot", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = 0;

	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return errno == ENOENT ? 0 : fault_errno(why, errno, "%s/boot", root);
	while (r >= 0 && (entry = readdir(dir))) {
		const char *version = entry->d_name + strlen(kernel);
		char initrd[NAME_MAX + 16];

		if (strncmp(entry->d_name, kernel, strlen(kernel)) != 0)
			continue;
		snprintf(initrd, sizeof(initrd), "initrd.img-%s", version);
		if (faccessat(fd, initrd, F_OK, 0) < 0)
			r = make_initrd(root, version, epoch, why);
	}
	return r < 0 ? r : link_initrd(fd, why);
}

int root_pack(const char *root, const char *tar, int64_t epoch, struct fault *why)
{
	scoped(args_done) struct args argv = { 0 };

	args_add(&argv, "tar");
	args_add(&argv, "--create");
	args_add(&argv, "--file=%s", tar);
	args_add(&argv, "--directory=%s", root);
	args_add(&argv, "--one-file-system");
	args_add(&argv, "--sort=name");
	args_add(&argv, "--format=pax");
	args_add(&argv, "--pax-option=exthdr.name=%%d/PaxHeaders/%%f,delete=atime,delete=ctime");
	args_add(&argv, "--mtime=@%lld", (long long)epoch);
	args_add(&argv, "--clamp-mtime");
	args_add(&argv, "--numeric-owner");
	args_add(&argv, "--xattrs");
	args_add(&argv, "--xattrs-include=*");
	args_add(&argv, ".");
	if (!args_list(&argv))
		return fault_errno(why, ENOMEM, "tar");
	return run(&(struct run){ .argv = args_list(&argv), .timeout_ms = LONG_MS }, why);
}

int root_pack_node_tree(const struct build *b, const char *tar, struct fault *why)
{
	scoped(args_done) struct args argv = { 0 };

	args_add(&argv, "tar");
	args_add(&argv, "--create");
	args_add(&argv, "--file=%s", tar);
	args_add(&argv, "--directory=%s", b->node_tree);
	args_add(&argv, "--exclude=./.stamp");
	args_add(&argv, "--sort=name");
	args_add(&argv, "--format=gnu");
	args_add(&argv, "--mtime=@%lld", (long long)b->epoch);
	args_add(&argv, "--owner=0");
	args_add(&argv, "--group=0");
	args_add(&argv, "--numeric-owner");
	/* Whatever the umask was when the tree was made. */
	args_add(&argv, "--mode=a+rX,u+w,go-w");
	args_add(&argv, ".");
	if (!args_list(&argv))
		return fault_errno(why, ENOMEM, "tar");
	return run(&(struct run){ .argv = args_list(&argv), .timeout_ms = LONG_MS }, why);
}

int root_unpack(const char *tar, const char *root, struct fault *why)
{
	const char *const argv[] = { "tar",
				     "--extract",
				     "--file",
				     tar,
				     "--directory",
				     root,
				     "--numeric-owner",
				     "--same-owner",
				     "--preserve-permissions",
				     "--xattrs",
				     "--xattrs-include=*",
				     "--no-overwrite-dir",
				     "--keep-directory-symlink",
				     NULL };

	return run(&(struct run){ .argv = argv, .timeout_ms = LONG_MS }, why);
}

/* Copies the digits and dots of "v1.20.2" or "1.6.20~ds1". */
static void plain_version(const char *s, char *ret, size_t size)
{
	s += *s == 'v';
	snprintf(ret, size, "%.*s", (int)strspn(s, "0123456789."), s);
}

static int ask_kubeadm(const struct build *b, const char *root, struct root_facts *ret,
		       struct fault *why)
{
	static const char *const words[] = { "kubeadm", "version", "--output", "short", NULL };
	const struct model_version *want = &b->model->kubernetes;
	scoped(text_done) struct text out = { 0 };
	long major, minor = 0, patch = 0;
	char *end;
	int r = root_run(root, words, &out, why);

	if (r < 0)
		return r;
	plain_version(text_str(&out), ret->kubernetes, sizeof(ret->kubernetes));
	major = strtol(ret->kubernetes, &end, 10);
	if (*end == '.')
		minor = strtol(end + 1, &end, 10);
	if (*end == '.')
		patch = strtol(end + 1, &end, 10);
	else
		major = 0;
	if (major <= 0)
		return fault_set(why, EBADMSG, "kubeadm: unexpected version '%.40s'",
				 text_str(&out));
	if (major != want->major || minor != want->minor ||
	    (want->patch >= 0 && patch != want->patch))
		return fault_set(why, EINVAL,
				 "the packages hold Kubernetes %s; the file wants %d.%d%s%.0d",
				 ret->kubernetes, want->major, want->minor,
				 want->patch >= 0 ? "." : "", want->patch >= 0 ? want->patch : 0);
	return 0;
}

static int ask_containerd(const char *root, struct root_facts *ret, struct fault *why)
{
	static const char *const words[] = { "containerd", "--version", NULL };
	scoped(text_done) struct text out = { 0 };
	char version[64] = "";
	int r = root_run(root, words, &out, why);

	if (r < 0)
		return r;
	if (sscanf(text_str(&out), "containerd %*s %63s", version) != 1)
		return fault_set(why, EBADMSG, "containerd: unexpected version '%.80s'",
				 text_str(&out));
	plain_version(version, ret->containerd, sizeof(ret->containerd));
	return 0;
}

static int ask_pause(const struct build *b, const char *root, struct root_facts *ret,
		     struct fault *why)
{
	scoped(text_done) struct text out = { 0 };
	char version[40];
	const char *words[] = { "kubeadm",
				"config",
				"images",
				"list",
				"--kubernetes-version",
				version,
				"--image-repository",
				b->model->image_repository,
				NULL };
	const char *line;
	int r;

	snprintf(version, sizeof(version), "v%s", ret->kubernetes);
	if (!b->model->image_repository)
		words[6] = NULL;
	r = root_run(root, words, &out, why);
	if (r < 0)
		return r;
	for (line = text_str(&out); *line; line += strspn(line, "\n")) {
		size_t n = strcspn(line, "\n");

		if (memmem(line, n, "/pause:", 7))
			snprintf(ret->pause, sizeof(ret->pause), "%.*s", (int)n, line);
		line += n;
	}
	if (!ret->pause[0])
		return fault_set(why, EBADMSG, "kubeadm names no pause image: '%.80s'",
				 text_str(&out));
	return 0;
}

int root_ask(const struct build *b, const char *root, struct root_facts *ret, struct fault *why)
{
	struct root_facts facts = { 0 };
	int r = ask_kubeadm(b, root, &facts, why);

	if (r == 0)
		r = ask_containerd(root, &facts, why);
	if (r == 0)
		r = ask_pause(b, root, &facts, why);
	if (r == 0)
		*ret = facts;
	return r;
}
