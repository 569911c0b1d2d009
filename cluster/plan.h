/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "cluster/model.h"

struct fault;
struct seed;
struct text;

/*
 * What a node must be, as data: the same plan is printed by `rackseed plan` and carried out by
 * rackseed-firstboot. Pure.
 */

/* The steps of firstboot in their order; a plan's actions belong to one each. */
enum plan_step {
	PLAN_HOSTNAME, /* early: hostname, hosts */
	PLAN_ADMIN,   /* early: the admin's account (sysusers.d, tmpfiles.d, sudoers.d), ssh keys */
	PLAN_NETWORK, /* early: netplan, resolv.conf */
	PLAN_SWAP,
	PLAN_KERNEL, /* modules and sysctl */
	PLAN_CLOCK,
	PLAN_CONTAINERD, /* config.toml, certs.d, CNI */
	PLAN_IMAGES,
	PLAN_FIREWALL,
	PLAN_DATA,	 /* where what is served lies on a disk of its own: its mount */
	PLAN_STORAGE,	 /* what a storage node serves: accounts, folders, smb.conf */
	PLAN_REGISTRY,	 /* role registry: docker-registry's configuration, certificate and users */
	PLAN_CLUSTER,	 /* PKI, kubeadm document; init or join */
	PLAN_SHARES,	 /* what a Kubernetes node mounts: units, credentials */
	PLAN_REGISTRIES, /* each is asked, and pulled from: nothing of it is written */
	PLAN_GPU,	 /* modules of GPUs, by name; the machine itself is looked at, and tested */
	PLAN_OBJECTS,	 /* what the cluster holds, through the API server */
	PLAN_N_STEPS,
};

/* "hostname", "network", … as shown, logged and on the bus. */
const char *plan_step_name(enum plan_step step);

enum plan_kind {
	PLAN_FILE,     /* path holds content with mode */
	PLAN_SECRET,   /* path holds the bytes of the seed's file named by source, with mode */
	PLAN_TEMPLATE, /* path holds what plan_fill() makes of content, with mode */
	PLAN_LINK,     /* path is a symbolic link to content */
	PLAN_ABSENT,   /* path is not there */
	PLAN_FOLDER,   /* path is a folder with mode that belongs to content, "USER:GROUP" */
	PLAN_ACCOUNT,  /* Samba knows the user named by path; source holds the password */
	/*
	 * path lets in (htpasswd, bcrypt) the users of content, a line "USER:PATH" each, with the
	 * password in the seed's file of that path. The salts are drawn where it is written.
	 */
	PLAN_HTPASSWD,
	/*
	 * A Kubernetes object of ours, applied (server-side, PATCH): content is what plan_fill()
	 * makes JSON of, path its API path with the query. It is made where it is not there, and
	 * removed when no plan has it any more.
	 */
	PLAN_OBJECT,
	/*
	 * As above, but fields of an object that somebody else makes: apply would make a Node
	 * that nobody joined, so GET the path up to its '?' first, and wait while that answers
	 * 404. Where Kubernetes keeps a list as one value, what others put into it stays there.
	 */
	PLAN_FIELDS,
	PLAN_N_KINDS,
};

const char *plan_kind_name(enum plan_kind kind); /* "file", "secret", … */

struct plan_action {
	enum plan_step step;
	enum plan_kind kind;
	mode_t mode;
	char *path;
	char *content; /* or NULL */
	char *source;  /* PLAN_SECRET, PLAN_ACCOUNT: path below the seed's secrets/ */
};

struct plan {
	struct plan_action *actions;
	size_t n, size;
	int error; /* sticky -ENOMEM */
};

/* What the machine or the image knows and the document need not: found by whoever plans. */
struct plan_facts {
	struct model_version kubernetes; /* exact, from kubeadm; major 0 or patch < 0: not known */
	int containerd_major, containerd_minor; /* 0: not known, the release's default is taken */
	char pause[160]; /* the sandbox image that this kubeadm wants; "": by its version */
	bool control_plane_ready; /* another control plane already serves (join, not init) */
};

