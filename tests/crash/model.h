/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * What a disk may hold after a power cut. Operations are recorded while a boot runs; those that no
 * sync covers may each be lost, by themselves and in any order that their own names allow: weaker
 * than any file system with a journal, so that what holds here holds on all of them. Data that was
 * not synced may be there, be lost, be torn, or have left its length behind full of zeros.
 */

enum op_kind {
	OP_CREATE, /* name in a folder: a new empty file */
	OP_MKDIR,
	OP_SYMLINK,
	OP_RENAME,
	OP_UNLINK,
	OP_RMDIR,
	OP_TRUNCATE, /* a file's data */
	OP_WRITE,
	OP_MODE,
	OP_SYNC_FILE,
	OP_SYNC_FOLDER,
	OP_SYNC_ALL,
	OP_MARK, /* something that the world saw: see mark */
};

enum op_fate { FATE_KEPT, FATE_LOST, FATE_TORN, FATE_ZEROED, N_FATES };

struct op {
	enum op_kind kind;
	char *path, *to; /* relative to the root; to: target of a link or of a rename */
	int ino;	 /* of files */
	mode_t mode;
	size_t offset, len;
	char *data;
	int mark;
};

struct trace {
	struct op *ops;
	size_t n, size;
	int next_ino;
};

struct op *trace_add(struct trace *t, enum op_kind kind, const char *path);
void trace_done(struct trace *t);

/* Which of the first n operations no sync among them covers: their numbers, and how many. */
size_t trace_volatile(const struct trace *t, size_t n, size_t *ret_list);

struct entry {
	char *path, *target; /* target: of a symbolic link */
	bool is_folder;
	int ino;
	mode_t mode;
	char *data;
	size_t len;
};

struct disk {
	struct entry *entries;
	size_t n, size;
};

void disk_done(struct disk *d);
void disk_copy(const struct disk *from, struct disk *to);
struct entry *disk_find(const struct disk *d, const char *path);

/* Reads a whole tree. */
void disk_take(struct disk *d, const char *root);
/* Makes root, an existing folder, hold exactly this. */
void disk_write(const struct disk *d, const char *root);
uint64_t disk_hash(const struct disk *d);

/* The first n operations over base; fates[i] is for operation i. */
void disk_apply(struct disk *d, const struct trace *t, size_t n, const unsigned char *fates);
