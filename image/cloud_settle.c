/* SPDX-License-Identifier: MIT */
#include "image/cloud.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "image/args.h"
#include "image/root.h"

#define APT_CONF "etc/apt/apt.conf.d"
#define APT_ASIDE "etc/apt/rackseed-aside"
#define KERNEL_LINK "boot/vmlinuz"
#define DEBCONF "run/rackseed-debconf"
#define CLOUD_CFG "etc/cloud/cloud.cfg.d"

enum { MAX_STATUS = 64 << 20 };

DEFINE_DROP(dir, DIR *, closedir)

/* Its own network, boot menu, initrds and sources; mmdebstrap writes through a link that dangles.
 */
static const struct {
	const char *folder, *pattern;
} strangers[] = {
	{ "etc", "resolv.conf" },
	{ "etc", "hostname" },
	{ "etc/apt", "sources.list" },
	{ "etc/apt/sources.list.d", "*" },
	{ "etc/netplan", "*" },
	{ "etc/network/interfaces.d", "*" },
	{ "etc/systemd/network", "*" },
	{ "etc/sudoers.d", "90-cloud-init-users" },
	{ ".", "initrd.img*" },
	{ ".", "vmlinuz*" },
	{ "boot", "initrd.img*" },
	{ "boot", "vmlinuz" },
	{ "boot", "vmlinuz.old" },
	{ "boot/grub", "*" },
	{ "var/lib/initramfs-tools", "*" },
	{ "var/lib/cloud", "*" },
};

static const char *const unwanted[] = { "linux-image-cloud-amd64", "linux-image-*-cloud-amd64",
					"grub-cloud-amd64", "cloud-initramfs-*" };

/* An update of GRUB's packages would ask where to install it. */
static const char grub_answers[] = "grub-pc grub-pc/install_devices multiselect\n"
				   "grub-pc grub-pc/install_devices_empty boolean true\n"
				   "grub-efi-amd64 grub-efi/install_devices multiselect\n"
				   "grub-efi-amd64 grub-efi/install_devices_empty boolean true\n"
				   "grub-efi-amd64 grub2/update_nvram boolean false\n";

static const char no_network[] = "# Written by rackseed.\nnetwork: {config: disabled}\n";

static bool is_unwanted(const char *name, const struct args *wanted)
{
	bool matches = false;
	size_t i;

	for (i = 0; i < COUNT(unwanted); i++)
		matches = matches || fnmatch(unwanted[i], name, 0) == 0;
	for (i = 0; i < wanted->n; i++)
		matches = matches && strcmp(wanted->list[i], name) != 0;
	return matches;
}

void cloud_unwanted(const char *status, const struct args *wanted, struct args *out)
{
	static const char package[] = "Package: ", installed[] = "Status: install ok installed";
	char name[256] = "";

	while (*status) {
		size_t n = strcspn(status, "\n");

		if (strncmp(status, package, strlen(package)) == 0)
			snprintf(name, sizeof(name), "%.*s", (int)(n - strlen(package)),
				 status + strlen(package));
		if (n == strlen(installed) && memcmp(status, installed, n) == 0 &&
		    is_unwanted(name, wanted))
			args_add(out, "%s", name);
		status += n + (status[n] == '\n');
	}
}

/* apt runs on this machine, and must not run there what the image asks to be run. */
static int clear(int root, const struct args *wanted, struct args *ret_unwanted, struct fault *why)
{
	scoped(text_done) struct text status = { 0 };
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < COUNT(strangers); i++)
		r = root_remove_matches(root, strangers[i].folder, strangers[i].pattern, why);
	if (r == 0)
		r = fs_read(root, "var/lib/dpkg/status", MAX_STATUS, &status, why);
	if (r < 0)
		return r;
	cloud_unwanted(text_str(&status), wanted, ret_unwanted);
	if (renameat(root, APT_CONF, root, APT_ASIDE) < 0 && errno != ENOENT)
		return fault_errno(why, errno, "%s", APT_CONF);
	return ret_unwanted->error ? fault_errno(why, ENOMEM, "packages") : 0;
}

static int answer_grub(const char *root, int root_fd, struct fault *why)
{
	static const char *const words[] = { "debconf-set-selections", "/" DEBCONF, NULL };
	int r = fs_write(root_fd, DEBCONF, 0600, grub_answers, strlen(grub_answers), why);

	return r < 0 ? r : root_run(root, words, NULL, why);
}

