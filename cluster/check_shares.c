/* SPDX-License-Identifier: MIT */
#include "cluster/check.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "storage/storage.h"

/* What a share must not be mounted over, nor be exported: the system lives there. */
static const struct {
	const char *path;
	bool below; /* nor anywhere below it */
} system_paths[] = {
	{ "/", false },
	{ "/bin", true },
	{ "/boot", true },
	{ "/dev", true },
	{ "/efi", true },
	{ "/etc", true },
	{ "/home", false },
	{ "/lib", true },
	{ "/lib32", true },
	{ "/lib64", true },
	{ "/libx32", true },
	{ "/lost+found", true },
	{ "/opt", false },
	{ "/opt/cni", true },
	{ "/proc", true },
	{ "/root", true },
	{ "/run", true },
	{ "/sbin", true },
	{ "/snap", true },
	{ "/srv", false },
	{ "/sys", true },
	{ "/tmp", false },
	{ "/usr", true },
	{ "/var", false },
	{ "/var/backups", true },
	{ "/var/cache", true },
	{ "/var/lib", true },
	{ "/var/log", true },
	{ "/var/run", true },
	{ "/var/snap", true },
	{ "/var/spool", true },
	{ "/var/tmp", false },
	{ "/var/lock", true },
};

/* Whether path is dir or lies below it. */
static bool is_within(const char *path, const char *dir)
{
	size_t n = strlen(dir);

	return strncmp(path, dir, n) == 0 && (!path[n] || path[n] == '/');
}

static const char *system_path(const char *path)
{
	size_t i;

	for (i = 0; i < COUNT(system_paths); i++)
		if (strcmp(path, system_paths[i].path) == 0 ||
		    (system_paths[i].below && is_within(path, system_paths[i].path)))
			return system_paths[i].path;
	return NULL;
}

static void check_source(struct check *k, const struct model_share *s)
{
	const char *wrong = NULL;

	if (s->server && (s->node || s->path))
		wrong = "server: stands beside node: or path:, and only one of the two can be";
	else if (s->source_meant)
		return; /* what is missing stands there misspelled, which is said already */
	else if (!s->server && !s->node)
		wrong = "nobody serves it";
	else if (s->node && !s->path)
		wrong = "it has a node:, but no path: of the folder there";
	if (wrong)
		complaint_add(k->c, COMPLAINT_ERROR, s->mark, "share-source", NULL,
			      "a node of this file with node: and path:, or another's with server:",
			      "share '%.64s': %s", s->name, wrong);
}

static void check_user(struct check *k, const struct model_share *s)
{
	if (s->node && s->user && s->user_mark.line && storage_account_is_system(s->user))
		complaint_add(k->c, COMPLAINT_ERROR, s->user_mark, "account-reserved", NULL,
			      "a name of its own, or that of the admin",
			      "share '%.64s': the account '%s' is the system's own", s->name,
			      s->user);
	if (s->guest && (s->user || s->password_file))
		complaint_add(k->c, COMPLAINT_ERROR, s->mark, "share-user", NULL,
			      "leave out either guest: or user: and passwordFile:",
			      "share '%.64s': a guest has no user and no password", s->name);
	else if (s->user_meant)
		return;
	else if (!s->user != !s->password_file)
		complaint_add(k->c, COMPLAINT_ERROR, s->mark, "credentials-half", NULL, NULL,
			      "share '%.64s': user and passwordFile belong together", s->name);
	else if (!s->guest && !s->user)
		complaint_add(k->c, COMPLAINT_ERROR, s->mark, "share-user", NULL,
			      "give user: and passwordFile:, or guest: true",
			      "share '%.64s': who may use it?", s->name);
}

static void check_claim(struct check *k, const struct model_share *s)
{
	if (s->claim && s->claim_mark.line && s->volume_bytes == 0)
		complaint_add(k->c, COMPLAINT_ERROR, s->claim_mark, "claim-volume", NULL,
			      "give it a size with volume:",
			      "share '%.64s': there is no volume to claim", s->name);
}

