/* SPDX-License-Identifier: MIT */
#include "image/command.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/model.h"
#include "cluster/pki.h"
#include "image/rotate.h"

/* Opens secrets/ in the folder, made 0700 where it is missing: mkdir alone would obey the umask. */
static int open_secrets(int folder, struct fault *why)
{
	int made = mkdirat(folder, "secrets", 0700);
	int fd;

	if (made < 0 && errno != EEXIST)
		return fault_errno(why, errno, "cannot make folder secrets");
	fd = openat(folder, "secrets", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fault_errno(why, errno, "secrets");
	if (made == 0 && (fchmod(fd, 0700) < 0 || fsync(folder) < 0)) {
		int r = fault_errno(why, errno, "secrets");

		close(fd);
		return r;
	}
	return fd;
}

static int make(const struct model *m, int folder, int secrets, struct text *report,
		struct fault *why)
{
	int r = pki_create(m, secrets, (int64_t)time(NULL), report, why);

	return r == 0 ? pki_passwords(m, folder, report, why) : r;
}

/* The public half of the token that is about to go, by which the cluster knows it. */
static void note_token(const struct model *m, int secrets, char *ret_id, size_t size)
{
	scoped(text_wipe) struct text token = { 0 };
	struct fault ignored = { 0 };

	*ret_id = '\0';
	if (pki_token(m, secrets, &token, &ignored) == 0)
		snprintf(ret_id, size, "%.*s", (int)strcspn(text_str(&token), "."),
			 text_str(&token));
}

static int rotate(const struct model *m, int folder, int secrets, const char *word,
		  struct text *report, struct fault *why)
{
	scoped(rotation_done) struct rotation rotation = { 0 };
	struct fault ended = { 0 };
	char id[16];
	int r, end;

	note_token(m, secrets, id, sizeof(id));
	r = rotate_begin(m, folder, word, &rotation, why);
	if (!rotation.paths.n)
		return r;
	if (r == 0)
		r = make(m, folder, secrets, report, why);
	end = rotate_end(&rotation, &ended);
	if (r == 0 && end < 0)
		*why = ended;
	if (r < 0 || end < 0)
		return -why->code;
	rotate_advice(m, &rotation, strcmp(word, "token") == 0 ? id : NULL, report);
	return 0;
}

static int secrets_run(const struct invocation *in, struct fault *why)
{
	bool rotates = in->n_args == 2 && strcmp(in->args[0], "rotate") == 0;
	scoped(model_done) struct model m = { 0 };
	scoped(text_done) struct text report = { 0 };
	int r = in->n_args && !rotates ? EXIT_MISUSE : command_load(in, &m, NULL, why);
	scoped(drop_fd) int folder = r == 0 ? command_folder(in, why) : -1;
	scoped(drop_fd) int secrets = folder >= 0 ? open_secrets(folder, why) : -1;

	if (r == EXIT_MISUSE)
		fprintf(stderr, "rackseed: secrets takes nothing, or rotate and one of: token, "
				"admin, registry, samba\n");
	if (r != 0)
		return r;
	if (secrets < 0)
		return -why->code;
	r = rotates ? rotate(&m, folder, secrets, in->args[1], &report, why)
		    : make(&m, folder, secrets, &report, why);
	/* What was made is told even when the rest was not. */
	fputs(text_str(&report), stdout);
	if (r == 0 && report.len == 0)
		puts("nothing to do");
	return r < 0 ? r : EXIT_DONE;
}

static const struct command_rule rules[] = { { "--json", NULL, NULL }, { NULL, NULL, NULL } };

const struct command cmd_secrets = {
	.name = "secrets",
	.synopsis = "[rotate token|admin|registry|samba]",
	.help = "makes what is missing in secrets/, or one secret anew",
	.rules = rules,
	.max_args = 2,
	.run = secrets_run,
};
