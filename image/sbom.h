/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdint.h>

struct fault;
struct text;

/*
 * What an image is made of, as SPDX 2.3 in JSON (spdx.github.io/spdx-spec/v2.3): the golden disk,
 * each package of its system with its package URL, and each container image that lies in it.
 */
struct sbom {
	const char *name;	  /* of the disk: "golden-KEY.raw" */
	const char *key;	  /* its sum in hex; the document's namespace is made of it */
	const char *distribution; /* "debian" */
	const char *release;	  /* "bookworm" */
	const char *packages;	  /* what dpkg-query prints for SBOM_FORMAT */
	const char *images;	  /* lines of "ARCHIVE REFERENCE", or "" */
	int64_t epoch;		  /* seconds: when it counts as made */
};

#define SBOM_FORMAT                                                                                \
	"${Package}\t${Version}\t${Architecture}\t${source:Package}\t${source:Version}\n"

/* Pure: the same in gives the same bytes. -EBADMSG for packages that are not as they must be. */
int sbom_render(const struct sbom *sbom, struct text *out, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
