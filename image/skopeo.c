/* SPDX-License-Identifier: MIT */
#include "image/skopeo.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/run.h"
#include "cluster/model.h"
#include "image/args.h"
#include "registry/registry.h"

enum { COPY_MS = 60 * 60 * 1000 };

/* Room in memory where there is some: a password must not stay on a disk. */
static int make_folder(struct skopeo *s, struct fault *why)
{
	static const char *const places[] = { "/dev/shm", "/tmp" };
	size_t i;

	for (i = 0; i < COUNT(places); i++) {
		text_done(&s->folder);
		text_addf(&s->folder, "%s/rackseed-skopeo-XXXXXX", places[i]);
		if (text_error(&s->folder) < 0)
			return fault_errno(why, ENOMEM, "skopeo");
		if (mkdtemp(s->folder.data))
			return 0;
	}
	text_done(&s->folder);
	return fault_errno(why, errno, "no folder can be made in /tmp");
}

static int write_auths(const struct skopeo *s, int fd, const struct depot *depots, size_t n,
		       struct fault *why)
{
	struct registry_auth *auths = calloc(n + 1, sizeof(*auths));
	struct text *places = calloc(n + 1, sizeof(*places));
	scoped(text_wipe) struct text json = { 0 };
	size_t i, n_auths = 0;
	int r;

	for (i = 0; auths && places && i < n; i++) {
		if (!depots[i].login.len)
			continue;
		/* docker.io's credentials have a key of their own. */
		if (s->m->registries[i].node)
			depot_place(s->m, s->m->registries[i].host, &places[i]);
		else
			text_add(&places[i], s->m->registries[i].host);
		auths[n_auths++] =
			(struct registry_auth){ text_str(&places[i]), text_str(&depots[i].basic) };
	}
	if (auths && places) {
		registry_docker_config(auths, n_auths, &json);
		r = fs_write(fd, "auth.json", 0600, text_str(&json), json.len, why);
	} else {
		r = fault_errno(why, ENOMEM, "skopeo");
	}
	for (i = 0; places && i < n; i++)
		text_done(&places[i]);
	free(places);
	free(auths);
	return r < 0 ? r : 0;
}

/* As containers-certs.d(5) wants it: a folder for each registry that has any of these. */
static int write_certificates(const struct skopeo *s, int fd, size_t i, const struct depot *depot,
			      struct fault *why)
{
	const struct {
		const char *name;
		const struct text *pem;
	} files[] = {
		{ "ca.crt", &depot->ca },
		{ "client.cert", &depot->crt },
		{ "client.key", &depot->key },
	};
	size_t k;
	int r = 0;

	for (k = 0; r >= 0 && k < COUNT(files); k++) {
		scoped(text_done) struct text path = { 0 };

		text_addf(&path, "%s/%s", s->m->registries[i].host, files[k].name);
		if (files[k].pem->len)
			r = fs_write(fd, text_str(&path), 0600, files[k].pem->data,
				     files[k].pem->len, why);
	}
	return r < 0 ? r : 0;
}

static int write_all(const struct skopeo *s, const struct depot_secrets *secrets,
		     struct fault *why)
{
	scoped(drop_fd) int fd = open(text_str(&s->folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct depot *depots = calloc(s->m->n_registries + 1, sizeof(*depots));
	size_t n = s->m->n_registries, i;
	int r = 0;

	if (fd < 0 || !depots) {
		r = fault_errno(why, fd < 0 ? errno : ENOMEM, "%s", text_str(&s->folder));
		free(depots);
		return r;
	}
	/* Of all of them, for an image may come from one and go to another. */
	for (i = 0; r == 0 && i < n; i++) {
		r = depot_open(s->m, s->m->registries[i].host, secrets, &depots[i], why);
		if (r == 0)
			r = write_certificates(s, fd, i, &depots[i], why);
	}
	if (r == 0)
		r = write_auths(s, fd, depots, n, why);
	for (i = 0; i < n; i++)
		depot_done(&depots[i]);
	free(depots);
	return r;
}

int skopeo_begin(const struct model *m, const struct depot_secrets *secrets, struct skopeo *ret,
		 struct fault *why)
{
	int r;

	*ret = (struct skopeo){ .m = m };
	r = make_folder(ret, why);
	if (r == 0)
		r = write_all(ret, secrets, why);
	if (r < 0)
		skopeo_end(ret);
	return r;
}

void skopeo_end(struct skopeo *s)
{
	scoped(drop_fd) int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct fault why = { 0 };

	if (s->folder.len && fs_remove_tree(root, text_str(&s->folder), &why) < 0)
		fprintf(stderr, "rackseed: %s: remove it yourself: %s\n", text_str(&s->folder),
			why.text);
	text_done(&s->folder);
}

/* One side of the copy, "src" or "dest": where it is, and how its registry is reached. */
static void add_side(const struct skopeo *s, const char *side, const char *image, struct args *argv,
		     struct text *place)
{
	static const char docker[] = "docker://";
	const char *name = image + strlen(docker);
	scoped(text_done) struct text host = { 0 };
	const struct model_registry *r = NULL;

	if (strncmp(image, docker, strlen(docker)) == 0) {
		text_add_n(&host, name, strcspn(name, "/"));
		r = model_registry(s->m, text_str(&host));
	}
	if (r && r->insecure)
		args_add(argv, "--%s-tls-verify=false", side);
	else if (r && (r->node || r->ca_file || r->client_cert_file))
		args_add(argv, "--%s-cert-dir=%s/%s", side, text_str(&s->folder), r->host);
	if (r && r->node) {
		text_add(place, docker);
		depot_place(s->m, r->host, place);
		text_add(place, name + host.len);
	} else {
		text_add(place, image);
	}
	if (text_error(&host) < 0 || text_error(place) < 0)
		argv->error = -ENOMEM;
}

int skopeo_copy(const struct skopeo *s, const char *from, const char *to, struct fault *why)
{
	scoped(args_done) struct args argv = { 0 };
	scoped(text_done) struct text source = { 0 };
	scoped(text_done) struct text target = { 0 };
	int r;

	args_add(&argv, "skopeo");
	args_add(&argv, "copy");
	args_add(&argv, "--quiet");
	args_add(&argv, "--authfile=%s/auth.json", text_str(&s->folder));
	args_add(&argv, "--override-os=linux");
	args_add(&argv, "--override-arch=amd64");
	add_side(s, "src", from, &argv, &source);
	add_side(s, "dest", to, &argv, &target);
	args_add(&argv, "%s", text_str(&source));
	args_add(&argv, "%s", text_str(&target));
	if (!args_list(&argv))
		return fault_errno(why, ENOMEM, "skopeo");
	r = run(&(struct run){ .argv = args_list(&argv), .timeout_ms = COPY_MS }, why);
	return r == -ENOENT ? fault_set(why, ENOENT, "skopeo is not installed on this machine") : r;
}
