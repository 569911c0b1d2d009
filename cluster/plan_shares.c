/* SPDX-License-Identifier: MIT */
#include "cluster/plan_parts.h"

#include <errno.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "storage/storage.h"

/* The shares that a Kubernetes node mounts: a unit for each, and credentials. */

/* Our own server by its address, which needs no name service after a power cut. */
void plan_share_address(const struct model *m, const struct model_share *s, struct text *out)
{
	const struct model_node *node = s->node ? model_node(m, s->node) : NULL;
	char ip[NET_IP_LEN] = "";

	if (s->server) {
		text_add(out, s->server);
		return;
	}
	if (node)
		net_ip_text(&node->address, ip);
	text_addf(out, strchr(ip, ':') ? "//[%s]/%s" : "//%s/%s", ip, s->name);
}

static void credentials(struct plan_work *w, const struct model_share *s, const char *path)
{
	scoped(text_done) struct text out = { 0 };
	scoped(text_done) struct text place = { 0 };

	plan_place("line", plan_password(s->password_file), &place);
	storage_credentials_user(s->user, &out);
	text_addf(&out, "password=%s\n", text_str(&place));
	if (text_error(&out) < 0 || text_error(&place) < 0)
		w->plan->error = -ENOMEM;
	plan_put(w->plan, &(struct plan_item){ .step = PLAN_SHARES,
					       .kind = PLAN_TEMPLATE,
					       .mode = 0600,
					       .path = path,
					       .content = out.data });
}

static int mount(struct plan_work *w, const struct model_share *s, struct fault *why)
{
	scoped(text_done) struct text unit = { 0 };
	scoped(text_done) struct text path = { 0 };
	scoped(text_done) struct text secret = { 0 };
	scoped(text_done) struct text address = { 0 };
	struct storage_mount m = {
		.name = s->name, .where = s->mount, .uid = s->uid, .gid = s->gid
	};
	int r;

	plan_share_address(w->m, s, &address);
	text_addf(&secret, PLAN_CREDENTIALS_D "%s.cred", s->name);
	if (text_error(&address) < 0 || text_error(&secret) < 0)
		return fault_errno(why, ENOMEM, "mount");
	r = storage_unc_parse(text_str(&address), &m.unc, why);
	if (r < 0)
		return r;
	if (s->user && s->password_file) {
		m.credentials = text_str(&secret);
		credentials(w, s, m.credentials);
	}
	text_add(&path, "/etc/systemd/system/");
	r = storage_mount_unit_name(s->mount, &path, why);
	if (r < 0)
		return r;
	storage_mount_unit(&m, &unit);
	if (text_error(&path) < 0)
		w->plan->error = -ENOMEM;
	plan_put_file(w->plan, PLAN_SHARES, text_str(&path), &unit);
	return 0;
}

int plan_shares(struct plan_work *w, struct fault *why)
{
	size_t i;
	int r = 0;

	for (i = 0; i < w->m->n_shares && r == 0; i++)
		if (w->m->shares[i].mount)
			r = mount(w, &w->m->shares[i], why);
	return r < 0 ? fault_wrap(why, "share '%s'", w->m->shares[i - 1].name) : 0;
}
