/* SPDX-License-Identifier: MIT */
#include "cluster/seed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/fault.h"
#include "base/macros.h"

enum { PATH_LEN = 200 };

void seed_done(struct seed *s)
{
	size_t i;

	for (i = 0; i < s->n; i++) {
		explicit_bzero(s->files[i].data, s->files[i].len);
		free(s->files[i].data);
		free(s->files[i].path);
	}
	free(s->files);
	*s = (struct seed){ 0 };
}

/* What FAT keeps as it is on every system: printable ASCII without what it reserves. */
static bool is_plain(const char *path)
{
	const char *part = path;
	const char *p;

	for (p = path; *p; p++)
		if (*p < 0x20 || *p > 0x7e || strchr("\"*:<>?\\|", *p))
			return false;
	if (p - path > PATH_LEN)
		return false;
	while (part) {
		size_t n = strcspn(part, "/");

		/* "", "." and ".."; and FAT drops a dot or a space at the end of a name. */
		if (n == 0 || part[n - 1] == '.' || part[n - 1] == ' ' || part[0] == ' ')
			return false;
		part = part[n] ? part + n + 1 : NULL;
	}
	return true;
}

const struct seed_file *seed_find(const struct seed *s, const char *path)
{
	size_t i;

	for (i = 0; i < s->n; i++)
		if (strcmp(s->files[i].path, path) == 0)
			return &s->files[i];
	return NULL;
}

static int refuse(const struct seed *s, const char *path, size_t len, struct fault *why)
{
	size_t sum = len;
	size_t i;

	if (!is_plain(path))
		return fault_set(why, EINVAL, "'%.200s' is no name for a file of a seed", path);
	if (s->n >= SEED_MAX_FILES)
		return fault_set(why, EFBIG, "more than %d files in a seed", SEED_MAX_FILES);
	for (i = 0; i < s->n; i++) {
		if (strcasecmp(s->files[i].path, path) == 0)
			return fault_set(why, EEXIST, "'%s' is in the seed already%s%s", path,
					 strcmp(s->files[i].path, path) ? " as " : "",
					 strcmp(s->files[i].path, path) ? s->files[i].path : "");
		sum += s->files[i].len;
	}
	if (len > SEED_BYTES || sum > SEED_BYTES)
		return fault_set(why, EFBIG, "'%s': the seed would be larger than %d MiB", path,
				 SEED_BYTES >> 20);
	return 0;
}

static int grow(struct seed *s)
{
	size_t size = s->size ? 2 * s->size : 16;
	struct seed_file *files;

	if (s->n < s->size)
		return 0;
	files = reallocarray(s->files, size, sizeof(*files));
	if (!files)
		return -ENOMEM;
	s->files = files;
	s->size = size;
	return 0;
}

int seed_add(struct seed *s, const char *path, const char *data, size_t len, struct fault *why)
{
	struct seed_file file = { .len = len };
	int r = refuse(s, path, len, why);

	if (r < 0)
		return r;
	if (grow(s) == 0) {
		file.path = strdup(path);
		file.data = malloc(len + 1);
	}
	if (!file.path || !file.data) {
		free(file.path);
		free(file.data);
		return fault_errno(why, ENOMEM, "seed");
	}
	if (len > 0)
		memcpy(file.data, data, len);
	file.data[len] = '\0';
	s->files[s->n++] = file;
	return 0;
}
