/* SPDX-License-Identifier: MIT */
/* seed DOCUMENT SECRETS NODE FOLDER: makes what SECRETS lacks, and the seed of NODE as a folder. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/complaint.h"
#include "cluster/document.h"
#include "cluster/model.h"
#include "cluster/pki.h"
#include "cluster/seed.h"

static int add(struct seed *seed, const char *path, const struct text *bytes, struct fault *why)
{
	return seed_add(seed, path, text_str(bytes), bytes->len, why);
}

static int add_secrets(struct seed *seed, const struct model *m, const struct model_node *node,
		       int secrets, struct fault *why)
{
	const char **paths = NULL;
	size_t i;
	int r = seed_secrets(m, node, &paths, why);

	for (i = 0; r >= 0 && paths[i]; i++) {
		scoped(text_wipe) struct text bytes = { 0 };
		scoped(text_done) struct text name = { 0 };

		text_addf(&name, "secrets/%s", paths[i]);
		r = fs_read(secrets, paths[i], 1 << 20, &bytes, why);
		if (r >= 0)
			r = add(seed, text_str(&name), &bytes, why);
	}
	free(paths);
	return r;
}

static int make(char **argv, struct fault *why)
{
	scoped(model_done) struct model m = { 0 };
	scoped(complaints_done) struct complaints c = { 0 };
	scoped(seed_done) struct seed seed = { 0 };
	scoped(text_done) struct text document = { 0 };
	scoped(text_done) struct text report = { 0 };
	scoped(text_done) struct text name = { 0 };
	scoped(drop_fd) int secrets = open(argv[2], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scoped(drop_fd) int folder = openat(secrets, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scoped(drop_fd) int out = open(argv[4], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct model_node *node;
	size_t i;
	int r;

	if (secrets < 0 || folder < 0 || out < 0)
		return fault_errno(why, errno, "%s or %s", argv[2], argv[4]);
	r = document_load(AT_FDCWD, argv[1], &m, &c, &document, why);
	if (r < 0)
		return r;
	if (c.n_errors)
		return fault_set(why, EINVAL, "%s has errors", argv[1]);
	node = model_node(&m, argv[3]);
	if (!node)
		return fault_set(why, ENOENT, "no node '%s'", argv[3]);
	r = pki_create(&m, secrets, time(NULL), &report, why);
	if (r >= 0)
		r = pki_passwords(&m, folder, &report, why);
	text_addf(&name, "%s\n", argv[3]);
	if (r >= 0)
		r = add(&seed, "node", &name, why);
	if (r >= 0)
		r = add(&seed, "cluster.yaml", &document, why);
	if (r >= 0)
		r = add_secrets(&seed, &m, node, secrets, why);
	if (r >= 0)
		r = seed_seal(&seed, why);
	for (i = 0; r >= 0 && i < seed.n; i++)
		r = fs_write(out, seed.files[i].path, 0600, seed.files[i].data, seed.files[i].len,
			     why);
	return r;
}

int main(int argc, char **argv)
{
	struct fault why = { 0 };

	if (argc != 5) {
		fprintf(stderr, "usage: seed DOCUMENT SECRETS NODE FOLDER\n");
		return 2;
	}
	if (make(argv, &why) < 0) {
		fprintf(stderr, "seed: %s\n", why.text);
		return 1;
	}
	return 0;
}
