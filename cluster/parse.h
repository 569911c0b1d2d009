/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/yaml.h"
#include "cluster/complaint.h"
#include "cluster/model.h"

/*
 * How the document becomes a model, known to the files cluster/parse* alone: a mapping is a table
 * of keys, a key is a row that names its reader and its place in the model.
 */

struct parse {
	struct model *m;
	struct complaints *c;
	const char *node;	 /* the node being read, or NULL */
	const char *part, *name; /* "registry" and which one, or NULL */
	const char *key;	 /* the key being read */
	const struct yaml *own;	 /* the node's network:, once it was read */
	int error;		 /* sticky -ENOMEM */
};

/* What a text must look like. */
struct parse_form {
	const char *code; /* of the complaint */
	const char *what; /* "a host name" */
	const char *hint; /* or NULL */
	bool (*ok)(const char *s);
};

struct parse_word {
	const char *word;
	unsigned value;
};

struct parse_words {
	const struct parse_word *list; /* ends with a NULL word */
	const char *code;
};

struct parse_key {
	const char *name;
	/* Reads y into object + offset; complains of what is wrong. */
	void (*read)(struct parse *p, const struct yaml *y, const struct parse_key *key,
		     void *object);
	size_t offset; /* of the field in the object */
	size_t mark;   /* of its struct model_mark, or 0 */
	bool required;
	size_t meant; /* of a bool of the object: a key was probably this one, misspelled; or 0 */
	const struct parse_form *form;	 /* parse_text, parse_texts */
	const struct parse_words *words; /* parse_word */
	const struct parse_table *table; /* parse_table: a mapping into object + offset */
};

struct parse_table {
	const char *what;	      /* "vm", for messages */
	const struct parse_key *keys; /* ends with a NULL name */
};

extern const struct parse_table parse_document_table, parse_node_table, parse_firewall_table,
	parse_gpu_table, parse_gpus_table;
extern const struct parse_words parse_gpu_words;

/* ---- parse.c: the engine ---- */

struct model_mark parse_mark(const struct yaml *y);

/* An error at y, with the node or part that is being read in front. */
void parse_complain(struct parse *p, const struct yaml *y, const char *code, const char *hint,
		    const char *format, ...) __attribute__((format(printf, 5, 6)));

/* The hint that was made; p remembers when it could not be. */
const char *parse_hint(struct parse *p, const struct text *hint);

/* Walks a mapping by its table. at is what missing keys are complained of at. */
void parse_mapping(struct parse *p, const struct yaml *y, const struct yaml *at,
		   const struct parse_table *table, void *object);

/* Whether y is of the kind; complains and is false when not. */
bool parse_expect(struct parse *p, const struct yaml *y, enum yaml_kind kind);

/* Complains of keys given twice, with the code; fold as in yaml_twice(). */
void parse_twice(struct parse *p, const struct yaml *y, bool fold, const char *code);

/*
 * Takes the key's mark back: what was complained of counts as not said, so that the checks do not
 * complain of what follows from it.
 */
void parse_unmark(const struct parse_key *key, void *object);

/* Zeroed memory, at least one byte, or NULL with the sticky error set. */
void *parse_alloc(struct parse *p, size_t n, size_t size);
char *parse_copy(struct parse *p, const char *s);

/* The text of a scalar, or NULL after a complaint. */
const char *parse_scalar(struct parse *p, const struct yaml *y);

/* ---- readers for rows, in parse_values.c and parse_net.c ---- */

#define PARSE_READER(name)                                                                         \
	void name(struct parse *p, const struct yaml *y, const struct parse_key *key, void *object)

PARSE_READER(parse_submapping);
PARSE_READER(parse_text);     /* char * */
PARSE_READER(parse_texts);    /* char **; key->mark is of a struct model_mark *, or 0 */
PARSE_READER(parse_one_word); /* an enum */
PARSE_READER(parse_bool);
PARSE_READER(parse_count);   /* unsigned */
PARSE_READER(parse_id);	     /* unsigned, of a user or a group */
PARSE_READER(parse_size);    /* uint64_t bytes */
PARSE_READER(parse_version); /* struct model_version */
PARSE_READER(parse_ip);
PARSE_READER(parse_ips);      /* struct net_ip *; their number is the size_t behind the pointer */
PARSE_READER(parse_network);  /* struct net_cidr without host bits */
PARSE_READER(parse_networks); /* struct model_networks */
PARSE_READER(parse_mac);      /* struct net_mac; a bool that it was given follows */

/* ---- parts of the document ---- */

PARSE_READER(parse_registries);
PARSE_READER(parse_shares);
PARSE_READER(parse_nodes);
PARSE_READER(parse_labels);
PARSE_READER(parse_taints);
PARSE_READER(parse_roles);
PARSE_READER(parse_own_network);
PARSE_READER(parse_gpu); /* of a node: a word, or a mapping by the key's table */

/* ---- forms ---- */

extern const struct parse_form parse_form_label, parse_form_node, parse_form_token,
	parse_form_phase, parse_form_repository, parse_form_release, parse_form_url,
	parse_form_package, parse_form_source, parse_form_argument, parse_form_place,
	parse_form_sha256, parse_form_host, parse_form_interface, parse_form_account,
	parse_form_user, parse_form_ssh_key, parse_form_image, parse_form_mirror,
	parse_form_registry, parse_form_path, parse_form_server, parse_form_password_file,
	parse_form_serial, parse_form_claim, parse_form_api_version, parse_form_node_ref,
	parse_form_endpoint;

bool parse_is_label(const char *s);	/* RFC 1123 label */
bool parse_is_subdomain(const char *s); /* RFC 1123 labels with dots between */
bool parse_is_qualified(const char *s); /* a Kubernetes label key: [PREFIX/]NAME */
bool parse_is_label_value(const char *s);
bool parse_is_ssh_key(const char *s);
bool parse_is_port(const char *s);
