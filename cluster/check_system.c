/* SPDX-License-Identifier: MIT */
#include "cluster/check.h"

#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "storage/storage.h"

/* Releases whose distribution is beyond doubt; others are taken on trust. */
static const struct {
	const char *name;
	enum model_distribution distribution;
} releases[] = {
	{ "buster", MODEL_DEBIAN },   { "bullseye", MODEL_DEBIAN }, { "bookworm", MODEL_DEBIAN },
	{ "trixie", MODEL_DEBIAN },   { "forky", MODEL_DEBIAN },    { "sid", MODEL_DEBIAN },
	{ "focal", MODEL_UBUNTU },    { "jammy", MODEL_UBUNTU },    { "noble", MODEL_UBUNTU },
	{ "oracular", MODEL_UBUNTU }, { "plucky", MODEL_UBUNTU },   { "questing", MODEL_UBUNTU },
};

static const char *const distributions[MODEL_N_DISTRIBUTIONS] = {
	[MODEL_DEBIAN] = "debian",
	[MODEL_UBUNTU] = "ubuntu",
};

static void check_release(struct check *k)
{
	const struct model *m = k->m;
	struct complaint_guess guess = { .word = m->os.release };
	char hint[64];
	size_t i;

	if (!m->os.release || !m->mark.distribution.line || !m->mark.release.line)
		return;
	for (i = 0; i < COUNT(releases); i++) {
		if (strcmp(releases[i].name, m->os.release) == 0) {
			snprintf(hint, sizeof(hint), "write distribution: %s",
				 distributions[releases[i].distribution]);
			if (releases[i].distribution != m->os.distribution)
				complaint_add(k->c, COMPLAINT_ERROR, m->mark.release,
					      "release-other", NULL, hint,
					      "'%s' is a release of %s, not of %s", m->os.release,
					      distributions[releases[i].distribution],
					      distributions[m->os.distribution]);
			return;
		}
		if (releases[i].distribution == m->os.distribution)
			complaint_guess_try(&guess, releases[i].name);
	}
	if (guess.best) {
		snprintf(hint, sizeof(hint), "did you mean '%s'?", guess.best);
		complaint_add(k->c, COMPLAINT_WARNING, m->mark.release, "release-unknown", NULL,
			      hint, "'%.64s' is no release of %s that is known", m->os.release,
			      distributions[m->os.distribution]);
	}
}

/* What came over a network is what its publisher made only if somebody says what that is. */
static void check_cloud_image(struct check *k)
{
	const struct model *m = k->m;

	if (m->mark.cloud_image.line && !m->os.sha256 && model_place_is_url(m->os.cloud_image))
		complaint_add(k->c, COMPLAINT_ERROR, m->mark.cloud_image, "cloud-image-sum", NULL,
			      "its publisher tells it, mostly in SHA256SUMS beside the image",
			      "cloudImage: a URL needs its sha256: beside it");
	if (m->mark.sha256.line && !m->os.cloud_image)
		complaint_add(k->c, COMPLAINT_ERROR, m->mark.sha256, "cloud-image-sum", NULL,
			      "name the image, as cloudImage:, or leave the sum out",
			      "sha256: there is no cloudImage whose sum this is");
}

static void check_addon(struct check *k)
{
	static const char *const known[] = { "routed", "none",	 "flannel", "calico",
					     "cilium", "antrea", "canal",   "kube-router" };
	const char *addon = k->m->pod_network_addon;
	struct complaint_guess guess = { .word = addon };
	char hint[64];
	size_t i;

	if (!addon || !k->m->mark.pod_network.line)
		return;
	for (i = 0; i < COUNT(known); i++) {
		if (strcmp(known[i], addon) == 0)
			return;
		complaint_guess_try(&guess, known[i]);
	}
	snprintf(hint, sizeof(hint), "did you mean '%s'?", guess.best ? guess.best : "");
	complaint_add(k->c, COMPLAINT_WARNING, k->m->mark.pod_network, "addon-unknown", NULL,
		      guess.best ? hint : "the pod network must then come from elsewhere",
		      "podNetwork '%.64s' is no addon that is known", addon);
}

static void check_admin(struct check *k)
{
	const struct model *m = k->m;

	if (m->admin.user && storage_account_is_system(m->admin.user))
		complaint_add(k->c, COMPLAINT_ERROR, m->mark.user, "account-reserved", NULL,
			      "such as admin or ubuntu", "the account '%s' is the system's own",
			      m->admin.user);
	if (m->admin.ssh_keys && m->admin.ssh_keys[0] && !m->admin.user)
		complaint_add(k->c, COMPLAINT_ERROR, m->mark.ssh_keys[0], "key-missing", NULL,
			      "such as user: admin",
			      "sshKeys without a user: whose keys are they?");
}

void check_system(struct check *k)
{
	check_release(k);
	check_cloud_image(k);
	check_addon(k);
	check_admin(k);
}
