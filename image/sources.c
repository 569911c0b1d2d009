/* SPDX-License-Identifier: MIT */
#include "image/sources.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/run.h"
#include "cluster/model.h"
#include "image/build.h"
#include "image/digest.h"
#include "image/release.h"

#define KUBERNETES_KEY "/etc/apt/keyrings/kubernetes-apt-keyring.gpg"

void sources_done(struct sources *s)
{
	args_done(&s->mirrors);
	args_done(&s->lines);
	args_done(&s->debs);
	text_done(&s->key);
}

static bool has_word(const char *words, const char *word)
{
	size_t n = strlen(word);
	const char *at;

	for (at = words; (at = strstr(at, word)); at++)
		if ((at == words || at[-1] == ' ') && (at[n] == ' ' || at[n] == '\0'))
			return true;
	return false;
}

/* "URI SUITE COMPONENT", a line; suites are the release's own, -updates and -security. */
static void add_target(const char *line, const char *release, const char *components,
		       struct args *out)
{
	static const char *const tails[] = { "", "-updates", "-security" };
	char uri[512], suite[64], component[64];
	size_t i;

	if (sscanf(line, "%511s %63s %63s", uri, suite, component) != 3 ||
	    strncmp(suite, release, strlen(release)) != 0 || !has_word(components, component))
		return;
	for (i = 0; i < COUNT(tails); i++)
		if (strcmp(suite + strlen(release), tails[i]) == 0)
			args_add(out, "deb %s %s %s", uri, suite, component);
}

void sources_from_apt(const char *targets, const char *release, const char *components,
		      struct args *out)
{
	char line[1024];

	while (*targets) {
		size_t n = strcspn(targets, "\n");

		snprintf(line, sizeof(line), "%.*s", (int)(n < 1000 ? n : 1000), targets);
		add_target(line, release, components, out);
		targets += n + (targets[n] == '\n');
	}
}

/* A machine of the same release knows a mirror that it reaches; one that has none says so here. */
static void ask_apt(const struct build *b, struct sources *s)
{
	static const char *const argv[] = { "apt-get",
					    "indextargets",
					    "--format",
					    "$(REPO_URI) $(RELEASE) $(COMPONENT)",
					    "Created-By: Packages",
					    NULL };
	scoped(text_done) struct text out = { 0 };
	struct fault ignored = { 0 };

	if (run(&(struct run){ .argv = argv, .out = &out }, &ignored) == 0)
		sources_from_apt(text_str(&out), b->release->name, s->components,
				 &s->mirrors);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_deb(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);

	return n > 4 && strcmp(entry->d_name + n - 4, ".deb") == 0;
}

static int add_deb(struct sources *s, const char *folder, const char *name, struct fault *why)
{
	scoped(text_done) struct text path = { 0 };
	char hex[DIGEST_LEN];
	int r;

	text_addf(&path, "%s/%s", folder, name);
	r = digest_file(text_str(&path), hex, why);
	if (r < 0)
		return r;
	args_add(&s->debs, "%s", text_str(&path));
	text_addf(&s->key, "deb %s %s\n", hex, name);
	return 0;
}

static int add_folder(const struct build *b, struct sources *s, const char *folder,
		      struct fault *why)
{
	scoped(text_done) struct text path = { 0 };
	struct dirent **entries = NULL;
	int n, i, r = 0;

	text_addf(&path, "%s%s%s", *folder == '/' ? "" : b->folder_path, *folder == '/' ? "" : "/",
		  folder);
	n = scandir(text_str(&path), &entries, is_deb, by_name);
	if (n < 0)
		return fault_errno(why, errno, "os.sources: '%s'", folder);
	if (n == 0)
		r = fault_set(why, ENOENT,
			      "os.sources: the folder '%s' holds no .deb file; a source is such a "
			      "folder or a line that begins with \"deb \"",
			      folder);
	for (i = 0; i < n; i++) {
		if (r == 0)
			r = add_deb(s, text_str(&path), entries[i]->d_name, why);
		free(entries[i]);
	}
	free(entries);
	return r;
}