/* Takes kubernetes, containerd and pause from image.json or build.json; what is not there stays. */
int plan_facts_parse(const char *json, size_t len, struct plan_facts *facts, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * Fills in what is not known: patch 0, the release's containerd, kubeadm's pause image, which stays
 * empty where memory ran out.
 */
void plan_facts_assume(const struct model *m, struct plan_facts *facts) __attribute__((nonnull));

/* Fills *ret with everything the node must be, in the order of the steps. */
int plan_make(const struct model *m, const struct model_node *node, const struct plan_facts *facts,
	      struct plan *ret, struct fault *why) __attribute__((nonnull, warn_unused_result));

void plan_done(struct plan *p);

/* Where the passwords for mounting are, NAME.cred. */
#define PLAN_CREDENTIALS_D "/etc/rackseed/shares/"

/*
 * Adds a share's address as rackseed-share takes it, //HOST[:PORT]/SHARE[/FOLDER]: the node's that
 * serves it, or the one that the file gives.
 */
void plan_share_address(const struct model *m, const struct model_share *share, struct text *out)
	__attribute__((nonnull));

/*
 * A template's places for secrets: PLAN_PLACE FORM ':' PATH PLAN_PLACE, where PATH is below the
 * seed's secrets/ and FORM one of
 *
 *   word          the file without the white space around it, refused unless it is one word of
 *                 [A-Za-z0-9._+/=-], so that it needs no quoting anywhere
 *   base64        the whole file in base64
 *   line          the file without its newline, refused unless it is one line of text that a
 *                 credentials file of mount.cifs(8) can hold
 *   basic:USER    HTTP's basic credentials: base64 of USER ":" the file without its newline
 *   pull:HOST/USER  a pull secret's .dockerconfigjson: base64 of JSON that holds the same
 *   yaml          the file without its newline as a YAML scalar in quotes
 *
 * PLAN_PLACE is a control character that every quote_ function escapes, and only templates and
 * objects are filled: no text of the document can pose as a place.
 */
#define PLAN_PLACE "\x1a"

/* The label of what rackseed made in the cluster, and its name as a field manager. */
#define PLAN_MADE_LABEL "app.kubernetes.io/managed-by"
#define PLAN_MANAGER "rackseed"

/*
 * Of an object whose list is one value to Kubernetes, such as a Node's taints, an annotation says
 * which are ours: "gpu:NoSchedule,disk:NoExecute". On a service account it is what says that we
 * attached something at all.
 */
#define PLAN_TAINTS_NOTE "rackseed/taints"
#define PLAN_PULL_NOTE "rackseed/image-pull-secrets"
#define PLAN_PULL_LABEL "rackseed/image-pull-secrets"

/* A node's labels for the shares that are mounted on it: share.rackseed/NAME=mounted. */
#define PLAN_SHARE_LABEL "share.rackseed/"
#define PLAN_SHARE_MANAGER "rackseed-shares"

/*
 * NAME here leads to where the share is mounted, while it is. Volumes point to it: the label above
 * outlives a power cut, and a pod that starts before the mount would get the bare folder below it.
 */
#define PLAN_MOUNTED_D "/run/rackseed/shares/"

/* Adds content to *out with its places filled from the seed; -ENOENT names what the seed lacks. */
int plan_fill(const char *content, const struct seed *seed, struct text *out, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* Adds content to *out as people may see it: <base64 of secrets/pki/ca.crt> for a place. */
void plan_veil(const char *content, struct text *out) __attribute__((nonnull));

/* As `rackseed plan` shows it; secrets appear as the names of their files. */
void plan_print(const struct plan *p, struct text *out);
void plan_json(const struct plan *p, struct text *out);

/* What differs, action by action with lines "-" and "+"; nothing when nothing does. */
void plan_diff(const struct plan *before, const struct plan *after, struct text *out);
