/* SPDX-License-Identifier: MIT */
#include "image/ext4.h"

#include <errno.h>
#include <fts.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <com_err.h>
#include <ext2fs/ext2fs.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/run.h"
#include "image/args.h"

enum { BLOCK = 4096, MIB = 1 << 20, BYTES_PER_INODE = 16384, SPARE_MIB = 256, ENTRY = 12 };

DEFINE_DROP(fts, FTS *, fts_close)

int ext4_measure(const char *root, uint64_t *ret_bytes, struct fault *why)
{
	char *const paths[] = { (char *)(uintptr_t)root, NULL };
	scoped(drop_fts) FTS *walk = fts_open(paths, FTS_PHYSICAL | FTS_XDEV | FTS_NOCHDIR, NULL);
	uint64_t blocks = 0, inodes = 0, names = 0, size, need;
	FTSENT *entry;

	if (!walk)
		return fault_errno(why, errno, "%s", root);
	while ((entry = fts_read(walk))) {
		if (entry->fts_info == FTS_ERR || entry->fts_info == FTS_DNR ||
		    entry->fts_info == FTS_NS)
			return fault_errno(why, entry->fts_errno, "%s", entry->fts_path);
		if (entry->fts_info == FTS_DP)
			continue;
		inodes++;
		/* A folder's own size tells of the file system that it lies on here. */
		names += ENTRY + entry->fts_namelen;
		size = entry->fts_info == FTS_D ? 0 : (uint64_t)entry->fts_statp->st_size;
		blocks += (size + BLOCK - 1) / BLOCK + 1;
	}
	blocks += names / BLOCK + 1;
	need = blocks * BLOCK + blocks * BLOCK / 5;
	if (need < inodes * BYTES_PER_INODE * 5 / 4)
		need = inodes * BYTES_PER_INODE * 5 / 4;
	*ret_bytes = (need / MIB + 1 + SPARE_MIB) * MIB;
	return 0;
}

static int make(const struct ext4 *what, struct fault *why)
{
	scoped(args_done) struct args argv = { 0 };
	scoped(args_done) struct args env = { 0 };

	args_add(&env, "MKE2FS_CONFIG=%s", what->mke2fs_conf);
	args_add(&env, "E2FSPROGS_FAKE_TIME=%lld", (long long)what->epoch);
	args_add(&env, "MKE2FS_SYNC=0");
	args_add(&argv, "mke2fs");
	args_add(&argv, "-q");
	args_add(&argv, "-F");
	args_add(&argv, "-t");
	args_add(&argv, "ext4");
	args_add(&argv, "-b");
	args_add(&argv, "%d", BLOCK);
	args_add(&argv, "-m");
	args_add(&argv, "1");
	args_add(&argv, "-L");
	args_add(&argv, "rackseed-root");
	args_add(&argv, "-U");
	args_add(&argv, "%s", what->uuid);
	args_add(&argv, "-E");
	args_add(&argv,
		 "offset=%llu,hash_seed=%s,root_owner=0:0,lazy_itable_init=0,lazy_journal_init=0",
		 (unsigned long long)what->offset, what->hash_seed);
	args_add(&argv, "-d");
	args_add(&argv, "%s", what->root);
	args_add(&argv, "%s", what->disk);
	args_add(&argv, "%lluk", (unsigned long long)(what->size / 1024));
	if (!args_list(&argv) || !args_list(&env))
		return fault_errno(why, ENOMEM, "mke2fs");
	return run(&(struct run){ .argv = args_list(&argv),
				  .env = args_list(&env),
				  .timeout_ms = 60 * 60 * 1000 },
		   why);
}

static int ext2_fault(struct fault *why, errcode_t code, const char *what)
{
	return fault_set(why, EIO, "%s: %s", what, error_message(code));
}

/* The times of one inode: none later than epoch, and those that only the copying made, epoch. */
static void settle(struct ext2_inode_large *inode, uint32_t epoch)
{
	inode->i_atime = epoch;
	inode->i_ctime = epoch;
	if (inode->i_mtime > epoch)
		inode->i_mtime = epoch;
	inode->i_crtime = epoch;
	inode->i_atime_extra = 0;
	inode->i_ctime_extra = 0;
	inode->i_mtime_extra = 0;
	inode->i_crtime_extra = 0;
}

static errcode_t settle_all(ext2_filsys fs, uint32_t epoch)
{
	struct ext2_inode_large inode;
	struct ext2_inode *small = (struct ext2_inode *)&inode;
	ext2_inode_scan scan = NULL;
	ext2_ino_t number;
	errcode_t code = ext2fs_open_inode_scan(fs, 0, &scan);

	while (code == 0) {
		code = ext2fs_get_next_inode_full(scan, &number, small, sizeof(inode));
		if (code || number == 0)
			break;
		if (!ext2fs_test_inode_bitmap2(fs->inode_map, number) || inode.i_links_count == 0)
			continue;
		settle(&inode, epoch);
		code = ext2fs_write_inode_full(fs, number, small, sizeof(inode));
	}
	ext2fs_close_inode_scan(scan);
	return code;
}

static int settle_times(const struct ext4 *what, struct fault *why)
{
	char options[64];
	ext2_filsys fs = NULL;
	errcode_t code, end;

	snprintf(options, sizeof(options), "offset=%llu", (unsigned long long)what->offset);
	code = ext2fs_open2(what->disk, options, EXT2_FLAG_RW | EXT2_FLAG_64BITS, 0, 0,
			    unix_io_manager, &fs);
	if (code)
		return ext2_fault(why, code, "cannot open the new file system");
	fs->now = (time_t)what->epoch;
	code = ext2fs_read_bitmaps(fs);
	if (code == 0)
		code = settle_all(fs, (uint32_t)what->epoch);
	/* In the copies, too: how much was written depends on how the files lay. */
	fs->super->s_kbytes_written = 0;
	fs->flags &= ~EXT2_FLAG_MASTER_SB_ONLY;
	ext2fs_mark_super_dirty(fs);
	end = ext2fs_close_free(&fs);
	if (code || end)
		return ext2_fault(why, code ? code : end, "cannot set the times of the new files");
	return 0;
}

int ext4_make(const struct ext4 *what, struct fault *why)
{
	int r = make(what, why);

	return r < 0 ? r : settle_times(what, why);
}
