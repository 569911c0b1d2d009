/* SPDX-License-Identifier: MIT */
/*
 * collect FOLDER: what a build does with `images:` of FOLDER/cluster.yaml. Prints the archives that
 * it would import, in the file's order.
 */
#include <fcntl.h>
#include <stdio.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "cluster/complaint.h"
#include "cluster/document.h"
#include "cluster/model.h"
#include "image/build.h"
#include "image/container.h"

static int collect(struct build *b, struct fault *why)
{
	scoped(container_done) struct container_images images = { 0 };
	size_t i;
	int r = cache_open(&b->cache, why);

	if (r == 0)
		r = cache_lock(&b->cache, &b->progress, why);
	if (r == 0)
		r = container_collect(b, &images, why);
	for (i = 0; r == 0 && i < images.archives.n; i++)
		puts(images.archives.list[i]);
	cache_done(&b->cache);
	return r;
}

int main(int argc, char **argv)
{
	scoped(model_done) struct model m = { 0 };
	scoped(complaints_done) struct complaints c = { 0 };
	scoped(text_done) struct text source = { 0 };
	const char *path = argc == 2 ? argv[1] : "";
	scoped(drop_fd) int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct build b = { .model = &m, .folder = folder, .folder_path = path };
	struct fault why = { 0 };
	int r = folder < 0 ? -1 : document_load(folder, "cluster.yaml", &m, &c, &source, &why);

	if (r == 0)
		r = collect(&b, &why);
	if (r < 0)
		fprintf(stderr, "%s\n", why.text);
	return r < 0;
}
