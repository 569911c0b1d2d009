/* SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/gpu.h"
#include "firstboot/gpu.h"

#define PCI "sys/bus/pci/devices"
#define SECURE_BOOT "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"

enum { CLASS_DISPLAY = 0x03, CLASS_ACCELERATOR = 0x12, CLASS_OTHER_BRIDGE = 0x0680 };
enum { SMALL = 4096, PCI_MAX = 4096 };

DEFINE_DROP(dir, DIR *, closedir)

/* A file of /sys as one word; "" where there is none. */
static void read_word(int folder, const char *path, char *buf, size_t size)
{
	scoped(text_done) struct text out = { 0 };
	struct fault ignored = { 0 };

	if (fs_read(folder, path, SMALL, &out, &ignored) < 0)
		text_done(&out);
	snprintf(buf, size, "%.*s", (int)strcspn(text_str(&out), "\n"), text_str(&out));
	text_tame(buf);
}

static unsigned long long read_number(int folder, const char *path)
{
	char word[32];

	read_word(folder, path, word, sizeof(word));
	return strtoull(word, NULL, 0);
}

static void read_driver(int folder, char *buf, size_t size)
{
	char target[256];
	ssize_t n = readlinkat(folder, "driver", target, sizeof(target) - 1);
	const char *slash;

	target[n > 0 ? n : 0] = '\0';
	slash = strrchr(target, '/');
	snprintf(buf, size, "%.*s", (int)size - 1, slash ? slash + 1 : target);
}

/* The kernel keeps what it read of a device that is gone; its registers are read anew here. */
static bool is_silent(int folder)
{
	static const unsigned char ones[4] = { 0xff, 0xff, 0xff, 0xff };
	scoped(drop_fd) int fd = openat(folder, "config", O_RDONLY | O_CLOEXEC);
	unsigned char id[sizeof(ones)];

	return fd >= 0 && read(fd, id, sizeof(id)) == (ssize_t)sizeof(id) &&
	       memcmp(id, ones, sizeof(id)) == 0;
}