int cloud_prepare(const char *root, const struct args *wanted, struct args *ret_unwanted,
		  struct fault *why)
{
	scoped(drop_fd) int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return fault_errno(why, errno, "%s", root);
	r = clear(fd, wanted, ret_unwanted, why);
	return r < 0 ? r : answer_grub(root, fd, why);
}

/* What mmdebstrap and newer packages wrote meanwhile stays. */
static int put_back(int root, struct fault *why)
{
	scoped(drop_dir) DIR *dir = NULL;
	struct dirent *entry;
	int aside = openat(root, APT_ASIDE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	scoped(drop_fd) int conf = -1;
	int r;

	if (aside < 0)
		return errno == ENOENT ? 0 : fault_errno(why, errno, "%s", APT_ASIDE);
	dir = fdopendir(aside);
	conf = openat(root, APT_CONF, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (!dir || conf < 0)
		return fault_errno(why, errno, "%s", APT_CONF);
	while ((entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
		    renameat2(aside, entry->d_name, conf, entry->d_name, RENAME_NOREPLACE) < 0 &&
		    errno != EEXIST)
			return fault_errno(why, errno, "%s/%s", APT_CONF, entry->d_name);
	r = fs_remove_tree(root, APT_ASIDE, why);
	return r < 0 ? r : 0;
}

/*
 * Their settings and what their scripts remember; apt took away only their files. A log would tell
 * the time.
 */
static int purge(const char *root, const struct args *packages, struct fault *why)
{
	static const char *const words[] = { "env",	"DEBIAN_FRONTEND=noninteractive",
					     "dpkg",	"--log=/dev/null",
					     "--purge", NULL };
	scoped(args_done) struct args argv = { 0 };

	if (packages->n == 0)
		return 0;
	args_add_all(&argv, words);
	args_add_all(&argv, args_list(packages));
	if (!args_list(&argv))
		return fault_errno(why, ENOMEM, "dpkg");
	return root_run(root, args_list(&argv), NULL, why);
}

/* Its generator looks for the one file; the other counts for whoever removes that. */
static int silence(int root, struct fault *why)
{
	int r;

	if (faccessat(root, CLOUD_CFG, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return 0;
	r = fs_write(root, "etc/cloud/cloud-init.disabled", 0644, "", 0, why);
	if (r >= 0)
		r = fs_write(root, CLOUD_CFG "/99-rackseed.cfg", 0644, no_network,
			     strlen(no_network), why);
	return r < 0 ? r : 0;
}

/* A kernel that was installed already is linked by nobody; the newest is to start. */
static int link_kernel(const char *root, int root_fd, struct fault *why)
{
	static const char *const list[] = { "linux-version", "list", NULL };
	static const char *const sort[] = { "linux-version", "sort", "--reverse", NULL };
	scoped(text_done) struct text versions = { 0 };
	scoped(text_done) struct text sorted = { 0 };
	scoped(text_done) struct text target = { 0 };
	scoped(args_done) struct args argv = { 0 };
	const char *at;
	size_t n;
	int r;

	if (faccessat(root_fd, KERNEL_LINK, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return 0;
	r = root_run(root, list, &versions, why);
	args_add_all(&argv, sort);
	for (at = text_str(&versions); *at; at += n + strspn(at + n, "\n")) {
		n = strcspn(at, "\n");
		args_add(&argv, "%.*s", (int)n, at);
	}
	if (r < 0 || argv.n == COUNT(sort) - 1) /* that a kernel lacks is said by who needs it */
		return r;
	if (!args_list(&argv))
		return fault_errno(why, ENOMEM, KERNEL_LINK);
	r = root_run(root, args_list(&argv), &sorted, why);
	if (r < 0)
		return r;
	text_addf(&target, "vmlinuz-%.*s", (int)strcspn(text_str(&sorted), "\n"),
		  text_str(&sorted));
	r = fs_link(root_fd, KERNEL_LINK, text_str(&target), why);
	return r < 0 ? r : 0;
}

int cloud_settle(const char *root, const struct args *unwanted_packages, struct fault *why)
{
	scoped(drop_fd) int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (fd < 0)
		return fault_errno(why, errno, "%s", root);
	r = put_back(fd, why);
	if (r == 0)
		r = purge(root, unwanted_packages, why);
	if (r == 0)
		r = link_kernel(root, fd, why);
	return r < 0 ? r : silence(fd, why);
}
