/* SPDX-License-Identifier: MIT */
#include "image/flash_ext4.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ext2fs/ext2fs.h>

#include "base/fault.h"
#include "base/macros.h"
#include "image/flash_source.h"
#include "image/target_probe.h"

/* libext2fs reads through this: the file system lies somewhere in something that is no file. */
struct place {
	const struct flash_source *source;
	uint64_t start, length;
	struct struct_io_manager manager;
};

DEFINE_DROP(fs, ext2_filsys, ext2fs_free)

void flash_ranges_done(struct flash_ranges *list)
{
	free(list->list);
	*list = (struct flash_ranges){ 0 };
}

int flash_ranges_add(struct flash_ranges *list, uint64_t start, uint64_t length)
{
	if (list->n == list->room) {
		size_t room = list->room ? list->room * 2 : 64;
		struct flash_range *more = realloc(list->list, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		list->list = more;
		list->room = room;
	}
	list->list[list->n++] = (struct flash_range){ start, length };
	return 0;
}

/* An open() of libext2fs gets a name and nothing else: ours is the address of the place. */
static errcode_t place_open(const char *name, int flags, io_channel *ret)
{
	io_channel channel = calloc(1, sizeof(*channel));
	void *place = NULL;

	(void)flags;
	if (!channel || sscanf(name, "%p", &place) != 1) {
		free(channel);
		return EXT2_ET_NO_MEMORY;
	}
	channel->magic = EXT2_ET_MAGIC_IO_CHANNEL;
	channel->manager = &((struct place *)place)->manager;
	channel->block_size = 1024;
	channel->refcount = 1;
	channel->private_data = place;
	*ret = channel;
	return 0;
}

static errcode_t place_close(io_channel channel)
{
	if (--channel->refcount == 0)
		free(channel);
	return 0;
}

static errcode_t place_set_blksize(io_channel channel, int size)
{
	channel->block_size = size;
	return 0;
}

/* count: blocks, or bytes when negative. */
static errcode_t place_read64(io_channel channel, unsigned long long block, int count, void *data)
{
	const struct place *place = channel->private_data;
	uint64_t block_size = (uint64_t)channel->block_size;
	uint64_t n = count < 0 ? (uint64_t) - (int64_t)count : (uint64_t)count * block_size;
	struct fault why;

	if (block > place->length / block_size || n > place->length - block * block_size)
		return EXT2_ET_SHORT_READ;
	return flash_source_read(place->source, data, n, place->start + block * block_size, &why)
		       ? EXT2_ET_SHORT_READ
		       : 0;
}

static errcode_t place_read(io_channel channel, unsigned long block, int count, void *data)
{
	return place_read64(channel, block, count, data);
}

static errcode_t place_write64(io_channel channel, unsigned long long block, int count,
			       const void *data)
{
	(void)channel;
	(void)block;
	(void)count;
	(void)data;
	return EXT2_ET_RO_FILSYS;
}

static errcode_t place_write(io_channel channel, unsigned long block, int count, const void *data)
{
	return place_write64(channel, block, count, data);
}

static errcode_t place_flush(io_channel channel)
{
	(void)channel;
	return 0;
}

/*
 * As mke2fs divides a file system. libext2fs takes other numbers as they are, and writes beyond its
 * bitmap.
 */
static bool is_regular(ext2_filsys fs)
{
	const struct ext2_super_block *super = fs->super;
	const uint32_t most = 8 * fs->blocksize, per_group = super->s_blocks_per_group;
	const blk64_t blocks = ext2fs_blocks_count(fs->super);

	return super->s_first_data_block == (fs->blocksize == 1024) &&
	       blocks > super->s_first_data_block && per_group > 0 && per_group % 8 == 0 &&
	       per_group <= most && super->s_clusters_per_group == per_group &&
	       super->s_inodes_per_group > 0 && super->s_inodes_per_group % 8 == 0 &&
	       super->s_inodes_per_group <= most &&
	       fs->group_desc_count ==
		       (blocks - super->s_first_data_block + per_group - 1) / per_group;
}

/* What e2fsck would have to mend is not trusted with what may stay unwritten. */
static bool is_sound(ext2_filsys fs)
{
	return (fs->super->s_state & EXT2_VALID_FS) && !(fs->super->s_state & EXT2_ERROR_FS) &&
	       !ext2fs_has_feature_journal_needs_recovery(fs->super) &&
	       !ext2fs_has_feature_bigalloc(fs->super);
}

static int add_free(ext2_filsys fs, const struct place *place, struct flash_ranges *list)
{
	uint64_t size = fs->blocksize;
	blk64_t at = fs->super->s_first_data_block, last = ext2fs_blocks_count(fs->super) - 1;
	int r = 0;

	while (r == 0 && at <= last) {
		blk64_t from, to;

		if (ext2fs_find_first_zero_block_bitmap2(fs->block_map, at, last, &from) != 0)
			return 0;
		if (ext2fs_find_first_set_block_bitmap2(fs->block_map, from, last, &to) != 0)
			to = last + 1;
		r = flash_ranges_add(list, place->start + from * size, (to - from) * size);
		at = to;
	}
	return r;
}

int flash_ext4_unused(const struct flash_source *source, const struct target_partition *partition,
		      struct flash_ranges *list, struct fault *why)
{
	struct place place = {
		.source = source,
		.start = partition->start,
		.length = partition->length,
		.manager = { .magic = EXT2_ET_MAGIC_IO_MANAGER,
			     .name = "image",
			     .open = place_open,
			     .close = place_close,
			     .set_blksize = place_set_blksize,
			     .read_blk = place_read,
			     .write_blk = place_write,
			     .flush = place_flush,
			     .read_blk64 = place_read64,
			     .write_blk64 = place_write64 },
	};
	scoped(drop_fs) ext2_filsys fs = NULL;
	char name[32];

	snprintf(name, sizeof(name), "%p", (void *)&place);
	if (ext2fs_open2(name, NULL, EXT2_FLAG_64BITS, 0, 0, &place.manager, &fs) != 0) {
		fs = NULL;
		return 0;
	}
	if (!is_sound(fs) || !is_regular(fs) ||
	    ext2fs_blocks_count(fs->super) > partition->length / fs->blocksize ||
	    ext2fs_read_block_bitmap(fs) != 0)
		return 0;
	return add_free(fs, &place, list) < 0 ? fault_errno(why, ENOMEM, "free blocks") : 0;
}
