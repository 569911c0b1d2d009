/* SPDX-License-Identifier: MIT */
#include "image/archive.h"

#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/run.h"
#include "base/text.h"
#include "base/yaml.h"

enum { TAR_MS = 10 * 60 * 1000 };

void archive_done(struct archive *a)
{
	args_done(&a->names);
}

static void add(struct args *names, const struct yaml *name)
{
	if (yaml_text(name) && *yaml_text(name))
		args_add(names, "%s", yaml_text(name));
}

static void docker_names(const struct yaml *manifest, struct args *names)
{
	const struct yaml *tags;
	size_t i, k;

	for (i = 0; i < manifest->n_items; i++) {
		tags = yaml_get(&manifest->items[i], "RepoTags");
		for (k = 0; tags && tags->kind == YAML_SEQUENCE && k < tags->n_items; k++)
			add(names, &tags->items[k]);
	}
}

/* containerd writes the whole name beside the tag; skopeo the name in the tag's place. */
static void oci_names(const struct yaml *index, struct args *names)
{
	const struct yaml *manifests = yaml_get(index, "manifests");
	size_t i;

	for (i = 0; manifests && manifests->kind == YAML_SEQUENCE && i < manifests->n_items; i++) {
		const struct yaml *notes = yaml_get(&manifests->items[i], "annotations");
		const struct yaml *name = yaml_get(notes, "io.containerd.image.name");

		add(names, name ? name : yaml_get(notes, "org.opencontainers.image.ref.name"));
	}
}

int archive_names(const char *json, size_t len, bool oci, struct args *names, struct fault *why)
{
	scoped(yaml_done) struct yaml tree = { 0 };
	struct yaml_error error = { 0 };

	if (yaml_parse(json, len, &tree, &error) < 0)
		return fault_set(why, EBADMSG, "its index is not JSON: %s", error.message);
	if (tree.kind != (oci ? YAML_MAPPING : YAML_SEQUENCE))
		return fault_set(why, EBADMSG, "its index is no list of images");
	if (oci)
		oci_names(&tree, names);
	else
		docker_names(&tree, names);
	return names->error ? fault_errno(why, ENOMEM, "names") : 0;
}

static int extract(const char *path, const char *member, struct text *out, struct fault *why)
{
	const char *const argv[] = { "tar", "--extract", "--to-stdout", "--file",
				     path,  "--",	 member,	NULL };

	return run(&(struct run){ .argv = argv, .out = out, .timeout_ms = TAR_MS }, why);
}

int archive_read(const char *path, struct archive *ret, struct fault *why)
{
	scoped(text_done) struct text json = { 0 };
	struct archive a = { 0 };
	struct fault other = { 0 };
	int r = extract(path, "manifest.json", &json, why);

	/* Some archives are both; docker's part then tells the names that people know. */
	if (r < 0) {
		text_done(&json);
		a.oci = true;
		r = extract(path, "index.json", &json, &other);
	}
	if (r < 0)
		return fault_set(why, EBADMSG, "%s is no archive of images: %s", path, other.text);
	r = archive_names(text_str(&json), json.len, a.oci, &a.names, why);
	if (r < 0) {
		archive_done(&a);
		return fault_wrap(why, "%s", path);
	}
	*ret = a;
	return 0;
}

const char *archive_bare_name(const char *reference)
{
	size_t n = strcspn(reference, "/");

	if (reference[n] && (memchr(reference, '.', n) || memchr(reference, ':', n) ||
			     strncmp(reference, "localhost/", 10) == 0))
		return reference + n + 1;
	return reference;
}
