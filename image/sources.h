/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "base/text.h"
#include "image/args.h"

struct build;
struct fault;

/* Where packages come from: the mirror, lines of sources.list, and folders of .deb files. */
struct sources {
	struct args mirrors; /* whole lines; none: mmdebstrap's own default */
	struct args lines;   /* of os.sources */
	struct args debs;    /* .deb files, absolute, sorted within their folder */
	struct text key;     /* all of it as text, the .debs by their sums */
	const char *components; /* of the distribution's archive */
};

void sources_done(struct sources *s);

/* Looks: the document, this machine's apt, the folders. */
int sources_collect(const struct build *b, unsigned uses, struct sources *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * Makes folder (below the cache) an archive of the .debs and writes a list of all extra sources to
 * folder/extra.list for the new root; nothing extra is an empty list.
 */
int sources_publish(const struct build *b, const struct sources *s, const char *folder,
		    struct fault *why) __attribute__((nonnull, warn_unused_result));

/* Whether any is a file: archive, whose packages the new root must be shown too. Pure. */
bool sources_are_local(const struct sources *s) __attribute__((nonnull));

/* The lines of `apt-get indextargets` that hold this release, as sources.list lines. Pure. */
void sources_from_apt(const char *targets, const char *release, const char *components,
		      struct args *out) __attribute__((nonnull));