static bool has_render_node(int folder)
{
	int fd = openat(folder, "drm", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scoped(drop_dir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (strncmp(entry->d_name, "renderD", 7) == 0)
			return true;
	return false;
}

/* Where no tool of the vendor's tells, the kernel does. */
static void read_untold(const struct gpu_facts *f, int folder, struct gpu_device *d)
{
	d->seen = has_render_node(folder);
	d->memory_mib = read_number(folder, "mem_info_vram_total") >> 20;
	read_word(folder, "product_name", d->product, sizeof(d->product));
	if (!d->product[0])
		snprintf(d->product, sizeof(d->product), "%04x-%04x", f->vendor->pci, d->device);
}

static void take_device(struct gpu_facts *f, int folder, const char *address)
{
	struct gpu_device *d = &f->devices[f->n++];

	*d = (struct gpu_device){ .device = (unsigned)read_number(folder, "device") };
	snprintf(d->address, sizeof(d->address), "%.*s", (int)sizeof(d->address) - 1, address);
	d->silent = is_silent(folder);
	read_driver(folder, d->driver, sizeof(d->driver));
	if (f->n == 1)
		read_word(folder, "modalias", f->alias, sizeof(f->alias));
	if (!f->vendor->test_program)
		read_untold(f, folder, d);
}

static void look_at(struct gpu_facts *f, int devices, const char *address)
{
	scoped(drop_fd) int folder = openat(devices, address, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	unsigned class;

	if (folder < 0 || read_number(folder, "vendor") != f->vendor->pci)
		return;
	class = (unsigned)read_number(folder, "class") >> 8;
	if (class == CLASS_OTHER_BRIDGE && f->vendor->fabric_unit)
		f->switches = true;
	if (f->n < GPU_DEVICES_MAX &&
	    (class >> 8 == CLASS_DISPLAY ||
	     (class >> 8 == CLASS_ACCELERATOR && f->vendor->accelerators)))
		take_device(f, folder, address);
}

static int by_address(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void free_names(char **names, size_t n)
{
	while (n > 0)
		free(names[--n]);
	free(names);
}

/* In the order of their addresses, whatever that of the folder is. */
static int scan(int root, struct gpu_facts *f, struct fault *why)
{
	scoped(drop_fd) int devices = openat(root, PCI, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int copy = devices < 0 ? -1 : fcntl(devices, F_DUPFD_CLOEXEC, 3);
	scoped(drop_dir) DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	char **names = calloc(PCI_MAX, sizeof(*names));
	const struct dirent *entry;
	size_t n = 0, i;

	if (!names || !dir) {
		free(names);
		return devices < 0 && errno == ENOENT ? 0 : fault_errno(why, errno, "/" PCI);
	}
	while (n < PCI_MAX && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		names[n] = strdup(entry->d_name);
		if (!names[n]) {
			free_names(names, n);
			return fault_errno(why, ENOMEM, "/" PCI);
		}
		n++;
	}
	qsort(names, n, sizeof(*names), by_address);
	for (i = 0; i < n; i++)
		look_at(f, devices, names[i]);
	free_names(names, n);
	return 0;
}

static bool has_module(int root, const char *name)
{
	char path[64];
	struct stat st;
	char *p;

	snprintf(path, sizeof(path), "sys/module/%s", name);
	for (p = path; *p; p++)
		*p = *p == '-' ? '_' : *p;
	return fstatat(root, path, &st, 0) == 0;
}

/* All that are loaded by name; else any that the kernel may have found by itself. */
static bool is_loaded(int root, const struct gpu_vendor *vendor)
{
	const char *const *name;

	for (name = vendor->modules; *name; name++)
		if (!has_module(root, *name))
			return false;
	if (vendor->modules[0])
		return true;
	for (name = vendor->drivers; *name; name++)
		if (has_module(root, *name))
			return true;
	return false;
}

/* A driver that is part of the kernel has the kernel's version. */
static void read_version(int root, struct gpu_facts *f)
{
	char path[64];

	f->driver[0] = '\0';
	if (!f->loaded)
		return;
	snprintf(path, sizeof(path), "sys/module/%s/version", f->vendor->drivers[0]);
	read_word(root, path, f->driver, sizeof(f->driver));
	if (!f->driver[0])
		read_word(root, "proc/sys/kernel/osrelease", f->driver, sizeof(f->driver));
}

/* Four bytes of attributes, and one that says whether. */
static bool is_secure_boot(int root)
{
	scoped(text_done) struct text out = { 0 };
	struct fault ignored = { 0 };

	return fs_read(root, SECURE_BOOT, SMALL, &out, &ignored) == 0 && out.len == 5 &&
	       out.data[4] == 1;
}

/* What a test said holds for the same devices under the same driver. */
static void keep_test(const struct gpu_facts *before, struct gpu_facts *f)
{
	size_t i;

	f->tested = before->tested && before->n == f->n && strcmp(before->driver, f->driver) == 0;
	for (i = 0; i < f->n && f->tested; i++) {
		const struct gpu_device *old = &before->devices[i];
		struct gpu_device *d = &f->devices[i];

		f->tested = strcmp(old->address, d->address) == 0 && old->device == d->device;
		d->seen = old->seen;
		d->memory_mib = old->memory_mib;
		snprintf(d->product, sizeof(d->product), "%s", old->product);
	}
}

static bool is_fresh(int root, const struct gpu_facts *f)
{
	scoped(text_done) struct text want = { 0 };
	scoped(text_done) struct text have = { 0 };
	struct fault ignored = { 0 };
	struct stat st;

	gpu_fingerprint(f, &want);
	return fstatat(root, &GPU_SPEC_PATH[1], &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_size > 0 &&
	       fs_read(root, GPU_STATE_PATH, 1 << 16, &have, &ignored) == 0 &&
	       strcmp(text_str(&want), text_str(&have)) == 0;
}

int gpu_probe(int root, struct gpu_facts *f, struct fault *why)
{
	const struct gpu_facts before = *f;
	int r;

	f->n = 0;
	f->switches = false;
	r = scan(root, f, why);
	if (r < 0)
		return r;
	f->loaded = is_loaded(root, f->vendor);
	f->secure_boot = is_secure_boot(root);
	read_version(root, f);
	if (f->vendor->test_program)
		keep_test(&before, f);
	else
		f->tested = true;
	f->spec_is_fresh = f->vendor->spec_program && is_fresh(root, f);
	return 0;
}
