/* SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/streams.h"
#include "base/text.h"
#include "storage/client.h"
#include "storage/limit.h"
#include "storage/share.h"
#include "storage/storage.h"

#ifndef RACKSEED_VERSION
#define RACKSEED_VERSION "0"
#endif

enum { EXIT_DONE, EXIT_FAILED, EXIT_MISUSE };
enum { DEFAULT_LIMIT_S = 10, MAX_LIMIT_S = 3600, CREDENTIALS_MAX = 65536 };

struct options {
	const char *share, *credentials, *timeout;
	const char *write, *json, *help, *version, *list; /* not NULL: given */
};

static const struct {
	const char *name, *argument, *help; /* help NULL: not shown */
	size_t offset;
} table[] = {
	{ "timeout", "S", "seconds until the server counts as silent (default 10)",
	  offsetof(struct options, timeout) },
	{ "credentials", "FILE", "username=, password= and domain=, as mount.cifs(8) reads them",
	  offsetof(struct options, credentials) },
	{ "write", NULL, "make and remove a file on the share, too",
	  offsetof(struct options, write) },
	{ "json", NULL, "one line of JSON", offsetof(struct options, json) },
	{ "help", NULL, "this text", offsetof(struct options, help) },
	{ "version", NULL, "the version of rackseed", offsetof(struct options, version) },
	{ "list-options", NULL, NULL, offsetof(struct options, list) },
};

static void print_help(void)
{
	size_t i;
	int code;

	printf("usage: rackseed-share [OPTION...] //HOST[:PORT]/SHARE[/FOLDER]\n\n"
	       "Tells whether a share can be used, and if not, why.\n\n");
	for (i = 0; i < COUNT(table); i++)
		if (table[i].help)
			printf("  --%s%s%-*s %s\n", table[i].name, table[i].argument ? " " : "",
			       18 - (int)strlen(table[i].name) - (table[i].argument ? 1 : 0),
			       table[i].argument ? table[i].argument : "", table[i].help);
	printf("\nExit status: 1 failed before the share was asked, 2 misuse, else\n\n");
	for (code = 0; code < SHARE_N_CODES; code++)
		printf("  %-3d %-16s %s\n", share_code_exit((enum share_code)code),
		       share_code_name((enum share_code)code),
		       share_code_help((enum share_code)code));
}

static void list_options(void)
{
	size_t i;

	for (i = 0; i < COUNT(table); i++)
		if (table[i].help)
			printf("--%s\t%s\n", table[i].name, table[i].help);
}

static int misuse(const char *what, const char *word)
{
	fprintf(stderr, "rackseed-share: %s '%s' (see rackseed-share --help)\n", what, word);
	return -EINVAL;
}

/* Takes "--name[=value]" and, where it stands apart, the value. */
static int take_option(char **argv, int *at, struct options *o)
{
	const char *word = argv[*at] + 2;
	size_t n = strcspn(word, "=");
	const char *value = word[n] ? word + n + 1 : NULL;
	size_t i;

	for (i = 0; i < COUNT(table); i++)
		if (strlen(table[i].name) == n && strncmp(table[i].name, word, n) == 0)
			break;
	if (i == COUNT(table))
		return misuse("no such option", argv[*at]);
	if (value && !table[i].argument)
		return misuse("no value goes with", argv[*at]);
	if (table[i].argument && !value)
		value = argv[*at + 1] ? argv[++*at] : NULL;
	if (table[i].argument && !value)
		return misuse("a value is missing after", argv[*at]);
	*(const char **)((char *)o + table[i].offset) = value ? value : "";
	return 0;
}

static int parse(char **argv, struct options *o)
{
	int r = 0;
	int i;

	for (i = 1; r == 0 && argv[i]; i++) {
		if (strncmp(argv[i], "--", 2) == 0)
			r = take_option(argv, &i, o);
		else if (argv[i][0] == '-')
			r = misuse("no such option", argv[i]);
		else if (o->share)
			r = misuse("one share only, and not", argv[i]);
		else
			o->share = argv[i];
	}
	return r;
}