/* Beside the disk for data it would lie on the system's, where nobody looks for it. */
static void check_data(struct check *k, const struct model_share *s)
{
	const struct model_node *node = s->node ? model_node(k->m, s->node) : NULL;

	if (!node || !model_has_data(node) || !s->path || !s->path_mark.line ||
	    is_within(s->path, MODEL_DATA_FOLDER))
		return;
	complaint_add(k->c, COMPLAINT_ERROR, s->path_mark, "share-data", NULL,
		      "such as " MODEL_DATA_FOLDER "/NAME",
		      "share '%.64s': %.128s is not on the disk that node '%.64s' has for data, "
		      "which holds " MODEL_DATA_FOLDER,
		      s->name, s->path, node->name);
}

/* Keys lie there that let people in, and sshd does not follow where others may write. */
static void check_home(struct check *k, const struct model_share *s, struct model_mark mark,
		       const char *code, const char *key, const char *path)
{
	const char *admin = k->m->admin.user;
	scoped(text_done) struct text home = { 0 };

	if (!admin || !path || !mark.line)
		return;
	text_addf(&home, "/home/%s", admin);
	if (text_error(&home) < 0)
		complaints_exhausted(k->c);
	if (is_within(path, text_str(&home)))
		complaint_add(k->c, COMPLAINT_ERROR, mark, code, NULL, "such as /srv/NAME",
			      "share '%.64s': %s %.128s lies in the home of '%.64s', who must be "
			      "able to log in",
			      s->name, key, path, admin);
}

static void check_paths(struct check *k, const struct model_share *s)
{
	const char *taken = s->mount && s->mount_mark.line ? system_path(s->mount) : NULL;

	if (taken)
		complaint_add(
			k->c, COMPLAINT_ERROR, s->mount_mark, "mount-system", NULL,
			"such as /mnt/NAME",
			"share '%.64s': a mount at %.128s would hide what the system needs in "
			"%s",
			s->name, s->mount, taken);
	taken = s->path && s->path_mark.line ? system_path(s->path) : NULL;
	if (taken)
		complaint_add(k->c, COMPLAINT_ERROR, s->path_mark, "share-system", NULL,
			      "such as /srv/NAME",
			      "share '%.64s': %.128s is the system's own (%s) and not to be shared",
			      s->name, s->path, taken);
}

static void complain_text(struct check *k, const struct model_share *s, struct model_mark mark,
			  const char *key, const char *value, const char *flaw)
{
	if (flaw && mark.line)
		complaint_add(k->c, COMPLAINT_ERROR, mark, "share-text", NULL, NULL,
			      "share '%.64s': %s '%.128s' %s", s->name, key, value, flaw);
}

/* What smb.conf, mount units and credentials files cannot hold. */
static void check_texts(struct check *k, const struct model_share *s)
{
	scoped(text_done) struct text unit = { 0 };
	struct storage_unc unc;
	struct fault why = { 0 };

	complain_text(k, s, s->mark, "the name", s->name, storage_name_flaw(s->name));
	if (s->path && !system_path(s->path))
		complain_text(k, s, s->path_mark, "path", s->path, storage_path_flaw(s->path));
	if (s->user && !(s->node && storage_account_is_system(s->user)))
		complain_text(k, s, s->user_mark, "user", s->user,
			      s->node ? storage_account_flaw(s->user) : storage_user_flaw(s->user));
	if (s->mount && !system_path(s->mount) && storage_path_flaw(s->mount))
		complain_text(k, s, s->mount_mark, "mount", s->mount, storage_path_flaw(s->mount));
	else if (s->mount && !system_path(s->mount) &&
		 storage_mount_unit_name(s->mount, &unit, &why) == -ENAMETOOLONG)
		complain_text(k, s, s->mount_mark, "mount", s->mount,
			      "makes a name of more than 255 bytes for its unit");
	if (s->server && s->server_mark.line && storage_unc_parse(s->server, &unc, &why) < 0)
		complaint_add(k->c, COMPLAINT_ERROR, s->server_mark, "share-text", NULL,
			      "//HOST[:PORT]/SHARE[/FOLDER]", "share '%.64s': %.400s", s->name,
			      why.text);
}

/* As strcmp, but '/' before all else, so that what is below a folder follows it at once. */
static int compare_paths(const char *a, const char *b)
{
	size_t i;

	for (i = 0; a[i] && a[i] == b[i]; i++)
		;
	if (!a[i] || !b[i])
		return (a[i] != '\0') - (b[i] != '\0');
	if (a[i] == '/' || b[i] == '/')
		return a[i] == '/' ? -1 : 1;
	return (unsigned char)a[i] < (unsigned char)b[i] ? -1 : 1;
}

