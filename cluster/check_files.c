/* SPDX-License-Identifier: MIT */
#include "cluster/document.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/complaint.h"
#include "cluster/model.h"
#include "cluster/signature.h"
#include "registry/server.h"
#include "storage/storage.h"

enum { MAX_KEY = 1 << 20 };

DEFINE_DROP(dir, DIR *, closedir)

struct files {
	const struct model *m;
	struct complaints *c;
	int dirfd;
};

static void complain(struct files *f, struct model_mark mark, const char *code, const char *hint,
		     const char *path, const char *what)
{
	complaint_add(f->c, COMPLAINT_ERROR, mark, code, NULL, hint, "%.256s %s", path, what);
}

static void check_private(struct files *f, struct model_mark mark, const char *path,
			  const struct stat *st)
{
	char hint[300];

	snprintf(hint, sizeof(hint), "chmod %s %.256s", S_ISDIR(st->st_mode) ? "700" : "600", path);
	if (st->st_mode & 077)
		complain(f, mark, "secret-readable", hint, path, "is open to other users");
}

/* 0 when it is there, a file, and not empty; then who may read it is judged. */
static int check_secret(struct files *f, struct model_mark mark, const char *path)
{
	struct stat st;

	if (!path || fstatat(f->dirfd, path, &st, 0) < 0)
		return -1;
	if (!S_ISREG(st.st_mode)) {
		complain(f, mark, "secret-form", NULL, path, "is not a file");
		return -1;
	}
	if (st.st_size == 0)
		complain(f, mark, "secret-form",
			 "remove it, and `rackseed secrets` makes a new one where it may", path,
			 "is empty");
	check_private(f, mark, path, &st);
	return st.st_size == 0 ? -1 : 0;
}

/*
 * A password that is not there yet is made by `rackseed secrets`. flaw, or NULL, is what the node
 * would say of it, without the newline that editors leave behind it.
 */
static void check_password(struct files *f, struct model_mark mark, const char *path,
			   const char *(*flaw)(const char *password))
{
	scoped(text_wipe) struct text password = { 0 };
	struct fault why = { 0 };
	const char *what = NULL;

	if (check_secret(f, mark, path) < 0 || !flaw)
		return;
	if (fs_read(f->dirfd, path, MAX_KEY, &password, &why) < 0) {
		complain(f, mark, "secret-form", NULL, path, "cannot be read, or is no password");
		return;
	}
	text_chomp(&password);
	what = strlen(text_str(&password)) < password.len ? "holds a zero byte"
							  : flaw(text_str(&password));
	if (what)
		complain(f, mark, "secret-form", NULL, path, what);
}

/* What nobody makes for somebody else's registry. */
static void check_theirs(struct files *f, const struct model_registry *r)
{
	const struct {
		const char *path;
		struct model_mark mark;
		const char *hint;
	} rows[] = {
		{ r->ca_file, r->ca_mark, "put the registry's CA certificate there" },
		{ r->client_cert_file, r->client_cert_mark,
		  "put the certificate there that the registry wants to see" },
		{ r->client_key_file, r->client_key_mark,
		  "put the key of the certificate of clientCertFile there" },
	};
	struct stat st;
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		if (rows[i].path && fstatat(f->dirfd, rows[i].path, &st, 0) < 0)
			complain(f, rows[i].mark, "file-missing", rows[i].hint, rows[i].path,
				 "is not there");
}

/* The key that signs images, where the document names one: then nobody makes it. */
static void check_signing(struct files *f)
{
	const char *path = f->m->signing.key_file;
	const struct model_mark mark = f->m->signing.key_mark;
	scoped(text_wipe) struct text key = { 0 };
	struct fault why = { 0 };
	struct stat st;
	char hint[300];

	if (!path)
		return;
	if (fstatat(f->dirfd, path, &st, 0) < 0) {
		complain(f, mark, "file-missing",
			 "put the key there; without keyFile, `rackseed secrets` makes one", path,
			 "is not there");
		return;
	}
	if (check_secret(f, mark, path) < 0)
		return;
	snprintf(hint, sizeof(hint), "openssl genpkey -algorithm ed25519 -out %.200s makes one",
		 path);
	if (fs_read(f->dirfd, path, MAX_KEY, &key, &why) < 0)
		complain(f, mark, "secret-form", hint, path, "cannot be read");
	else if (signature_key_check(text_str(&key), &why) < 0)
		complain(f, mark, "secret-form", hint, path,
			 "is no unencrypted private key of Ed25519, EC or RSA in PEM");
}

