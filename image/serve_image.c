/* SPDX-License-Identifier: MIT */
#include "image/serve.h"

#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <com_err.h>
#include <ext2fs/ext2fs.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/installer.h"
#include "image/boot.h"
#include "image/disk.h"

enum { FILE_MAX = 512 << 20, INDEX_MAX = 16 << 20, ENTRY = 128, PART_NUMBER = 5 };

DEFINE_DROP(ext2, ext2_filsys, ext2fs_close)
DEFINE_DROP(ext2_file, ext2_file_t, ext2fs_file_close)

static int ext2_fault(struct fault *why, errcode_t code, const char *what)
{
	return fault_set(why, code == EXT2_ET_FILE_NOT_FOUND ? ENOENT : EIO, "%s: %s", what,
			 error_message(code));
}

static int open_fs(const char *image, uint64_t offset, ext2_filsys *ret, struct fault *why)
{
	char options[64];
	errcode_t code;

	snprintf(options, sizeof(options), "offset=%" PRIu64, offset);
	code = ext2fs_open2(image, options, EXT2_FLAG_64BITS, 0, 0, unix_io_manager, ret);
	return code ? ext2_fault(why, code, image) : 0;
}

/* Links are followed, as they are meant below that root. */
static int read_file(ext2_filsys fs, const char *path, size_t max, struct text *out,
		     struct fault *why)
{
	scoped(drop_ext2_file) ext2_file_t file = NULL;
	static char buf[1 << 16];
	unsigned got = 1;
	ext2_ino_t number;
	errcode_t code = ext2fs_namei_follow(fs, EXT2_ROOT_INO, EXT2_ROOT_INO, path, &number);

	if (code == 0)
		code = ext2fs_file_open(fs, number, 0, &file);
	while (code == 0 && got > 0) {
		code = ext2fs_file_read(file, buf, sizeof(buf), &got);
		if (code == 0)
			text_add_n(out, buf, got);
		if (out->len > max)
			return fault_set(why, EFBIG, "%s of the image", path);
	}
	if (code)
		return ext2_fault(why, code, path);
	return text_error(out) < 0 ? fault_errno(why, ENOMEM, "%s", path) : 0;
}

/* Where the partition behind root begins: its row of the table that rackseed wrote. */
static int find_part(int fd, const char *image, uint64_t *ret, struct fault *why)
{
	unsigned char head[2 * DISK_SECTOR + PART_NUMBER * ENTRY];
	uint64_t first;
	ssize_t n = pread(fd, head, sizeof(head), 0);

	if (n < 0)
		return fault_errno(why, errno, "%s", image);
	memcpy(&first, head + sizeof(head) - ENTRY + 32, sizeof(first));
	first = le64toh(first);
	if (n != (ssize_t)sizeof(head) || memcmp(head + DISK_SECTOR, "EFI PART", 8) != 0 ||
	    first == 0 || first > UINT64_MAX / DISK_SECTOR)
		return fault_set(why, EBADMSG,
				 "%s is no installer image: `rackseed build --installer` makes one",
				 image);
	*ret = first * DISK_SECTOR;
	return 0;
}

/* By what is open: the name may be another image's by now. */
static int open_same(int image, uint64_t offset, ext2_filsys *ret, struct fault *why)
{
	char path[40];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", image);
	return open_fs(path, offset, ret, why);
}

int serve_image_open(const char *image, struct serve_image *ret, struct fault *why)
{
	scoped(drop_ext2) ext2_filsys fs = NULL;
	scoped(text_done) struct text json = { 0 };
	scoped(installer_done) struct installer says = { 0 };
	struct stat st;
	uint64_t offset = 0;
	int r;

	ret->fd = open(image, O_RDONLY | O_CLOEXEC);
	if (ret->fd < 0 && errno == ENOENT)
		return fault_set(why, ENOENT,
				 "%s is not there: `rackseed build --installer` makes it", image);
	if (ret->fd < 0 || fstat(ret->fd, &st) < 0)
		return fault_errno(why, errno, "%s", image);
	r = find_part(ret->fd, image, &offset, why);
	if (r == 0)
		r = open_same(ret->fd, offset, &fs, why);
	if (r == 0)
		r = read_file(fs, INSTALLER_FILE, INDEX_MAX, &json, why);
	if (r == 0)
		r = read_file(fs, "grub.cfg", INDEX_MAX, ret->grub, why);
	if (r == 0)
		r = installer_parse(text_str(&json), json.len, &says, why);
	if (r < 0)
		return fault_wrap(why, "%s", image);
	ret->sealed = says.sealed;
	snprintf(ret->path, sizeof(ret->path), "/installer-%llx-%llx.raw",
		 (unsigned long long)st.st_ino,
		 (unsigned long long)st.st_mtim.tv_sec * 1000000000 +
			 (unsigned long long)st.st_mtim.tv_nsec);
	return 0;
}