struct mount {
	const struct model_share *share;
};

static int compare(const void *a, const void *b)
{
	const struct model_share *x = ((const struct mount *)a)->share;
	const struct model_share *y = ((const struct mount *)b)->share;
	int r = compare_paths(x->mount, y->mount);

	return r ? r : (x > y) - (x < y);
}

static void complain_nested(struct check *k, const struct model_share *a,
			    const struct model_share *b)
{
	const struct model_share *later = a > b ? a : b;
	const struct model_share *other = a > b ? b : a;
	bool same = strcmp(a->mount, b->mount) == 0;

	complaint_add(k->c, COMPLAINT_ERROR, later->mount_mark,
		      same ? "mount-twice" : "mount-nested", NULL, NULL,
		      "share '%.64s': its mount %.128s %s %.128s of share '%.64s'", later->name,
		      later->mount,
		      same				      ? "is also"
		      : is_within(later->mount, other->mount) ? "lies within"
							      : "would hide",
		      other->mount, other->name);
}

/* Sorted, a mount is followed at once by what lies below it. */
static void check_sorted(struct check *k, const struct mount *list, size_t n)
{
	const struct model_share *above = n ? list[0].share : NULL, *said = NULL;
	size_t i;

	for (i = 1; i < n; i++) {
		const struct model_share *share = list[i].share;

		if (strcmp(share->mount, list[i - 1].share->mount) == 0) {
			complain_nested(k, list[i - 1].share, share);
		} else if (!is_within(share->mount, above->mount)) {
			above = share;
			said = NULL;
		} else if (above < share || said != above) {
			/* Of a mount that hides many others once is enough. */
			complain_nested(k, above, share);
			said = above < share ? said : above;
		}
	}
}

static void check_mounts(struct check *k)
{
	const struct model *m = k->m;
	struct mount *list = calloc(m->n_shares + 1, sizeof(*list));
	size_t i, n = 0;

	if (!list) {
		complaints_exhausted(k->c);
		return;
	}
	for (i = 0; i < m->n_shares; i++)
		if (m->shares[i].mount && m->shares[i].mount_mark.line)
			list[n++].share = &m->shares[i];
	qsort(list, n, sizeof(*list), compare);
	check_sorted(k, list, n);
	free(list);
}

static int compare_claims(const void *a, const void *b)
{
	const struct model_share *x = *(const struct model_share *const *)a;
	const struct model_share *y = *(const struct model_share *const *)b;
	int r = strcmp(x->claim, y->claim);

	return r ? r : (x > y) - (x < y);
}

/* One claim takes one volume. */
static void check_claims(struct check *k)
{
	const struct model *m = k->m;
	const struct model_share **list = calloc(m->n_shares + 1, sizeof(*list));
	size_t i, n = 0;

	if (!list) {
		complaints_exhausted(k->c);
		return;
	}
	for (i = 0; i < m->n_shares; i++)
		if (m->shares[i].claim && m->shares[i].claim_mark.line)
			list[n++] = &m->shares[i];
	qsort(list, n, sizeof(*list), compare_claims);
	for (i = 1; i < n; i++)
		if (strcmp(list[i]->claim, list[i - 1]->claim) == 0)
			complaint_add(k->c, COMPLAINT_ERROR, list[i]->claim_mark, "claim-twice",
				      NULL, NULL,
				      "share '%.64s': its claim %.320s is that of share '%.64s'",
				      list[i]->name, list[i]->claim, list[i - 1]->name);
	free(list);
}

void check_shares(struct check *k)
{
	size_t i;

	for (i = 0; i < k->m->n_shares; i++) {
		const struct model_share *s = &k->m->shares[i];
		struct check_reference to_node = { .part = "share",
						   .name = s->name,
						   .node = s->node,
						   .mark = s->node_mark,
						   .role = MODEL_STORAGE,
						   .role_name = "storage" };

		if (s->node)
			check_reference(k, &to_node);
		check_source(k, s);
		check_user(k, s);
		check_paths(k, s);
		check_home(k, s, s->mount_mark, "mount-system", "mount", s->mount);
		check_home(k, s, s->path_mark, "share-system", "path", s->path);
		check_data(k, s);
		check_texts(k, s);
		check_claim(k, s);
	}
	check_mounts(k);
	check_claims(k);
}