/* Without os.sources Kubernetes comes from its own archive, whose key must be here already. */
static int add_default(const struct build *b, struct sources *s, struct fault *why)
{
	const struct model_version *v = &b->model->kubernetes;

	if (access(KUBERNETES_KEY, R_OK) < 0)
		return fault_set(
			why, ENOENT,
			"no source for the packages of Kubernetes %d.%d: name one under "
			"os.sources (a folder of .deb files, or a deb line), or put the key "
			"of pkgs.k8s.io at " KUBERNETES_KEY,
			v->major, v->minor);
	args_add(&s->lines, "deb [signed-by=%s] https://pkgs.k8s.io/core:/stable:/v%d.%d/deb/ /",
		 KUBERNETES_KEY, v->major, v->minor);
	return 0;
}

bool sources_are_local(const struct sources *s)
{
	size_t i;

	for (i = 0; i < s->mirrors.n; i++)
		if (strstr(s->mirrors.list[i], " file:/"))
			return true;
	for (i = 0; i < s->lines.n; i++)
		if (strstr(s->lines.list[i], " file:/"))
			return true;
	return false;
}

int sources_collect(const struct build *b, unsigned uses, struct sources *ret, struct fault *why)
{
	char **source = b->model->os.sources;
	struct sources s = { .components = release_components(b->release, uses) };
	size_t i;
	int r = 0;

	if (b->model->os.mirror)
		release_mirror(b->release, s.components, b->model->os.mirror, &s.mirrors);
	else
		ask_apt(b, &s);
	if (!source && (uses & RELEASE_KUBERNETES))
		r = add_default(b, &s, why);
	for (; r == 0 && source && *source; source++) {
		if (model_source_is_folder(*source))
			r = add_folder(b, &s, *source, why);
		else
			args_add(&s.lines, "%s", *source);
	}
	for (i = 0; i < s.mirrors.n; i++)
		text_addf(&s.key, "mirror %s\n", s.mirrors.list[i]);
	for (i = 0; i < s.lines.n; i++)
		text_addf(&s.key, "line %s\n", s.lines.list[i]);
	if (r == 0 && (s.mirrors.error || s.lines.error || s.debs.error || text_error(&s.key)))
		r = fault_errno(why, ENOMEM, "os.sources");
	if (r < 0)
		sources_done(&s);
	else
		*ret = s;
	return r;
}

/* What dpkg-scanpackages would say of it; apt needs size and sum. */
static int index_deb(const char *path, const char *name, struct text *out, struct fault *why)
{
	const char *const argv[] = { "dpkg-deb", "--field", path, NULL };
	char hex[DIGEST_LEN];
	struct stat st;
	int r = run(&(struct run){ .argv = argv, .out = out }, why);

	if (r == 0)
		r = digest_file(path, hex, why);
	if (r < 0)
		return r;
	if (stat(path, &st) < 0)
		return fault_errno(why, errno, "%s", path);
	text_addf(out, "Filename: ./%s\nSize: %lld\nSHA256: %s\n\n", name, (long long)st.st_size,
		  hex);
	return 0;
}

static int publish_debs(const struct sources *s, int fd, struct fault *why)
{
	scoped(text_done) struct text packages = { 0 };
	size_t i;
	int r = 0;

	for (i = 0; r >= 0 && i < s->debs.n; i++) {
		const char *path = s->debs.list[i];
		const char *name = strrchr(path, '/') + 1;

		r = index_deb(path, name, &packages, why);
		if (r == 0)
			r = fs_link(fd, name, path, why);
	}
	if (r >= 0)
		r = fs_write(fd, "Packages", 0644, text_str(&packages), packages.len, why);
	return r < 0 ? r : 0;
}

int sources_publish(const struct build *b, const struct sources *s, const char *folder,
		    struct fault *why)
{
	scoped(text_done) struct text list = { 0 };
	scoped(drop_fd) int fd = -1;
	size_t i;
	int r = fs_mkdirs(b->cache.fd, folder, 0755, why);

	if (r < 0)
		return r;
	fd = openat(b->cache.fd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fault_errno(why, errno, "%s/%s", b->cache.path, folder);
	if (s->debs.n > 0) {
		r = publish_debs(s, fd, why);
		text_addf(&list, "deb [trusted=yes] copy:%s/%s ./\n", b->cache.path, folder);
	}
	for (i = 0; i < s->lines.n; i++)
		text_addf(&list, "%s\n", s->lines.list[i]);
	if (r >= 0)
		r = fs_write(fd, "extra.list", 0644, text_str(&list), list.len, why);
	return r < 0 ? r : 0;
}
