/* SPDX-License-Identifier: MIT */
#include "cluster/plan_parts.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "storage/storage.h"

/* What a storage node serves: accounts, folders, smb.conf. */

#define HEAD "# Written by rackseed from cluster.yaml; changes here do not last.\n"

/*
 * Numbers that no distribution gives away (systemd's table calls 60578 to 61183 unused). They
 * follow from the name, so that the files on a data disk still have their owner when the system
 * around it was made anew.
 */
enum { UID_FIRST = 60600, UID_COUNT = 500, FOLDER_MODE = 0775 };

/* The folders of guests belong to whom Samba takes a guest for. */
#define GUEST "nobody"
#define GUESTS "nogroup"

static bool is_served(const struct plan_work *w, const struct model_share *s)
{
	return s->node && s->path && strcmp(s->node, w->node->name) == 0;
}

/* Whether an earlier share of this node has the same user. */
static bool is_repeated(const struct plan_work *w, size_t at)
{
	const struct model_share *shares = w->m->shares;
	size_t i;

	for (i = 0; i < at; i++)
		if (is_served(w, &shares[i]) && shares[i].user &&
		    strcmp(shares[i].user, shares[at].user) == 0)
			return true;
	return false;
}

static uint32_t hash(const char *s)
{
	uint32_t h = 2166136261u; /* FNV-1a */

	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 16777619u;
	return h;
}

/* A free number near the one that the name asks for; taken has UID_COUNT places. */
static unsigned number_of(const char *user, bool *taken)
{
	unsigned n = hash(user) % UID_COUNT;
	unsigned i;

	for (i = 0; i < UID_COUNT && taken[n]; i++)
		n = (n + 1) % UID_COUNT;
	taken[n] = true;
	return UID_FIRST + n;
}

static void accounts(const struct plan_work *w, struct text *sysusers)
{
	bool taken[UID_COUNT] = { false };
	const char *admin = w->m->admin.user;
	size_t i;

	for (i = 0; i < w->m->n_shares; i++) {
		const struct model_share *s = &w->m->shares[i];

		if (!is_served(w, s) || !s->user || is_repeated(w, i) ||
		    (admin && strcmp(admin, s->user) == 0))
			continue;
		text_addf(sysusers, "u %s %u \"user of shares\" - /usr/sbin/nologin\n", s->user,
			  number_of(s->user, taken));
	}
}

/* A password file's path below secrets/, as the seed has it. */
const char *plan_password(const char *file)
{
	static const char before[] = "secrets/";

	file = strncmp(file, "./", 2) == 0 ? file + 2 : file;
	return strncmp(file, before, sizeof(before) - 1) == 0 ? file + sizeof(before) - 1 : file;
}

static void passwords(const struct plan_work *w)
{
	size_t i;

	for (i = 0; i < w->m->n_shares; i++) {
		const struct model_share *s = &w->m->shares[i];

		if (is_served(w, s) && s->user && s->password_file && !is_repeated(w, i))
			plan_put(w->plan,
				 &(struct plan_item){ .step = PLAN_STORAGE,
						      .kind = PLAN_ACCOUNT,
						      .path = s->user,
						      .source = plan_password(s->password_file) });
	}
}

static void folder(const struct plan_work *w, const struct model_share *s)
{
	scoped(text_done) struct text owner = { 0 };

	text_addf(&owner, "%s:%s", s->user ? s->user : GUEST, s->user ? s->user : GUESTS);
	if (text_error(&owner) < 0)
		w->plan->error = text_error(&owner);
	plan_put(w->plan, &(struct plan_item){ .step = PLAN_STORAGE,
					       .kind = PLAN_FOLDER,
					       .mode = FOLDER_MODE,
					       .path = s->path,
					       .content = owner.data });
}

static struct storage_export export_of(const struct model_share *s)
{
	return (struct storage_export){ .name = s->name,
					.path = s->path,
					.user = s->user,
					.owner = s->user ? s->user : GUEST,
					.group = s->user ? s->user : GUESTS,
					.folder_mode = FOLDER_MODE,
					.guest = s->guest };
}

static bool is_same(const struct net_cidr *a, const struct net_cidr *b)
{
	struct net_ip first = net_cidr_first(a), other = net_cidr_first(b);

	return a->prefix == b->prefix && net_ip_equal(&first, &other);
}

/* Whom the firewall lets come: all nodes, and who may use the door. NULL when memory is short. */
static struct net_cidr *allowed(const struct model *m, size_t *ret_n)
{
	size_t n_door, i;
	const struct net_cidr *door = model_door(m, MODEL_DOOR_SHARES, &n_door);
	struct net_cidr *list = calloc(n_door + m->n_nodes + 1, sizeof(*list));

	if (!list)
		return NULL;
	list[0] = m->network.subnet;
	*ret_n = 1;
	for (i = 0; i < n_door; i++)
		if (!is_same(&door[i], &m->network.subnet))
			list[(*ret_n)++] = door[i];
	for (i = 0; i < m->n_nodes; i++) {
		const struct net_ip *ip = &m->nodes[i].address;

		if (ip->family && !net_cidr_contains(&m->network.subnet, ip))
			list[(*ret_n)++] = (struct net_cidr){ *ip, net_ip_bits(ip) };
	}
	return list;
}

static int exports(struct plan_work *w, struct text *conf, struct fault *why)
{
	struct storage_export *list = calloc(w->m->n_shares + 1, sizeof(*list));
	struct storage_server server = { .exports = list };
	struct net_cidr *networks = allowed(w->m, &server.n_allowed);
	size_t i;

	if (!list || !networks) {
		free(list);
		free(networks);
		return fault_errno(why, ENOMEM, "shares");
	}
	server.allowed = networks;
	for (i = 0; i < w->m->n_shares; i++) {
		if (!is_served(w, &w->m->shares[i]))
			continue;
		folder(w, &w->m->shares[i]);
		list[server.n_exports++] = export_of(&w->m->shares[i]);
	}
	storage_smbconf(&server, conf);
	free(list);
	free(networks);
	return 0;
}

int plan_storage(struct plan_work *w, struct fault *why)
{
	scoped(text_done) struct text sysusers = { 0 };
	scoped(text_done) struct text conf = { 0 };
	int r;

	text_add(&sysusers, HEAD);
	accounts(w, &sysusers);
	plan_put_file(w->plan, PLAN_STORAGE, STORAGE_USERS_PATH, &sysusers);
	r = exports(w, &conf, why);
	if (r < 0)
		return r;
	plan_put_file(w->plan, PLAN_STORAGE, STORAGE_CONF_PATH, &conf);
	passwords(w);
	return 0;
}
