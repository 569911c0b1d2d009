/* SPDX-License-Identifier: MIT */
#include "image/push.h"

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
static int make_folder(struct push *p, struct fault *why)
{
	static const char *const places[] = { "/dev/shm", "/tmp" };
	size_t i;

	for (i = 0; i < COUNT(places); i++) {
		text_done(&p->folder);
		text_addf(&p->folder, "%s/rackseed-push-XXXXXX", places[i]);
		if (text_error(&p->folder) < 0)
			return fault_errno(why, ENOMEM, "push");
		if (mkdtemp(p->folder.data))
			return 0;
	}
	text_done(&p->folder);
	return fault_errno(why, errno, "no folder can be made in /tmp");
}

static int write_auths(const struct push *p, int fd, const struct depot *depots, size_t n,
		       struct fault *why)
{
	struct registry_auth *auths = calloc(n + 1, sizeof(*auths));
	struct text *places = calloc(n + 1, sizeof(*places));
	scoped(text_wipe) struct text json = { 0 };
	size_t i, n_auths = 0;
	int r = auths && places ? 0 : fault_errno(why, ENOMEM, "push");

	for (i = 0; r == 0 && i < n; i++) {
		if (!depots[i].login.len)
			continue;
		/* docker.io's credentials have a key of their own. */
		if (p->m->registries[i].node)
			depot_place(p->m, p->m->registries[i].host, &places[i]);
		else
			text_add(&places[i], p->m->registries[i].host);
		auths[n_auths++] =
			(struct registry_auth){ text_str(&places[i]), text_str(&depots[i].basic) };
	}
	if (r == 0)
		registry_docker_config(auths, n_auths, &json);
	if (r == 0)
		r = fs_write(fd, "auth.json", 0600, text_str(&json), json.len, why);
	for (i = 0; places && i < n; i++)
		text_done(&places[i]);
	free(places);
	free(auths);
	return r < 0 ? r : 0;
}

/* As containers-certs.d(5) wants it: a folder for each registry that has any of these. */
static int write_certificates(const struct push *p, int fd, size_t i, const struct depot *depot,
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

		text_addf(&path, "%s/%s", p->m->registries[i].host, files[k].name);
		if (files[k].pem->len)
			r = fs_write(fd, text_str(&path), 0600, files[k].pem->data,
				     files[k].pem->len, why);
	}
	return r < 0 ? r : 0;
}

static int write_all(const struct push *p, struct fault *why)
{
	scoped(drop_fd) int fd = open(text_str(&p->folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct depot *depots = calloc(p->m->n_registries + 1, sizeof(*depots));
	size_t n = p->m->n_registries, i;
	int r = 0;

	if (fd < 0 || !depots) {
		r = fault_errno(why, fd < 0 ? errno : ENOMEM, "%s", text_str(&p->folder));
		free(depots);
		return r;
	}
	/* Of all of them, for an image may come from one and go to another. */
	for (i = 0; r == 0 && i < n; i++) {
		r = depot_open(p->m, p->m->registries[i].host, p->secrets, &depots[i], why);
		if (r == 0)
			r = write_certificates(p, fd, i, &depots[i], why);
	}
	if (r == 0)
		r = write_auths(p, fd, depots, n, why);
	for (i = 0; i < n; i++)
		depot_done(&depots[i]);
	free(depots);
	return r;
}

int push_begin(struct push *p, struct fault *why)
{
	int r = make_folder(p, why);

	if (r == 0)
		r = write_all(p, why);
	if (r < 0)
		push_end(p);
	return r;
}

void push_end(struct push *p)
{
	scoped(drop_fd) int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct fault why = { 0 };

	if (p->folder.len && fs_remove_tree(root, text_str(&p->folder), &why) < 0)
		fprintf(stderr, "rackseed: %s: remove it yourself: %s\n", text_str(&p->folder),
			why.text);
	text_done(&p->folder);
}

/* How one side is reached: "--src-…" or "--dest-…". */
static void add_manners(const struct push *p, const char *side, const char *host, struct args *argv)
{
	const struct model_registry *r = model_registry(p->m, host);

	if (r && r->insecure)
		args_add(argv, "--%s-tls-verify=false", side);
	else if (r && (r->node || r->ca_file || r->client_cert_file))
		args_add(argv, "--%s-cert-dir=%s/%s", side, text_str(&p->folder), r->host);
}

static void add_source(const struct push *p, const char *source, struct args *argv)
{
	static const char docker[] = "docker://";
	scoped(text_done) struct text host = { 0 };
	const char *name = source + strlen(docker);

	if (strncmp(source, docker, strlen(docker)) != 0)
		return;
	text_add_n(&host, name, strcspn(name, "/"));
	add_manners(p, "src", text_str(&host), argv);
}

int push_image(const struct push *p, const char *source, const char *name, struct text *out,
	       struct fault *why)
{
	scoped(args_done) struct args argv = { 0 };
	scoped(text_done) struct text place = { 0 };
	int r;

	depot_place(p->m, p->host, &place);
	args_add(&argv, "skopeo");
	args_add(&argv, "copy");
	args_add(&argv, "--quiet");
	args_add(&argv, "--authfile=%s/auth.json", text_str(&p->folder));
	args_add(&argv, "--override-os=linux");
	args_add(&argv, "--override-arch=amd64");
	add_source(p, source, &argv);
	add_manners(p, "dest", p->host, &argv);
	args_add(&argv, "%s", source);
	args_add(&argv, "docker://%s/%s%s", text_str(&place), p->prefix, name);
	if (!args_list(&argv))
		return fault_errno(why, ENOMEM, "skopeo");
	r = run(&(struct run){ .argv = args_list(&argv), .timeout_ms = COPY_MS }, why);
	if (r == -ENOENT)
		return fault_set(why, ENOENT, "skopeo is not installed on this machine");
	if (r < 0)
		return fault_wrap(why, "%s%s", p->prefix, name);
	text_addf(out, "%s/%s%s\n", p->host, p->prefix, name);
	return text_error(out) < 0 ? fault_errno(why, ENOMEM, "push") : 0;
}