/* What `rackseed secrets` makes; the document has no line for these. */
static void check_known_secrets(struct files *f)
{
	static const char *const paths[] = {
		"secrets",
		"secrets/token",
		"secrets/signing.key",
		"secrets/admin.key",
		"secrets/pki/ca.key",
		"secrets/pki/sa.key",
		"secrets/pki/front-proxy-ca.key",
		"secrets/pki/etcd/ca.key",
		"secrets/pki/registry/ca.key",
	};
	const struct model_mark top = { .line = 1, .column = 1 };
	struct stat st;
	size_t i;

	for (i = 0; i < COUNT(paths); i++)
		if (fstatat(f->dirfd, paths[i], &st, 0) == 0)
			check_private(f, top, paths[i], &st);
}

static void check_there(struct files *f, struct model_mark mark, const char *path, const char *what)
{
	struct stat st;
	char words[128];

	if (fstatat(f->dirfd, path, &st, 0) == 0)
		return;
	snprintf(words, sizeof(words), "%s", strerror(errno));
	if (errno == ENOENT)
		snprintf(words, sizeof(words), "is not there (%s)", what);
	complain(f, mark, "file-missing", "paths are relative to the folder of this file", path,
		 words);
}

static bool holds_packages(int fd)
{
	int copy = dup(fd);
	scoped(drop_dir) DIR *dir = copy < 0 ? NULL : fdopendir(copy);
	const struct dirent *entry;

	if (!dir && copy >= 0)
		close(copy);
	while (dir && (entry = readdir(dir))) {
		size_t n = strlen(entry->d_name);

		if (n > 4 && strcmp(entry->d_name + n - 4, ".deb") == 0)
			return true;
	}
	return false;
}

static void check_source(struct files *f, struct model_mark mark, const char *path)
{
	scoped(drop_fd) int fd = openat(f->dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0 && errno == ENOTDIR)
		complain(f, mark, "file-missing", NULL, path, "is not a folder of packages");
	else if (fd < 0)
		check_there(f, mark, path, "a folder of packages");
	else if (!holds_packages(fd))
		complain(f, mark, "file-missing", NULL, path, "holds no .deb file");
}

void document_check_files(const struct model *m, int dirfd, struct complaints *c)
{
	struct files f = { .m = m, .c = c, .dirfd = dirfd };
	size_t i;

	check_known_secrets(&f);
	check_signing(&f);
	for (i = 0; i < m->n_registries; i++) {
		check_password(&f, m->registries[i].password_mark, m->registries[i].password_file,
			       m->registries[i].node ? registry_password_flaw : NULL);
		check_secret(&f, m->registries[i].client_key_mark,
			     m->registries[i].client_key_file);
		check_theirs(&f, &m->registries[i]);
	}
	for (i = 0; i < m->n_shares; i++)
		check_password(&f, m->shares[i].password_mark, m->shares[i].password_file,
			       storage_password_flaw);
	for (i = 0; m->images && m->images[i] && m->mark.images; i++)
		if (model_image_is_file(m->images[i]))
			check_there(&f, m->mark.images[i], m->images[i], "an archive of images");
	for (i = 0; m->os.sources && m->os.sources[i] && m->mark.sources; i++)
		if (model_source_is_folder(m->os.sources[i]))
			check_source(&f, m->mark.sources[i], m->os.sources[i]);
	if (m->os.cloud_image && !model_place_is_url(m->os.cloud_image))
		check_there(&f, m->mark.cloud_image, m->os.cloud_image, "the cloud image");
}
