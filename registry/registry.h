/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct text;

/* containerd's configuration: runtime, CNI, and where images come from. Pure. */

struct registry_auth {
	const char *host;  /* "registry:5000"; "docker.io" is asked where it really is */
	const char *basic; /* HTTP's basic credentials: base64 of USER:PASSWORD */
};

struct registry_runtime { /* another than runc that pods may ask for */
	const char *name;   /* of its handler */
	const char *binary; /* path on the node */
};

struct registry_containerd {
	int major, minor;  /* of containerd: 1.5 to 1.7 (version = 2 tables) or 2.x (version = 3) */
	const char *pause; /* the sandbox image that kubeadm wants, such as k8s.gcr.io/pause:3.2 */
	const char *cni_bin_dir; /* /usr/lib/cni */
	/*
	 * What CRI logs in with where a registry asks for a token, which a header of hosts.toml
	 * cannot do.
	 */
	const struct registry_auth *auths;
	size_t n_auths;
	const struct registry_runtime *runtime; /* or NULL: runc alone, and no CDI */
};

/* /etc/containerd/config.toml: SystemdCgroup, sandbox image, CNI, config_path of certs.d. */
void registry_containerd_config(const struct registry_containerd *c, struct text *out);

struct registry_host {	   /* one server to ask, in order */
	const char *host;  /* "registry:5000"; "docker.io" is asked where it really is */
	const char *path;  /* "/v2/hub" prefix for a mirror below a path, or NULL */
	const char *ca;	   /* path of its CA certificate on the node, or NULL: the system's */
	const char *basic; /* HTTP's basic credentials (base64 of USER:PASSWORD), or NULL */
	/* Paths on the node of the certificate that it is shown, and of its key; or both NULL. */
	const char *client_cert, *client_key;
	bool insecure; /* http */
};

/* How each of them begins: so one can be told from other people's. */
#define REGISTRY_HOSTS_HEAD "# Written by rackseed from cluster.yaml; changes here do not last.\n"

/* certs.d/HOST/hosts.toml: server (NULL for _default) and its mirrors before it. */
void registry_hosts(const struct registry_host *server, const struct registry_host *mirrors,
		    size_t n_mirrors, struct text *out);

/* "docker.io" answers under a name that no image bears; all others under their own. */
const char *registry_real_host(const char *host) __attribute__((nonnull));

/* {"auths": …}: the text of a pull secret, as kubelet and skopeo read it. */
void registry_docker_config(const struct registry_auth *auths, size_t n, struct text *out);