/* 1 to 3600 seconds; the default for NULL. */
static int parse_limit(const char *s, int *ret_s)
{
	char *end;
	long n;

	*ret_s = DEFAULT_LIMIT_S;
	if (!s)
		return 0;
	errno = 0;
	n = strtol(s, &end, 10);
	if (errno || *end || end == s || n < 1 || n > MAX_LIMIT_S)
		return misuse("no number of seconds from 1 to 3600:", s);
	*ret_s = (int)n;
	return 0;
}

static int read_credentials(const char *path, struct storage_credentials *ret, struct fault *why)
{
	scoped(text_wipe) struct text text = { 0 };
	struct stat st;
	int r;

	if (stat(path, &st) < 0)
		return fault_errno(why, errno, "credentials '%s'", path);
	if (st.st_mode & 077)
		return fault_set(
			why, EPERM,
			"credentials '%s': others than its owner may read it (chmod 600 it)", path);
	/* A relative path is meant from here; an absolute one is below '/'. */
	if (path[0] == '/') {
		scoped(drop_fd) int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		r = fs_read(root, path, CREDENTIALS_MAX, &text, why);
	} else {
		r = fs_read(AT_FDCWD, path, CREDENTIALS_MAX, &text, why);
	}
	if (r < 0)
		return r;
	r = storage_credentials_parse(text_str(&text), ret, why);
	return r < 0 ? fault_wrap(why, "credentials '%s'", path) : 0;
}

static int probe(const struct options *o, int limit_s, struct share_result *result,
		 struct fault *why)
{
	struct storage_credentials credentials = { 0 };
	struct storage_unc unc;
	struct client_request request = { .unc = &unc,
					  .timeout_ms = limit_s * 1000,
					  .write = o->write != NULL };
	int r = storage_unc_parse(o->share, &unc, why);

	if (r == 0 && o->credentials) {
		request.credentials = &credentials;
		r = read_credentials(o->credentials, &credentials, why);
	}
	if (r == 0)
		r = limit_probe(client_probe, &request, limit_s * 1000, result, why);
	explicit_bzero(&credentials, sizeof(credentials));
	return r;
}

static int show(const struct options *o, const struct share_result *result)
{
	scoped(text_done) struct text out = { 0 };

	if (o->json)
		share_result_json(result, &out);
	else
		share_result_print(result, &out);
	if (text_error(&out) < 0) {
		fprintf(stderr, "rackseed-share: no memory for the answer\n");
		return EXIT_FAILED;
	}
	printf("%s\n", text_str(&out));
	return share_code_exit(result->code);
}

static int obey(char **argv)
{
	struct share_result result = { .writable = -1 };
	struct options o = { 0 };
	struct fault why = { 0 };
	int limit_s;

	if (parse(argv, &o) < 0 || parse_limit(o.timeout, &limit_s) < 0)
		return EXIT_MISUSE;
	if (o.help)
		print_help();
	else if (o.version)
		printf("rackseed-share %s\n", RACKSEED_VERSION);
	else if (o.list)
		list_options();
	else if (!o.share)
		misuse("a share is missing:", "//HOST/SHARE");
	if (o.help || o.version || o.list)
		return EXIT_DONE;
	if (!o.share)
		return EXIT_MISUSE;
	snprintf(result.share, sizeof(result.share), "%s", o.share);
	if (probe(&o, limit_s, &result, &why) < 0) {
		fprintf(stderr, "rackseed-share: %s\n", why.text);
		return why.code == EINVAL ? EXIT_MISUSE : EXIT_FAILED;
	}
	return show(&o, &result);
}

int main(int argc, char **argv)
{
	(void)argc;
	streams_open();
	return streams_end("rackseed-share", obey(argv));
}
