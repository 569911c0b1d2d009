/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>

#include "base/text.h"
#include "base/yaml.h"
#include "cluster/audit.h"
#include "cluster/model.h"

/* The inside of audit_judge(); for cluster/audit*.c only. */

enum {
	AUDIT_CONTROL = MODEL_CONTROL_PLANE,
	AUDIT_MEMBER = MODEL_CONTROL_PLANE | MODEL_WORKER,
	AUDIT_ANY = 0, /* also a disk without a seed */
};

/* What a value must be; a value that is not there is taken for the row's otherwise. */
enum audit_demand {
	AUDIT_IS, /* equals value */
	AUDIT_IS_NOT,
	AUDIT_HAS, /* value is an item of a list with commas */
	AUDIT_HAS_NOT,
	AUDIT_AT_LEAST, /* a number */
	AUDIT_IS_SET,
	AUDIT_IS_UNSET,
};

enum { AUDIT_N_MANIFESTS = 4 };

struct audit_work {
	const struct audit_tree *tree;
	const struct seed *seed; /* or NULL */
	const struct model *m;	 /* of the seed, or NULL */
	const struct model_node *node;
	unsigned roles;
	struct {
		bool read;
		int r; /* -ENOENT: not there; other negatives: unreadable */
		struct yaml tree;
	} manifests[AUDIT_N_MANIFESTS], kubelet;
	struct text passwd, group, dpkg;
	struct text writable, strange; /* of the walk: findings, one in a line */
	struct audit *audit;
	int error; /* sticky -ENOMEM */
};

struct audit_row {
	const char *number, *title;
	unsigned roles;
	/* Says what it saw in *seen; a failure says what is wrong. */
	enum audit_outcome (*check)(struct audit_work *w, const struct audit_row *row,
				    struct text *seen);
	const char *where; /* paths, "FOLDER/" "*.END" among them, or a component */
	const char *key;   /* a flag, a dotted key, "user:group" */
	enum audit_demand demand;
	const char *value;
	const char *otherwise; /* what holds where nothing is said, or NULL */
	mode_t mode;	       /* the most that is allowed */
};

extern const struct audit_row audit_rows_control[], audit_rows_node[], audit_rows_own[];

#define AUDIT_CHECK(name)                                                                          \
	enum audit_outcome name(struct audit_work *w, const struct audit_row *row,                 \
				struct text *seen)

AUDIT_CHECK(audit_mode); /* audit_files.c */
AUDIT_CHECK(audit_owner);
AUDIT_CHECK(audit_flag);    /* audit_flags.c: of a static pod's command */
AUDIT_CHECK(audit_kubelet); /* a key of kubelet's configuration */
AUDIT_CHECK(audit_swap);    /* audit_own.c */
AUDIT_CHECK(audit_seed_secrets);
AUDIT_CHECK(audit_no_foreign_keys);
AUDIT_CHECK(audit_passwords);
AUDIT_CHECK(audit_one_root);
AUDIT_CHECK(audit_firewall);
AUDIT_CHECK(audit_link);
AUDIT_CHECK(audit_sshd); /* audit_settings.c */
AUDIT_CHECK(audit_sysctl);
AUDIT_CHECK(audit_line);
AUDIT_CHECK(audit_package);
AUDIT_CHECK(audit_held);
AUDIT_CHECK(audit_writable); /* audit_walk.c */
AUDIT_CHECK(audit_setuid);
AUDIT_CHECK(audit_listening); /* audit_units.c */

/* Judges a value, NULL where nothing is said; adds it to *seen. */
enum audit_outcome audit_value(const struct audit_row *row, const char *value, struct text *seen);

/* Calls found for the file, or for each of "FOLDER/" "*.END"; how many there were. */
size_t audit_each(struct audit_work *w, const char *pattern,
		  void (*found)(void *to, const char *path, const struct audit_stat *st), void *to);

/* Says that w is not complete, when t is not. */
void audit_inherit(struct audit_work *w, const struct text *t);

/* Adds a file; false when it is not there or cannot be read. */
bool audit_read(struct audit_work *w, const char *path, struct text *out);

/* The third (id) field of a name's line in passwd or group; -1 when there is none. */
long audit_id(const char *file, const char *name);

/* Calls line for each line without its newline; stops when it returns false. */
void audit_lines(const char *s, bool (*line)(void *to, const char *s, size_t n), void *to);

/* Adds a copy of s to a NULL-terminated list. */
void audit_add(struct audit_work *w, char ***list, const char *s);

/* Looks at the whole tree once: setuid programs and what everybody may write. */
void audit_walk(struct audit_work *w);
void audit_find_units(struct audit_work *w);
void audit_find_packages(struct audit_work *w);
