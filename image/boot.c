/* SPDX-License-Identifier: MIT */
#include "image/boot.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "image/args.h"
#include "image/disk.h"
#include "image/fat.h"
#include "image/release.h"
#include "image/render.h"
#include "image/root.h"

#define CORE "tmp/rackseed-core.img"

struct grub_image {
	const char *format, *path, *prefix;
	const char *more[3]; /* modules */
};

static const struct grub_image grub_core = { "i386-pc", CORE, "(,gpt4)/boot/grub", { NULL } };
/* The prefix is on what it was loaded from. */
static const struct grub_image grub_pxe = { "i386-pc-pxe", BOOT_PXE, "/grub", { "pxe", "tftp" } };
_Static_assert(DISK_ROOT_NUMBER == 4, "the prefix of the core names the root partition");

enum { MAX_FILE = 32 << 20 };

/* What the firmware and shim look for, by the names that removable disks must have. */
static const struct {
	const char *from, *other; /* the first that is there */
	const char *to;
} efi_files[] = {
	{ "usr/lib/shim/shimx64.efi.signed", NULL, "EFI/BOOT/BOOTX64.EFI" },
	/* Ubuntu's has no such ending, though it is signed as well. */
	{ "usr/lib/shim/mmx64.efi.signed", "usr/lib/shim/mmx64.efi", "EFI/BOOT/mmx64.efi" },
	{ "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed", NULL, "EFI/BOOT/grubx64.efi" },
};

/* Links within the root, absolute ones too, stay within it. */
static int read_in_root(const char *root, const char *path, struct text *out, struct fault *why)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT };
	scoped(drop_fd) int top = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scoped(drop_fd) int fd = -1;
	char self[64];

	if (top < 0)
		return fault_errno(why, errno, "%s", root);
	fd = (int)syscall(SYS_openat2, top, path, &how, sizeof(how));
	if (fd < 0)
		return fault_errno(why, errno, "the root's /%s", path);
	snprintf(self, sizeof(self), "self/fd/%d", fd);
	drop_fd(&top);
	top = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fs_read(top, self, MAX_FILE, out, why);
}

static int copy_efi_file(const struct boot *b, const struct fat *esp, size_t i, struct fault *why)
{
	scoped(text_done) struct text data = { 0 };
	int r = read_in_root(b->root, efi_files[i].from, &data, why);

	if (r == -ENOENT && efi_files[i].other)
		r = read_in_root(b->root, efi_files[i].other, &data, why);
	return r < 0 ? r : fat_write(esp, efi_files[i].to, text_str(&data), data.len, why);
}

static int write_grub_cfg(const struct boot *b, const struct fat *esp, struct fault *why)
{
	scoped(text_done) struct text cfg = { 0 };
	char path[64];

	render_grub_efi(b->texts, &cfg);
	snprintf(path, sizeof(path), "EFI/%s/grub.cfg", b->release->efi);
	return fat_write(esp, path, text_str(&cfg), cfg.len, why);
}

int boot_efi(const struct boot *b, struct fault *why)
{
	const struct fat esp = { .path = b->disk,
				 .offset = DISK_ESP_OFFSET,
				 .size = DISK_ESP_SIZE,
				 .label = "ESP",
				 .bits = 32,
				 .serial = b->serial,
				 .epoch = b->texts->epoch };
	char own[64];
	const char *const folders[] = { "EFI", "EFI/BOOT", own, NULL };
	size_t i;
	int r = fat_format(&esp, why);

	snprintf(own, sizeof(own), "EFI/%s", b->release->efi);
	if (r == 0)
		r = fat_mkdirs(&esp, folders, why);
	for (i = 0; r == 0 && i < COUNT(efi_files); i++)
		r = copy_efi_file(b, &esp, i, why);
	if (r == 0)
		r = write_grub_cfg(b, &esp, why);
	return r < 0 ? fault_wrap(why, "EFI system partition") : 0;
}

static void put_le(uint8_t *at, uint64_t value, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		at[i] = (uint8_t)(value >> (8 * i));
}

