/* SPDX-License-Identifier: MIT */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct fault;
struct seed;
struct text;

/*
 * The audit of a node: each rule of a table is judged over what lies on its disk. Numbers
 * like 4.2.1 are those of the CIS Kubernetes Benchmark 1.9, in which every item is here that a
 * program can judge by a node's files; numbers with an R are rackseed's own. Pure: whoever calls
 * brings the tree.
 */

enum audit_outcome {
	AUDIT_PASS,
	AUDIT_FAIL,
	AUDIT_LATER, /* what is to be judged is not there: it comes with the first boot */
	AUDIT_N_OUTCOMES
};

const char *audit_outcome_name(enum audit_outcome outcome); /* "pass", "fail", "later" */

struct audit_stat {
	mode_t mode; /* with the kind of file */
	uid_t uid;
	gid_t gid;
};

/* Paths are absolute; what they lead through is followed, the last part of them is not. */
struct audit_tree {
	/* 0, -ENOENT, or what else went wrong. */
	int (*stat)(void *data, const char *path, struct audit_stat *ret);
	/* The same; adds the file. */
	int (*read)(void *data, const char *path, size_t max, struct text *out);
	/* The same; adds what a symbolic link holds, -EINVAL where it is none. */
	int (*link)(void *data, const char *path, struct text *out);
	/* Calls entry for each entry of a folder but "." and "..", in any order. */
	int (*list)(void *data, const char *folder,
		    void (*entry)(void *to, const char *name, const struct audit_stat *st),
		    void *to);
	void *data;
};

struct audit_result {
	const char *number, *title;
	enum audit_outcome outcome;
	char *seen;
};

struct audit {
	struct audit_result *results; /* in the order of the numbers */
	size_t n;
	size_t counts[AUDIT_N_OUTCOMES];
	char *node, *roles; /* of the seed; "" when there is none */
	char **packages;    /* "name version", sorted as dpkg has them; NULL-terminated */
	char **setuid;	    /* all of them, those that are known too */
	char **units;	    /* what systemd starts by itself and may listen */
	int64_t judged;	    /* when, in seconds of the epoch; 0: just now */
	char *texts;	    /* of audit_parse(): where numbers and titles lie */
};

void audit_done(struct audit *a);

/* seed may be NULL: then the roles are those that the tree shows. */
int audit_judge(const struct audit_tree *tree, const struct seed *seed, struct audit *ret,
		struct fault *why) __attribute__((nonnull(1, 3, 4), warn_unused_result));

/*
 * The same for a root file system below dir, read only; its links lead within it. Not pure.
 */
int audit_folder(const char *dir, const struct seed *seed, struct audit *ret, struct fault *why)
	__attribute__((nonnull(1, 3, 4), warn_unused_result));

/* For people: failures first; for programs; for CI, as JUnit's XML. Pure. */
void audit_print(const struct audit *a, const char *what, struct text *out);
void audit_json(const struct audit *a, const char *what, struct text *out);
void audit_junit(const struct audit *a, const char *what, struct text *out);

/*
 * What audit_json() wrote, perhaps by another version on another machine: control characters become
 * spaces. -EBADMSG when it is none.
 */
int audit_parse(const char *json, size_t len, struct audit *ret, struct fault *why)
	__attribute__((nonnull, warn_unused_result));
