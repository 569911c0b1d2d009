/* SPDX-License-Identifier: MIT */
#include "image/root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/gpu.h"
#include "image/args.h"
#include "image/render.h"

#define UNITS "usr/lib/systemd/system"
#define BUILD_LIST "etc/apt/sources.list.d/rackseed-build.list"

DEFINE_DROP(dir, DIR *, closedir)

/* Files of ours, from one renderer each. */
static const struct {
	const char *path;
	void (*render)(const struct render *in, struct text *out);
} files[] = {
	{ "etc/fstab", render_fstab },
	{ "etc/kernel-img.conf", render_kernel_img },
	{ "boot/grub/grub.cfg", render_grub },
	{ "usr/lib/repart.d/50-root.conf", render_repart },
	{ "usr/lib/rackseed/image.json", render_image_json },
};

/* Identity, which each node makes anew, and what the making of the root left. */
static const struct {
	const char *folder, *pattern;
} leftovers[] = {
	{ "etc", "hostname" },
	{ "etc", ".resolv.conf.systemd-resolved.bak" }, /* of the machine that built it */
	{ "etc/ssh", "ssh_host_*" },
	{ "etc/cni/net.d", "*" }, /* a default network would be taken before ours */
	{ "var/lib/dbus", "machine-id" },
	{ "var/lib/systemd", "random-seed" },
	{ "var/lib/systemd", "credential.secret" },
	{ "var/lib/apt/lists", "*" },
	{ "var/cache/apt", "*.bin" },
	{ "run", "*" },
	{ "tmp", "*" },
};

/* Enabled where the root has them; those with a wildcard are the node tree's. */
static const char *const units[] = {
	"systemd-networkd.service",  "systemd-resolved.service",
	"systemd-timesyncd.service", "ssh.service",
	"containerd.service",	     "kubelet.service",
	"rackseed-*.service",	     "rackseed-*.timer",
	"rackseed-*.path",
};

int root_remove_matches(int root, const char *folder, const char *pattern, struct fault *why)
{
	scoped(drop_dir) DIR *dir = NULL;
	struct dirent *entry;
	int fd = openat(root, folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = 0;

	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return errno == ENOENT ? 0 : fault_errno(why, errno, "%s", folder);
	while (r >= 0 && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    fnmatch(pattern, entry->d_name, FNM_PERIOD) == 0)
			r = fs_remove_tree(fd, entry->d_name, why);
	return r < 0 ? r : 0;
}

static int clean(int root, struct fault *why)
{
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < COUNT(leftovers); i++)
		r = root_remove_matches(root, leftovers[i].folder, leftovers[i].pattern, why);
	return r;
}

static int write_texts(int root, const struct render *texts, struct fault *why)
{
	size_t i;
	int r = 0;

	for (i = 0; r >= 0 && i < COUNT(files); i++) {
		scoped(text_done) struct text t = { 0 };

		files[i].render(texts, &t);
		if (text_error(&t) < 0)
			return fault_errno(why, ENOMEM, "%s", files[i].path);
		r = fs_write(root, files[i].path, 0644, text_str(&t), t.len, why);
	}
	if (r >= 0 && texts->modprobe)
		r = fs_write(root, GPU_MODPROBE_PATH, 0644, texts->modprobe,
			     strlen(texts->modprobe), why);
	/* Empty, not absent: the node gets an identity at boot, and no presets are applied. */
	if (r >= 0)
		r = fs_write(root, "etc/machine-id", 0444, "", 0, why);
	if (r >= 0)
		r = fs_mkdirs(root, "boot/efi", 0700, why);
	return r < 0 ? r : 0;
}

/* Copies the key that a line names with signed-by from the host: apt took it from there. */
static int keep_key(int root, const char *line, size_t n, struct fault *why)
{
	static const char word[] = "signed-by=/";
	const char *at = memmem(line, n, word, strlen(word));
	scoped(drop_fd) int top = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scoped(text_done) struct text path = { 0 };
	scoped(text_done) struct text key = { 0 };
	int r;

	if (!at)
		return 0;
	at += strlen(word);
	text_add_n(&path, at, strcspn(at, "] ,"));
	r = fs_read(top, text_str(&path), 1 << 20, &key, why);
	if (r == 0)
		r = fs_write(root, text_str(&path), 0644, text_str(&key), key.len, why);
	return r < 0 ? r : 0;
}

