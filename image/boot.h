/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct fault;
struct release;
struct render;
struct text;

/* How the disk starts: the ESP for UEFI, boot.img and core.img for BIOS; all from the root's. */

struct boot {
	const char *disk; /* the image file */
	const char *root; /* the tree */
	const struct release *release;
	const struct render *texts;
	uint32_t serial; /* of the ESP's file system */
};

/* Formats the ESP and fills it with the distribution's signed shim and GRUB. */
int boot_efi(const struct boot *b, struct fault *why) __attribute__((nonnull, warn_unused_result));

#define BOOT_PXE "usr/lib/rackseed/grub.pxe" /* GRUB for a BIOS that starts from the network */

/*
 * Makes core.img with the root's grub-mkimage and writes both parts of it to the disk; what starts
 * from a network stays in the root.
 */
int boot_bios(const struct boot *b, struct fault *why) __attribute__((nonnull, warn_unused_result));

enum { BOOT_CODE = 440 }; /* bytes before the partition table of a first sector */

/*
 * Writes into boot.img and core.img where core lies on the disk, as grub-bios-setup would: code is
 * the first sector, core starts at that sector. Pure. -EBADMSG when they are not what they seem.
 */
int boot_link(uint8_t *code, size_t code_len, uint8_t *core, size_t core_len, uint64_t sector,
	      struct fault *why) __attribute__((nonnull, warn_unused_result));