static int offer(struct serve_files *files, const char *path, int fd, bool image, struct fault *why)
{
	struct serve_file *f = &files->list[files->n];
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return fault_errno(why, errno, "%s", path);
	snprintf(f->path, sizeof(f->path), "%s", path);
	f->fd = fd;
	f->size = (uint64_t)st.st_size;
	f->image = image;
	files->n++;
	return 0;
}

/* Into the folder for TFTP, and as a row for HTTP. */
static int put(int folder, const char *path, const struct text *bytes, struct serve_files *files,
	       struct fault *why)
{
	int r = text_error(bytes) < 0
			? fault_errno(why, ENOMEM, "%s", path)
			: fs_write(folder, path, 0644, text_str(bytes), bytes->len, why);

	if (r < 0)
		return r;
	return offer(files, path, openat(folder, path + 1, O_RDONLY | O_CLOEXEC), false, why);
}

static int put_from(ext2_filsys fs, const char *from, int folder, const char *path,
		    struct serve_files *files, struct fault *why)
{
	scoped(text_done) struct text bytes = { 0 };
	int r = read_file(fs, from, FILE_MAX, &bytes, why);

	return r < 0 ? r : put(folder, path, &bytes, files, why);
}

/* GRUB looks beside itself, or where its maker said: Debian's and Ubuntu's differ. */
static int put_grub(int folder, const struct text *grub, struct serve_files *files,
		    struct fault *why)
{
	static const char *const places[] = { "/grub.cfg", "/grub/grub.cfg",
					      "/debian-installer/amd64/grub/grub.cfg" };
	size_t i;
	int r = 0;

	for (i = 0; r == 0 && i < COUNT(places); i++)
		r = put(folder, places[i], grub, files, why);
	return r;
}

static int put_made(ext2_filsys fs, const struct serve_image *from, const struct serve_net *net,
		    int folder, struct serve_files *files, struct fault *why)
{
	scoped(text_done) struct text program = { 0 };
	scoped(text_done) struct text initrd = { 0 };
	scoped(text_done) struct text grub = { 0 };
	int r = read_file(fs, "usr/lib/rackseed/rackseed-netstick", FILE_MAX, &program, why);

	if (r < 0)
		return r;
	serve_initrd(&program, &initrd);
	r = put(folder, "/netstick.img", &initrd, files, why);
	if (r == 0)
		r = serve_grub(text_str(from->grub), net, from->path, &grub, why);
	return r < 0 ? r : put_grub(folder, &grub, files, why);
}

int serve_image_unpack(const char *image, const struct serve_image *from,
		       const struct serve_net *net, struct serve_files *ret, struct fault *why)
{
	static const char *const rows[][2] = {
		{ "usr/lib/shim/shimx64.efi.signed", "/shimx64.efi" },
		{ "usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed", "/grubx64.efi" },
		{ BOOT_PXE, "/grub.pxe" },
		{ "boot/vmlinuz", "/vmlinuz" },
		{ "boot/initrd.img", "/initrd.img" },
	};
	scoped(drop_ext2) ext2_filsys fs = NULL;
	scoped(drop_fd) int folder = open(net->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	size_t i;
	int r = folder < 0 ? fault_errno(why, errno, "%s", net->folder)
			   : open_same(from->fd, DISK_ROOT_OFFSET, &fs, why);

	for (i = 0; r == 0 && i < COUNT(rows); i++)
		r = put_from(fs, rows[i][0], folder, rows[i][1], ret, why);
	if (r == 0)
		r = put_made(fs, from, net, folder, ret, why);
	if (r == -ENOENT)
		return fault_set(why, ENOENT, "%s is of an older rackseed: build it again", image);
	if (r == 0)
		r = offer(ret, from->path, dup(from->fd), true, why);
	return r < 0 ? fault_wrap(why, "%s", image) : 0;
}
