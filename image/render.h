/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

struct text;

/* Texts of the golden image. Pure. */

/* Names and numbers that the texts speak of. */
struct render {
	const char *distribution, *release;	     /* "debian", "bookworm" */
	const char *kubernetes, *containerd, *pause; /* exact, or NULL where there is none */
	char *const *kernel_arguments;		     /* of the document, or NULL */
	const char *modprobe; /* text of GPU_MODPROBE_PATH, or NULL */
	char *const *held;    /* packages that change with the cluster alone, or NULL */
	const char *root_uuid, *root_part_uuid, *esp_part_uuid;
	unsigned root_number; /* the root partition's */
	int64_t epoch;	      /* the date of every file that the build makes */
};

/* The kernel's, from " root=PARTUUID=ROOT_PART" on. */
void render_arguments(const struct render *in, const char *root_part, struct text *out);
void render_grub(const struct render *in, struct text *out);	 /* /boot/grub/grub.cfg */
void render_grub_efi(const struct render *in, struct text *out); /* the ESP's, which finds it */
void render_fstab(const struct render *in, struct text *out);
void render_repart(const struct render *in, struct text *out);
void render_image_json(const struct render *in, struct text *out);
void render_kernel_img(const struct render *in, struct text *out); /* where kernels put links */

/* Host files for the build itself. */
extern const char render_mke2fs_conf[]; /* features that each GRUB and kernel of ours can read */
extern const char render_containerd_toml[]; /* containerd for importing images, nothing else */
