/* SPDX-License-Identifier: MIT */
#include "cluster/parse.h"

#include <stdlib.h>
#include <string.h>

#include "base/macros.h"

/* registries: and shares: are mappings from a name to a mapping. */

#define REGISTRY(field) .offset = offsetof(struct model_registry, field)
#define REGISTRY_MARK(field) .mark = offsetof(struct model_registry, field)
#define REGISTRY_MEANT(field) .meant = offsetof(struct model_registry, field)
#define SHARE(field) .offset = offsetof(struct model_share, field)
#define SHARE_MARK(field) .mark = offsetof(struct model_share, field)
#define SHARE_MEANT(field) .meant = offsetof(struct model_share, field)

/* Where the list stands, and not where each of it does. */
static PARSE_READER(parse_namespaces)
{
	const struct parse_key list = { key->name, parse_texts, key->offset, .form = key->form };

	((struct model_registry *)object)->namespaces_mark = parse_mark(y);
	parse_texts(p, y, &list, object);
}

static const struct parse_key registry_keys[] = {
	{ "node", parse_text, REGISTRY(node), REGISTRY_MARK(node_mark),
	  .form = &parse_form_node_ref },
	{ "user", parse_text, REGISTRY(user), REGISTRY_MEANT(user_meant),
	  .form = &parse_form_user },
	{ "passwordFile", parse_text, REGISTRY(password_file), REGISTRY_MARK(password_mark),
	  REGISTRY_MEANT(user_meant), .form = &parse_form_password_file },
	{ "mirrors", parse_texts, REGISTRY(mirrors), REGISTRY_MARK(mirror_marks),
	  .form = &parse_form_mirror },
	{ "upstream", parse_text, REGISTRY(upstream), REGISTRY_MARK(upstream_mark),
	  .form = &parse_form_registry },
	{ "caFile", parse_text, REGISTRY(ca_file), REGISTRY_MARK(ca_mark),
	  .form = &parse_form_password_file },
	{ "clientCertFile", parse_text, REGISTRY(client_cert_file), REGISTRY_MARK(client_cert_mark),
	  .form = &parse_form_password_file },
	{ "clientKeyFile", parse_text, REGISTRY(client_key_file), REGISTRY_MARK(client_key_mark),
	  .form = &parse_form_password_file },
	{ "probe", parse_text, REGISTRY(probe), REGISTRY_MARK(probe_mark),
	  .form = &parse_form_image },
	{ "insecure", parse_bool, REGISTRY(insecure), REGISTRY_MARK(insecure_mark) },
	{ "namespaces", parse_namespaces, REGISTRY(namespaces), REGISTRY_MARK(namespaces_mark),
	  .form = &parse_form_label },
	{ 0 },
};
static const struct parse_table registry_table = { "a registry", registry_keys };

static const struct parse_key share_keys[] = {
	{ "node", parse_text, SHARE(node), SHARE_MARK(node_mark), SHARE_MEANT(source_meant),
	  .form = &parse_form_node_ref },
	{ "path", parse_text, SHARE(path), SHARE_MARK(path_mark), SHARE_MEANT(source_meant),
	  .form = &parse_form_path },
	{ "server", parse_text, SHARE(server), SHARE_MARK(server_mark), SHARE_MEANT(source_meant),
	  .form = &parse_form_server },
	{ "mount", parse_text, SHARE(mount), SHARE_MARK(mount_mark), .required = true,
	  .form = &parse_form_path },
	{ "user", parse_text, SHARE(user), SHARE_MARK(user_mark), SHARE_MEANT(user_meant),
	  .form = &parse_form_user },
	{ "passwordFile", parse_text, SHARE(password_file), SHARE_MARK(password_mark),
	  SHARE_MEANT(user_meant), .form = &parse_form_password_file },
	{ "volume", parse_size, SHARE(volume_bytes) },
	{ "claim", parse_text, SHARE(claim), SHARE_MARK(claim_mark), .form = &parse_form_claim },
	{ "guest", parse_bool, SHARE(guest), SHARE_MEANT(user_meant) },
	{ "uid", parse_id, SHARE(uid) },
	{ "gid", parse_id, SHARE(gid) },
	{ 0 },
};
static const struct parse_table share_table = { "a share", share_keys };

/* Whether y can be walked; an empty section is as good as none. */
static bool begin(struct parse *p, const struct yaml *y, const char *twice)
{
	if (y->kind == YAML_NULL || !parse_expect(p, y, YAML_MAPPING))
		return false;
	parse_twice(p, y, true, twice);
	return true;
}

static void read_part(struct parse *p, const struct yaml *pair, const struct parse_form *form,
		      const struct parse_table *table, void *object)
{
	if (!form->ok(pair[0].text))
		parse_complain(p, &pair[0], form->code, form->hint, "'%.128s' is not %s",
			       pair[0].text, form->what);
	p->part = table->what + strlen("a ");
	p->name = p->key = pair[0].text;
	if (parse_expect(p, &pair[1], YAML_MAPPING))
		parse_mapping(p, &pair[1], &pair[0], table, object);
	p->part = p->name = NULL;
}

PARSE_READER(parse_registries)
{
	struct model *m = p->m;
	size_t i;

	(void)object;
	if (!begin(p, y, "key-twice"))
		return;
	m->registries = parse_alloc(p, y->n_items / 2, sizeof(*m->registries));
	for (i = 0; i < y->n_items && m->registries; i += 2) {
		struct model_registry *registry = &m->registries[m->n_registries];

		registry->host = parse_copy(p, y->items[i].text);
		registry->mark = parse_mark(&y->items[i]);
		if (!registry->host)
			return;
		m->n_registries++;
		read_part(p, &y->items[i], &parse_form_registry, &registry_table, registry);
	}
	p->key = key->name;
}

PARSE_READER(parse_shares)
{
	struct model *m = p->m;
	size_t i;

	(void)object;
	if (!begin(p, y, "key-twice"))
		return;
	m->shares = parse_alloc(p, y->n_items / 2, sizeof(*m->shares));
	for (i = 0; i < y->n_items && m->shares; i += 2) {
		struct model_share *share = &m->shares[m->n_shares];

		share->name = parse_copy(p, y->items[i].text);
		share->mark = parse_mark(&y->items[i]);
		if (!share->name)
			return;
		m->n_shares++;
		read_part(p, &y->items[i], &parse_form_label, &share_table, share);
	}
	p->key = key->name;
}