int boot_link(uint8_t *code, size_t code_len, uint8_t *core, size_t core_len, uint64_t sector,
	      struct fault *why)
{
	enum { CODE_SECTOR = 0x5c, CODE_DRIVE_CHECK = 0x66, LIST = DISK_SECTOR - 12 };
	size_t sectors = (core_len + DISK_SECTOR - 1) / DISK_SECTOR;

	if (code_len != DISK_SECTOR || code[510] != 0x55 || code[511] != 0xaa)
		return fault_set(why, EBADMSG, "boot.img is no boot sector");
	if (sectors < 2 || core_len > DISK_BIOS_SIZE)
		return fault_set(why, EBADMSG, "core.img has %zu bytes: it does not fit", core_len);
	/* boot.img loads one sector; that one has the list of the others, an entry at its end. */
	put_le(code + CODE_SECTOR, sector, 8);
	/* Some BIOSes pass a wrong drive number: two no-ops in place of the check of it. */
	code[CODE_DRIVE_CHECK] = 0x90;
	code[CODE_DRIVE_CHECK + 1] = 0x90;
	put_le(core + LIST, sector + 1, 8);
	put_le(core + LIST + 8, sectors - 1, 2);
	put_le(core + LIST + 10, 0x820, 2);
	return 0;
}

/* Both need no file but grub.cfg and what that names: all modules are within. */
static int make_image(const struct boot *b, const struct grub_image *image, struct fault *why)
{
	static const char *const modules[] = {
		"biosdisk",	"part_gpt",   "part_msdos", "ext2",	      "fat",	"normal",
		"linux",	"configfile", "search",	    "search_fs_uuid", "test",	"echo",
		"search_label", "ls",	      "cat",	    "minicmd",	      "serial", "terminal",
		"sleep",	"reboot",     "halt",	    "gzio",	      "regexp", NULL,
	};
	scoped(args_done) struct args args = { 0 };

	args_add(&args, "grub-mkimage");
	args_add(&args, "--format=%s", image->format);
	args_add(&args, "--output=/%s", image->path);
	args_add(&args, "--prefix=%s", image->prefix);
	args_add(&args, "--compression=auto");
	args_add_all(&args, modules);
	args_add_all(&args, image->more);
	if (!args_list(&args))
		return fault_errno(why, ENOMEM, "grub-mkimage");
	return root_run(b->root, args_list(&args), NULL, why);
}

static int put(int fd, const char *data, size_t len, off_t at)
{
	while (data && len > 0) {
		ssize_t n = pwrite(fd, data, len, at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static int write_both(const struct boot *b, struct text *code, struct text *core, struct fault *why)
{
	scoped(drop_fd) int fd = open(b->disk, O_RDWR | O_CLOEXEC);
	int r = boot_link((uint8_t *)code->data, code->len, (uint8_t *)core->data, core->len,
			  DISK_BIOS_OFFSET / DISK_SECTOR, why);

	if (r < 0)
		return r;
	if (fd < 0)
		return fault_errno(why, errno, "%s", b->disk);
	r = put(fd, core->data, core->len, DISK_BIOS_OFFSET);
	if (r == 0)
		r = put(fd, code->data, BOOT_CODE, 0);
	return r < 0 ? fault_errno(why, r, "%s", b->disk) : 0;
}

int boot_bios(const struct boot *b, struct fault *why)
{
	scoped(drop_fd) int root = open(b->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scoped(text_done) struct text code = { 0 };
	scoped(text_done) struct text core = { 0 };
	int r;

	if (root < 0)
		return fault_errno(why, errno, "%s", b->root);
	r = make_image(b, &grub_core, why);
	if (r == 0)
		r = make_image(b, &grub_pxe, why);
	if (r == 0)
		r = read_in_root(b->root, "usr/lib/grub/i386-pc/boot.img", &code, why);
	if (r == 0)
		r = read_in_root(b->root, CORE, &core, why);
	if (r == 0)
		r = write_both(b, &code, &core, why);
	if (r == 0)
		r = fs_remove(root, CORE, why);
	return r < 0 ? fault_wrap(why, "BIOS boot") : 0;
}