/* The sources that a node can reach too stay known to its apt; the build's own archive goes. */
static int keep_sources(int root, struct fault *why)
{
	static const char own[] = "deb [trusted=yes] copy:";
	scoped(text_done) struct text before = { 0 };
	scoped(text_done) struct text after = { 0 };
	const char *line;
	int r = fs_read(root, BUILD_LIST, 1 << 20, &before, why);

	for (line = text_str(&before); r == 0 && *line; line += *line == '\n') {
		size_t n = strcspn(line, "\n");

		if (strncmp(line, own, strlen(own)) != 0) {
			text_add_n(&after, line, n);
			text_add(&after, "\n");
			r = keep_key(root, line, n, why);
		}
		line += n;
	}
	if (r == 0)
		r = fs_remove(root, BUILD_LIST, why);
	if (r >= 0 && after.len > 0)
		r = fs_write(root, "etc/apt/sources.list.d/rackseed.list", 0644, text_str(&after),
			     after.len, why);
	return r < 0 ? r : 0;
}

static int enable(const char *root, const char *unit, struct fault *why)
{
	const char *const words[] = { "systemctl", "--quiet", "enable", unit, NULL };

	return root_run(root, words, NULL, why);
}

/* Without [Install] it is started by others, and a template by whoever knows its instances. */
static bool can_be_enabled(int folder, const char *unit)
{
	scoped(text_done) struct text body = { 0 };
	struct fault ignored = { 0 };

	return !strstr(unit, "@.") && fs_read(folder, unit, 1 << 20, &body, &ignored) == 0 &&
	       strstr(text_str(&body), "[Install]");
}

static int enable_units(const char *root, int root_fd, struct fault *why)
{
	int fd = openat(root_fd, UNITS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scoped(drop_dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	size_t i;
	int r = 0;

	if (!dir)
		return fault_errno(why, errno, UNITS);
	while (r == 0 && (entry = readdir(dir)))
		for (i = 0; r == 0 && i < COUNT(units); i++)
			if (fnmatch(units[i], entry->d_name, 0) == 0 &&
			    can_be_enabled(fd, entry->d_name))
				r = enable(root, entry->d_name, why);
	/* Where there is no systemd in the initrd, the partition grows from the root itself. */
	if (r == 0)
		r = fs_link(root_fd, UNITS "/sysinit.target.wants/systemd-repart.service",
			    "../systemd-repart.service", why);
	if (r >= 0)
		r = fs_link(root_fd, "etc/resolv.conf", "../run/systemd/resolve/stub-resolv.conf",
			    why);
	return r < 0 ? r : 0;
}

/* These change with the cluster, never by themselves. */
static int hold(const char *root, const struct render *texts, struct fault *why)
{
	static const char *const words[] = { "apt-mark", "hold",       "kubeadm", "kubelet",
					     "kubectl",	 "containerd", NULL };
	scoped(args_done) struct args argv = { 0 };

	args_add_all(&argv, words);
	args_add_all(&argv, (const char *const *)texts->held);
	if (!args_list(&argv))
		return fault_errno(why, ENOMEM, "apt-mark");
	return root_run(root, args_list(&argv), NULL, why);
}

/* As at every boot, so that the image holds them before its first. */
static int set_modes(const char *root, struct fault *why)
{
	static const char *const words[] = { "systemd-tmpfiles", "--create",
					     "/usr/lib/tmpfiles.d/rackseed.conf", NULL };

	return root_run(root, words, NULL, why);
}

/* Looked for here, because on a node that does not boot nobody can look. */
static int try_out(const char *root, int root_fd, struct fault *why)
{
	static const char *const programs[] = { "/usr/sbin/rackseed-firstboot",
						"/usr/sbin/rackseed-install" };
	static const char *const needed[] = { "boot/vmlinuz", "boot/initrd.img",
					      "usr/sbin/rackseed-firstboot",
					      "usr/sbin/rackseed-install",
					      UNITS "/systemd-repart.service" };
	size_t i;

	for (i = 0; i < COUNT(needed); i++)
		if (faccessat(root_fd, needed[i], F_OK, 0) < 0)
			return fault_errno(why, errno, "the finished root lacks /%s", needed[i]);
	for (i = 0; i < COUNT(programs); i++) {
		const char *const words[] = { programs[i], "--version", NULL };

		if (root_run(root, words, NULL, why) < 0)
			return fault_wrap(why,
					  "%s does not run on this release (was it built "
					  "with newer libraries?)",
					  programs[i]);
	}
	return 0;
}

int root_settle(const char *root, const struct render *texts, struct fault *why)
{
	scoped(drop_fd) int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return fault_errno(why, errno, "%s", root);
	r = write_texts(fd, texts, why);
	if (r == 0)
		r = keep_sources(fd, why);
	if (r == 0)
		r = enable_units(root, fd, why);
	if (r == 0 && texts->kubernetes)
		r = hold(root, texts, why);
	if (r == 0)
		r = set_modes(root, why);
	/* Behind the programs above, which leave traces too. */
	if (r == 0)
		r = clean(fd, why);
	if (r == 0)
		r = try_out(root, fd, why);
	return r;
}
