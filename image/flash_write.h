/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fault;
struct flash_map;
struct flash_proof;
struct flash_source;
struct flash_table;
struct text;

/*
 * Writes an image to an open target. Until the last moment the target bears no partition table: its
 * first MiB and its end are erased before anything else and written after everything else has been
 * read back and compared, and the image was found to be what it must be. Whatever stops it leaves a
 * disk that nobody takes for a finished one.
 */

enum flash_phase {
	FLASH_WAITING,
	FLASH_PREPARING, /* erasing the old tables, discarding */
	FLASH_WRITING,
	FLASH_VERIFYING,
	FLASH_FINISHING, /* the tables */
	FLASH_FINISHED,
	FLASH_N_PHASES,
};

const char *flash_phase_name(enum flash_phase phase);

/* Shared with whoever shows it, and whoever wants it to stop. */
struct flash_progress {
	atomic_int phase;
	_Atomic uint64_t done, total; /* bytes of this phase */
	atomic_bool stop;
};

struct flash_order {
	const struct flash_source *source;
	const struct flash_map *map;
	const struct flash_table *table;
	bool verify;
	struct flash_proof *proof; /* that the source is what it must be, or NULL */
};

struct flash_result {
	uint64_t data_bytes, zero_bytes, verified_bytes;
	uint64_t ms[FLASH_N_PHASES]; /* how long each phase took */
};

/*
 * fd: open for writing, nobody else writes there. -ECANCELED when it was told to stop. Whatever
 * goes wrong, the fault says that the target is unfinished.
 */
int flash_write(int fd, const struct flash_order *order, struct flash_progress *progress,
		struct flash_result *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* "writing 42 %, 512.3 MB/s, 0:31 left", from what was done in elapsed_ms of this phase. Pure. */
void flash_progress_text(enum flash_phase phase, uint64_t done, uint64_t total, uint64_t elapsed_ms,
			 struct text *out) __attribute__((nonnull));
