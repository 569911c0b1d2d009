/* SPDX-License-Identifier: MIT */
#include "image/inspect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <guestfs.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/net.h"
#include "base/text.h"
#include "cluster/complaint.h"
#include "cluster/document.h"
#include "cluster/model.h"
#include "cluster/seed.h"
#include "image/guest.h"
#include "image/record.h"

#define IMAGE_JSON "/usr/lib/rackseed/image.json"

DEFINE_DROP(string, char *, free)
DEFINE_DROP(packages, struct guestfs_application2_list *, guestfs_free_application2_list)

void inspection_done(struct inspection *i)
{
	free(i->image);
	free(i->format);
	free(i->product);
	free(i->kernel);
	free(i->cluster);
	free(i->node);
	free(i->roles);
	free(i->address);
	free(i->seed);
	args_done(&i->packages);
	args_done(&i->secrets);
	*i = (struct inspection){ 0 };
}

/* The version of a package, where image.json is not there to tell. */
static void learn_version(const struct guestfs_application2 *package, const char *name, char *ret,
			  size_t size)
{
	if (strcmp(package->app2_name, name) == 0 && !ret[0])
		snprintf(ret, size, "%s", package->app2_version);
}

static int look_at_packages(const struct guest *guest, const char *root, struct inspection *in,
			    struct fault *why)
{
	scoped(drop_packages) struct guestfs_application2_list *list =
		guestfs_inspect_list_applications2(guest->handle, root);
	uint32_t i;

	if (!list)
		return guest_fault(guest, why, "packages");
	for (i = 0; i < list->len; i++) {
		const struct guestfs_application2 *p = &list->val[i];

		args_add(&in->packages, "%s %s%s%s", p->app2_name, p->app2_version,
			 *p->app2_release ? "-" : "", p->app2_release);
		learn_version(p, "kubeadm", in->facts.kubernetes, sizeof(in->facts.kubernetes));
		learn_version(p, "containerd", in->facts.containerd, sizeof(in->facts.containerd));
	}
	return in->packages.error ? fault_errno(why, ENOMEM, "packages") : 0;
}

/* The kernel that the boot menu's link means. */
static char *find_kernel(const struct guest *guest)
{
	static const char *const links[] = { "/boot/vmlinuz", "/vmlinuz" };
	size_t i;

	for (i = 0; i < COUNT(links); i++) {
		scoped(drop_string) char *target = NULL;
		const char *dash;

		if (guestfs_is_symlink(guest->handle, links[i]) != 1)
			continue;
		target = guestfs_readlink(guest->handle, links[i]);
		dash = target ? strstr(target, "vmlinuz-") : NULL;
		if (dash)
			return strdup(dash + strlen("vmlinuz-"));
	}
	return NULL;
}

/* PRETTY_NAME of os-release; the library's own name of Debian is a bare number. */
static int find_product(const struct guest *guest, const char *root, struct inspection *in,
			struct fault *why)
{
	static const char key[] = "\nPRETTY_NAME=";
	scoped(text_done) struct text release = { 0 };
	const char *at;
	int r;

	text_add(&release, "\n");
	r = guest_read(guest, "/usr/lib/os-release", 1 << 16, &release, why);
	at = r == 0 ? strstr(text_str(&release), key) : NULL;
	if (at) {
		at += strlen(key);
		at += *at == '"';
		in->product = strndup(at, strcspn(at, "\"\n"));
	} else {
		in->product = guestfs_inspect_get_product_name(guest->handle, root);
	}
	return in->product ? 0 : guest_fault(guest, why, root);
}

static int look_at_os(const struct guest *guest, struct inspection *in, struct fault *why)
{
	scoped(text_done) struct text json = { 0 };
	scoped(drop_string) char *root = NULL;
	int r = guest_mount_os(guest, &root, why);

	if (r < 0)
		return r;
	r = find_product(guest, root, in, why);
	if (r < 0)
		return r;
	in->kernel = find_kernel(guest);
	r = guest_read(guest, IMAGE_JSON, 1 << 16, &json, why);
	if (r == 0)
		r = record_facts(text_str(&json), json.len, &in->facts, why);
	if (r < 0 && r != -ENOENT)
		return fault_wrap(why, IMAGE_JSON);
	return look_at_packages(guest, root, in, why);
}

static char *role_names(unsigned roles)
{
	static const char *const names[] = { "control-plane", "worker", "storage", "registry" };
	scoped(text_done) struct text out = { 0 };
	size_t i;

	for (i = 0; i < COUNT(names); i++)
		if (roles & (1u << i))
			text_addf(&out, "%s%s", out.len ? ", " : "", names[i]);
	return text_take(&out);
}

static int look_at_document(const struct seed *seed, struct inspection *in, struct fault *why)
{
	scoped(complaints_done) struct complaints complaints = { 0 };
	scoped(model_done) struct model model = { 0 };
	const struct seed_file *file = seed_find(seed, "cluster.yaml");
	const struct model_node *node;
	char address[NET_IP_LEN];
	int r;

	if (!file)
		return 0;
	r = document_parse("cluster.yaml", file->data, file->len, &model, &complaints, why);
	if (r < 0)
		return r;
	in->cluster = model.name ? strdup(model.name) : NULL;
	node = in->node ? model_node(&model, in->node) : NULL;
	if (node) {
		in->roles = role_names(node->roles);
		in->address = strdup(net_ip_text(&node->address, address));
	}
	return 0;
}

static int look_at_seed(const struct guest *guest, struct inspection *in, struct fault *why)
{
	scoped(seed_done) struct seed seed = { 0 };
	const struct seed_file *name;
	struct fault wrong = { 0 };
	size_t i;
	int r = guest_seed(guest, &seed, why);

	if (r == -ENOENT) {
		in->seed = strdup("none");
		return 0;
	}
	if (r == 0)
		r = seed_verify(&seed, &wrong);
	else
		wrong = *why;
	in->seed = strdup(r < 0 ? wrong.text : "verified");
	in->seed_good = r < 0 ? -1 : 1;
	for (i = 0; i < seed.n; i++)
		if (strncmp(seed.files[i].path, "secrets/", 8) == 0)
			args_add(&in->secrets, "%s", seed.files[i].path);
	name = seed_find(&seed, "node");
	if (name)
		in->node = strndup(name->data, strcspn(name->data, "\n"));
	return look_at_document(&seed, in, why);
}

static int look_at_disk(const struct guest *guest, const char *image, struct inspection *in,
			struct fault *why)
{
	in->image = strdup(image);
	in->format = guestfs_disk_format(guest->handle, image);
	in->bytes = guestfs_disk_virtual_size(guest->handle, image);
	return in->format && in->bytes >= 0 ? 0 : guest_fault(guest, why, image);
}

int inspect(const char *image, struct inspection *ret, struct fault *why)
{
	scoped(guest_drop) struct guest guest = { 0 };
	scoped(inspection_done) struct inspection in = { 0 };
	int r = guest_open(image, &guest, why);

	if (r == 0)
		r = look_at_disk(&guest, image, &in, why);
	if (r == 0)
		r = look_at_os(&guest, &in, why);
	if (r == 0)
		r = look_at_seed(&guest, &in, why);
	if (r == 0)
		r = guest_close(&guest, why);
	if (r < 0)
		return r;
	*ret = in;
	in = (struct inspection){ 0 };
	return 0;
}
