/* SPDX-License-Identifier: MIT */
#include "image/fat.h"

#include <errno.h>
#include <stdio.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/run.h"
#include "image/args.h"

/* Runs a program of mtools with its clock and its settings held fast. */
static int mtool(const struct fat *fat, const struct args *argv, const char *data, size_t len,
		 struct fault *why)
{
	char epoch[64];
	const char *const env[] = { epoch, "TZ=UTC", "LC_ALL=C", "MTOOLSRC=/dev/null", NULL };

	if (!args_list(argv))
		return fault_errno(why, ENOMEM, "mtools");
	snprintf(epoch, sizeof(epoch), "SOURCE_DATE_EPOCH=%lld", (long long)fat->epoch);
	return run(&(struct run){ .argv = args_list(argv),
				  .env = env,
				  .input = data,
				  .input_len = len,
				  .timeout_ms = 5 * 60 * 1000 },
		   why);
}

static void begin(const struct fat *fat, const char *program, struct args *argv)
{
	args_add(argv, "%s", program);
	args_add(argv, "-i");
	args_add(argv, "%s@@%llu", fat->path, (unsigned long long)fat->offset);
}

int fat_format(const struct fat *fat, struct fault *why)
{
	scoped(args_done) struct args argv = { 0 };

	begin(fat, "mformat", &argv);
	if (fat->bits == 32)
		args_add(&argv, "-F");
	args_add(&argv, "-T");
	args_add(&argv, "%llu", (unsigned long long)(fat->size / 512));
	args_add(&argv, "-h");
	args_add(&argv, "255");
	args_add(&argv, "-s");
	args_add(&argv, "63");
	args_add(&argv, "-H");
	args_add(&argv, "%llu", (unsigned long long)(fat->offset / 512));
	args_add(&argv, "-N");
	args_add(&argv, "%08x", fat->serial);
	args_add(&argv, "-v");
	args_add(&argv, "%s", fat->label);
	args_add(&argv, "::");
	return mtool(fat, &argv, NULL, 0, why);
}

int fat_mkdirs(const struct fat *fat, const char *const *paths, struct fault *why)
{
	scoped(args_done) struct args argv = { 0 };

	if (!*paths)
		return 0;
	begin(fat, "mmd", &argv);
	for (; *paths; paths++)
		args_add(&argv, "::%s", *paths);
	return mtool(fat, &argv, NULL, 0, why);
}

int fat_write(const struct fat *fat, const char *path, const char *data, size_t len,
	      struct fault *why)
{
	scoped(args_done) struct args argv = { 0 };

	begin(fat, "mcopy", &argv);
	args_add(&argv, "-");
	args_add(&argv, "::%s", path);
	return mtool(fat, &argv, data, len, why);
}
