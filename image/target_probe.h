/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "image/target.h"

struct fault;
struct text;

/* Finds the facts about a disk. Reads only. */

struct target {
	char *path; /* as given, for messages; never opened again */
	int fd;
	struct target_facts facts;
};

enum target_access {
	TARGET_TO_LOOK,	 /* read-only, and nobody is kept out */
	TARGET_TO_WRITE, /* for ourselves alone; where that is refused, to look and say why */
};

/*
 * Opens path, once, and looks. root is an open "/": /proc, /sys and /run/udev are read below it.
 * 0 even for what must not be written: target_judge() tells.
 */
int target_open(int root, const char *path, enum target_access access, struct target *ret,
		struct fault *why) __attribute__((nonnull, warn_unused_result));

/* Looks again through the fd that is open already, into *ret. */
int target_look(int root, const struct target *t, struct target_facts *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * For who may not open the disk: what /sys and /proc tell of the disk of that name in /sys/block,
 * and nothing of what is on it (unread is set).
 */
int target_look_name(int root, const char *name, struct target_facts *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

void target_done(struct target *t);

/*
 * The parts of it, each filling its own fields. sys: what the kernel and udev say of major:minor;
 * mounts: who uses the devices of family; content: what libblkid finds on it.
 */

enum { TARGET_MAX_FAMILY = 128 };

struct target_family { /* the disk, its partitions, and what is built from them */
	struct {
		unsigned major, minor;
		char name[64];
	} list[TARGET_MAX_FAMILY];
	size_t n;
};

int target_look_sys(int root, struct target_facts *f, struct target_family *ret_family,
		    struct fault *why) __attribute__((nonnull, warn_unused_result));
/* A file that is attached to a loop device is in use, too. */
void target_look_loops(int root, const char *real_path, struct target_facts *f)
	__attribute__((nonnull));
int target_look_mounts(int root, const struct target_family *family, struct target_facts *f,
		       struct fault *why) __attribute__((nonnull, warn_unused_result));
int target_look_content(int fd, struct target_facts *f, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* A file below dir without its line end, what no terminal should see replaced; "" when absent. */
void target_word(int dir, const char *path, char *buf, size_t size) __attribute__((nonnull));

/* "8:16", and a blank or the end behind it. */
bool target_device(const char *s, unsigned *ret_major, unsigned *ret_minor)
	__attribute__((nonnull, warn_unused_result));

struct target_partition {
	unsigned number;
	uint64_t start, length; /* bytes */
	char name[64];		/* GPT's, or "" */
};

/* The partitions in the table at fd, at most max of them. Returns how many, or negative. */
int target_partitions(int fd, struct target_partition *ret, size_t max, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* What a seed says of itself; "" for what cannot be read or has not the form of a name. */
struct target_seed {
	char node[254], cluster[254];
};

/* Copies length bytes at offset for target_seed_read(): from a disk, an image, anything. */
typedef int target_read_fn(const void *from, void *buf, size_t len, uint64_t offset,
			   struct fault *why);

int target_seed_read(target_read_fn *read, const void *from,
		     const struct target_partition *partition, struct target_seed *ret,
		     struct fault *why) __attribute__((nonnull, warn_unused_result));

/* target_read_fn for a pointer to an fd. */
int target_read_fd(const void *from, void *buf, size_t len, uint64_t offset, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
