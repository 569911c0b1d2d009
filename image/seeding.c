/* SPDX-License-Identifier: MIT */
#include "image/seeding.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/model.h"
#include "cluster/seed.h"
#include "image/args.h"
#include "image/build.h"
#include "image/fat.h"
#include "image/secret.h"

static int add_secret(const struct build *b, const char *path, struct seed *seed, struct fault *why)
{
	scoped(text_wipe) struct text bytes = { 0 };
	scoped(text_done) struct text full = { 0 };
	int folder = b->folder;
	int r;

	text_addf(&full, "secrets/%s", path);
	if (text_error(&full) < 0)
		return fault_errno(why, ENOMEM, "seed");
	r = secret_read(&folder, path, &bytes, why);
	return r < 0 ? r : seed_add(seed, text_str(&full), text_str(&bytes), bytes.len, why);
}

static int add_secrets(const struct build *b, const struct model_node *node, struct seed *seed,
		       struct fault *why)
{
	const char **paths = NULL;
	size_t i;
	int r = seed_secrets(b->model, node, &paths, why);

	for (i = 0; r == 0 && paths[i]; i++)
		r = add_secret(b, paths[i], seed, why);
	free(paths);
	return r;
}

int seeding_gather(const struct build *b, const struct model_node *node, struct seed *ret,
		   char ret_sum[static DIGEST_LEN], struct fault *why)
{
	scoped(seed_done) struct seed seed = { 0 };
	scoped(text_done) struct text name = { 0 };
	const struct seed_file *sums;
	int r;

	text_addf(&name, "%s\n", node->name);
	if (text_error(&name) < 0)
		return fault_errno(why, ENOMEM, "seed");
	r = seed_add(&seed, "node", text_str(&name), name.len, why);
	if (r == 0)
		r = seed_add(&seed, "cluster.yaml", b->source, b->source_len, why);
	if (r == 0)
		r = add_secrets(b, node, &seed, why);
	if (r == 0)
		r = seed_seal(&seed, why);
	if (r < 0)
		return fault_wrap(why, "node '%s'", node->name);
	sums = seed_find(&seed, "SHA256SUMS");
	r = digest_bytes(sums->data, sums->len, ret_sum, why);
	if (r < 0)
		return r;
	*ret = seed;
	seed = (struct seed){ 0 };
	return 0;
}

/* Adds the folders that path lies in, but those that the file before lies in too. */
static void add_folders(const char *path, const char *before, struct args *out)
{
	const char *slash = path;

	while ((slash = strchr(slash, '/'))) {
		size_t n = (size_t)(slash - path) + 1;

		slash++;
		if (!before || strncmp(before, path, n) != 0)
			args_add(out, "%.*s", (int)n - 1, path);
	}
}

uint32_t seeding_serial(const char *sum, const char *golden_key)
{
	char seed[9], golden[9];

	snprintf(seed, sizeof(seed), "%.8s", sum);
	snprintf(golden, sizeof(golden), "%.8s", golden_key);
	return (uint32_t)strtoul(seed, NULL, 16) ^ (uint32_t)strtoul(golden, NULL, 16);
}

int seeding_write(const struct fat *fat, const struct seed *seed, struct fault *why)
{
	scoped(args_done) struct args folders = { 0 };
	size_t i;
	int r = fat_format(fat, why);

	/* In the order of their paths, so the files of one folder follow each other. */
	for (i = 0; i < seed->n; i++)
		add_folders(seed->files[i].path, i ? seed->files[i - 1].path : NULL, &folders);
	if (r == 0 && folders.error)
		r = fault_errno(why, ENOMEM, "folders");
	if (r == 0 && folders.n)
		r = fat_mkdirs(fat, args_list(&folders), why);
	for (i = 0; r == 0 && i < seed->n; i++)
		r = fat_write(fat, seed->files[i].path, seed->files[i].data, seed->files[i].len,
			      why);
	return r < 0 ? fault_wrap(why, "seed") : 0;
}
