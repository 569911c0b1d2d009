/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/run.h"
#include "cluster/seed.h"

static void add(struct seed *s, const char *path, const char *data)
{
	struct fault why = { 0 };

	if (seed_add(s, path, data, strlen(data), &why) < 0)
		fail_msg("%s", why.text);
}

static void fill(struct seed *s)
{
	struct fault why = { 0 };

	add(s, "secrets/token", "abcdef.0123456789abcdef\n");
	add(s, "node", "worker\n");
	add(s, "secrets/pki/ca.crt", "certificate\n");
	add(s, "cluster.yaml", "");
	assert_int_equal(seed_seal(s, &why), 0);
}

static char *at(const struct seed *s, const char *path)
{
	const struct seed_file *file = seed_find(s, path);

	assert_non_null(file);
	return file->data;
}

static void test_sealed_seed_is_sorted_and_verifies(void **state)
{
	static const char *const order[] = { "cluster.yaml", "node", "secrets/pki/ca.crt",
					     "secrets/token", "SHA256SUMS" };
	struct fault why = { 0 };
	struct seed s = { 0 };
	size_t i;

	(void)state;
	fill(&s);
	assert_int_equal(s.n, COUNT(order));
	for (i = 0; i < COUNT(order); i++)
		assert_string_equal(s.files[i].path, order[i]);
	assert_golden("cluster/seed.SHA256SUMS", at(&s, "SHA256SUMS"));
	assert_int_equal(seed_verify(&s, &why), 0);
	assert_int_equal(seed_seal(&s, &why), -EEXIST);
	seed_done(&s);
}

static const struct {
	const char *path;
	int code;
} names[] = {
	{ "secrets/passwords/nas", 0 },
	{ ".hidden", 0 },
	{ "NODE", -EEXIST }, /* FAT takes it for "node" */
	{ "node", -EEXIST },
	{ "", -EINVAL },
	{ "/etc/passwd", -EINVAL },
	{ "../node", -EINVAL },
	{ "a/../b", -EINVAL },
	{ "a/./b", -EINVAL },
	{ "a//b", -EINVAL },
	{ "a/", -EINVAL },
	{ "a\\b", -EINVAL },
	{ "a\nb", -EINVAL },
	{ "a:b", -EINVAL },
	{ "trailing.", -EINVAL },
	{ "trailing ", -EINVAL },
	{ "gr\xc3\xbc\xc3\x9f", -EINVAL },
};

static void test_names_that_fat_would_change_are_refused(void **state)
{
	struct fault why = { 0 };

	(void)state;
	CASES(c, names)
	{
		struct seed s = { 0 };

		add(&s, "node", "worker\n");
		if (seed_add(&s, c->path, "x", 1, &why) != c->code)
			fail_msg("'%s': %s", c->path, why.text);
		assert_int_equal(s.n, c->code ? 1 : 2);
		seed_done(&s);
	}
}

static void test_bounds_of_number_and_size(void **state)
{
	struct fault why = { 0 };
	struct seed s = { 0 };
	char name[16];
	char *big = calloc(1, SEED_BYTES + 1);
	int i;

	(void)state;
	assert_int_equal(seed_add(&s, "big", big, SEED_BYTES + 1, &why), -EFBIG);
	assert_int_equal(seed_add(&s, "big", big, SEED_BYTES, &why), 0);
	assert_int_equal(seed_add(&s, "one", "x", 1, &why), -EFBIG);
	assert_non_null(strstr(why.text, "16 MiB"));
	seed_done(&s);
	free(big);
	for (i = 0; i < SEED_MAX_FILES; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		assert_int_equal(seed_add(&s, name, "", 0, &why), 0);
	}
	assert_int_equal(seed_add(&s, "more", "", 0, &why), -EFBIG);
	seed_done(&s);
}

/* Each row damages a sealed seed in one place. */
static void change_byte(struct seed *s)
{
	at(s, "node")[0] = 'W';
}

static void change_sum(struct seed *s)
{
	char *sums = at(s, "SHA256SUMS");

	sums[0] = sums[0] == 'f' ? '0' : 'f';
}

static void change_name(struct seed *s)
{
	strstr(at(s, "SHA256SUMS"), "node")[0] = 'm';
}

static void change_case(struct seed *s)
{
	strstr(at(s, "SHA256SUMS"), "node")[0] = 'N';
}

static void upper_hex(struct seed *s)
{
	memset(at(s, "SHA256SUMS"), 'A', 64);
}

static void one_space(struct seed *s)
{
	at(s, "SHA256SUMS")[65] = '*';
}

static void cut_sums(struct seed *s)
{
	s->files[s->n - 1].len -= 5;
}

static void cut_line(struct seed *s)
{
	struct seed_file *sums = &s->files[s->n - 1];

	sums->len = (size_t)(strchr(sums->data, '\n') + 1 - sums->data);
}

static void empty_sums(struct seed *s)
{
	s->files[s->n - 1].len = 0;
}

static void escape(struct seed *s)
{
	strstr(at(s, "SHA256SUMS"), "node")[0] = '\033';
}

static void add_file(struct seed *s)
{
	add(s, "surplus", "");
}

static void lose_sums(struct seed *s)
{
	at(s, "SHA256SUMS");
	s->files[s->n - 1].path[0] = 's';
}

static void lose_file(struct seed *s)
{
	s->files[1].path[0] = 'x';
}

static const struct {
	void (*damage)(struct seed *s);
	int code;
	const char *says;
} damages[] = {
	{ change_byte, -EBADMSG, "'node' is not what was written" },
	{ change_sum, -EBADMSG, "SHA256SUMS:1: 'cluster.yaml' is not what was written" },
	{ change_name, -ENOENT, "'mode' is missing" },
	{ change_case, -ENOENT, "'Node' is missing" },
	{ upper_hex, -EBADMSG, "SHA256SUMS:1: not a line of sha256sum" },
	{ one_space, -EBADMSG, "SHA256SUMS:1: not a line of sha256sum" },
	{ cut_sums, -EBADMSG, "SHA256SUMS:4: ends in the middle" },
	{ cut_line, -EBADMSG, "'node' is not named in SHA256SUMS" },
	{ empty_sums, -EBADMSG, "is not named in SHA256SUMS: remove it" },
	{ escape, -EBADMSG, "SHA256SUMS:2: not a line of sha256sum" },
	{ add_file, -EBADMSG, "'surplus' is not named in SHA256SUMS: remove it" },
	{ lose_sums, -ENOENT, "SHA256SUMS is missing" },
	{ lose_file, -ENOENT, "'node' is missing" },
};

static void test_damage_is_named(void **state)
{
	(void)state;
	CASES(c, damages)
	{
		struct fault why = { 0 };
		struct seed s = { 0 };

		fill(&s);
		c->damage(&s);
		if (seed_verify(&s, &why) != c->code || !strstr(why.text, c->says))
			fail_msg("wanted '%s', got %d '%s'", c->says, why.code, why.text);
		seed_done(&s);
	}
}

static void test_sums_given_twice_are_refused(void **state)
{
	struct fault why = { 0 };
	struct text sums = { 0 };
	struct seed s = { 0 };
	struct seed twice = { 0 };

	(void)state;
	fill(&s);
	text_addf(&sums, "%s%s", at(&s, "SHA256SUMS"), at(&s, "SHA256SUMS"));
	add(&twice, "cluster.yaml", "");
	add(&twice, "node", "worker\n");
	add(&twice, "secrets/pki/ca.crt", "certificate\n");
	add(&twice, "secrets/token", "abcdef.0123456789abcdef\n");
	add(&twice, "SHA256SUMS", text_str(&sums));
	assert_int_equal(seed_verify(&twice, &why), -EBADMSG);
	assert_string_equal(why.text, "SHA256SUMS:5: 'cluster.yaml' a second time");
	text_done(&sums);
	seed_done(&s);
	seed_done(&twice);
}

static int new_folder(char path[static 64])
{
	int fd;

	snprintf(path, 64, "/tmp/rackseed-seed-XXXXXX");
	assert_non_null(mkdtemp(path));
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	return fd;
}

static void remove_folder(const char *path, int fd)
{
	struct fault why = { 0 };
	int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	close(fd);
	assert_int_equal(fs_remove_tree(root, path, &why), FS_CHANGED);
	close(root);
}

static void write_seed(const struct seed *s, int fd)
{
	struct fault why = { 0 };
	size_t i;

	for (i = 0; i < s->n; i++)
		if (fs_write(fd, s->files[i].path, 0600, s->files[i].data, s->files[i].len,
			     &why) < 0)
			fail_msg("%s", why.text);
}

static void assert_same(const struct seed *a, const struct seed *b)
{
	size_t i;

	assert_int_equal(a->n, b->n);
	for (i = 0; i < a->n; i++) {
		const struct seed_file *file = seed_find(b, a->files[i].path);

		assert_non_null(file);
		assert_int_equal(file->len, a->files[i].len);
		assert_memory_equal(file->data, a->files[i].data, file->len + 1);
	}
}

static void test_what_is_read_back_is_what_was_written(void **state)
{
	const char *const argv[] = { "sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS",
				     NULL };
	struct run what = { .argv = argv };
	struct seed s = { 0 }, back = { 0 };
	struct fault why = { 0 };
	char path[64];
	int fd = new_folder(path);

	(void)state;
	fill(&s);
	write_seed(&s, fd);
	what.dir = path;
	if (run(&what, &why) < 0)
		fail_msg("%s", why.text);
	assert_int_equal(seed_read(fd, &back, &why), 0);
	assert_same(&s, &back);
	assert_int_equal(seed_verify(&back, &why), 0);
	seed_done(&s);
	seed_done(&back);
	remove_folder(path, fd);
}

/* As on the disk: a FAT file system made and filled by mtools, and read back out of it. */
static void test_a_seed_survives_fat(void **state)
{
	struct seed s = { 0 }, back = { 0 };
	struct fault why = { 0 };
	char path[64], image[96], in[96], out[96];
	int fd = new_folder(path);
	int sub;

	(void)state;
	fill(&s);
	snprintf(image, sizeof(image), "%s/fat", path);
	snprintf(in, sizeof(in), "%s/in", path);
	snprintf(out, sizeof(out), "%s/out", path);
	assert_int_equal(mkdir(in, 0700), 0);
	assert_int_equal(mkdir(out, 0700), 0);
	sub = open(in, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	write_seed(&s, sub);
	close(sub);
	{
		const char *const commands[][8] = {
			{ "truncate", "-s", "16M", image, NULL },
			{ "mformat", "-i", image, "-v", SEED_LABEL, "::", NULL },
			{ "sh", "-c", "cd \"$1\" && mcopy -s -i \"$2\" * ::", "sh", in, image,
			  NULL },
			{ "mcopy", "-s", "-n", "-i", image, "::*", out, NULL },
		};

		CASES(command, commands)
		{
			struct run what = { .argv = *command };

			if (run(&what, &why) < 0)
				fail_msg("%s", why.text);
		}
	}
	sub = open(out, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (seed_read(sub, &back, &why) < 0)
		fail_msg("%s", why.text);
	close(sub);
	assert_same(&s, &back);
	assert_int_equal(seed_verify(&back, &why), 0);
	seed_done(&s);
	seed_done(&back);
	remove_folder(path, fd);
}

static void make_link(int fd)
{
	assert_int_equal(symlinkat("/etc/passwd", fd, "link"), 0);
}

static void make_folder_link(int fd)
{
	assert_int_equal(symlinkat("/etc", fd, "secrets"), 0);
}

static void make_fifo(int fd)
{
	assert_int_equal(mkfifoat(fd, "fifo", 0600), 0);
}

static void make_deep(int fd)
{
	struct fault why = { 0 };

	assert_int_equal(fs_mkdirs(fd, "1/2/3/4/5/6/7", 0700, &why), FS_CHANGED);
}

static void make_large(int fd)
{
	int file = openat(fd, "large", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(ftruncate(file, SEED_BYTES + 1), 0);
	close(file);
}

static void make_many(int fd)
{
	char name[16];
	int i;

	for (i = 0; i <= SEED_MAX_FILES; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		close(openat(fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	}
}

static void make_folders(int fd)
{
	char name[16];
	int i;

	for (i = 0; i <= 256; i++) {
		snprintf(name, sizeof(name), "d%d", i);
		assert_int_equal(mkdirat(fd, name, 0700), 0);
	}
}

static void make_cases(int fd)
{
	close(openat(fd, "node", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
	close(openat(fd, "NODE", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static const struct {
	void (*make)(int fd);
	int code;
	const char *says;
} strange[] = {
	{ make_link, -ELOOP, "'link' is a link" },
	{ make_folder_link, -ELOOP, "'secrets' is a link" },
	{ make_fifo, -EINVAL, "'fifo' is not a file" },
	{ make_deep, -EFBIG, "'1/2/3/4/5/6': too many folders" },
	{ make_large, -EFBIG, "'large' is larger than 16 MiB" },
	{ make_many, -EFBIG, "more than 256 files" },
	{ make_folders, -EFBIG, "too many folders" },
	{ make_cases, -EEXIST, "is in the seed already as" },
};

static void test_strange_folders_are_refused(void **state)
{
	(void)state;
	CASES(c, strange)
	{
		struct fault why = { 0 };
		struct seed s = { 0 };
		char path[64];
		int fd = new_folder(path);

		c->make(fd);
		if (seed_read(fd, &s, &why) != c->code || !strstr(why.text, c->says))
			fail_msg("wanted '%s', got %d '%s'", c->says, why.code, why.text);
		assert_int_equal(s.n, 0);
		remove_folder(path, fd);
	}
}

/* ---- who holds what ---- */

#define OWN(name) "pki/status/" name ".crt pki/status/" name ".key "

static const struct {
	unsigned roles;
	const char *name, *token, *paths;
} holders[] = {
	{ MODEL_CONTROL_PLANE, "master", NULL,
	  "pki/ca.crt pki/ca.key pki/etcd/ca.crt pki/etcd/ca.key pki/front-proxy-ca.crt "
	  "pki/front-proxy-ca.key pki/sa.key pki/sa.pub token pki/registry/ca.crt " OWN("master")
	  "registry hub-password hub.crt samba nas " },
	{ MODEL_WORKER, "worker", NULL,
	  "pki/ca.crt token pki/registry/ca.crt " OWN("worker")
	  "registry hub-password hub.crt samba nas " },
	{ MODEL_WORKER, "worker", "abcdef.0123456789abcdef",
	  "pki/ca.crt pki/registry/ca.crt " OWN("worker")
	  "registry hub-password hub.crt samba nas " },
	{ MODEL_STORAGE, "storage", NULL, "pki/ca.crt " OWN("storage") "samba " },
	{ MODEL_REGISTRY, "registry", NULL,
	  "pki/ca.crt pki/registry/ca.crt pki/registry/registry.crt pki/registry/registry.key "
	  OWN("registry") "registry hub-password hub.crt " },
	{ MODEL_REGISTRY, "other", NULL, "pki/ca.crt pki/registry/ca.crt " OWN("other") },
	{ MODEL_STORAGE | MODEL_WORKER, "both", NULL,
	  "pki/ca.crt token pki/registry/ca.crt " OWN("both")
	  "registry hub-password hub.crt samba nas " },
};

static void test_each_role_holds_its_part_only(void **state)
{
	struct model_registry registries[] = {
		{ .host = (char[]){ "registry:5000" },
		  .node = (char[]){ "registry" },
		  .password_file = (char[]){ "secrets/registry" } },
		{ .host = (char[]){ "registry:5001" },
		  .node = (char[]){ "registry" },
		  .upstream = (char[]){ "hub.example" } },
		{ .host = (char[]){ "hub.example" },
		  .user = (char[]){ "u" },
		  .password_file = (char[]){ "secrets/hub-password" },
		  .ca_file = (char[]){ "secrets/hub.crt" } },
		{ .host = (char[]){ "docker.io" } },
	};
	struct model_share shares[] = {
		{ .name = (char[]){ "sambashare" }, .node = (char[]){ "storage" },
		  .password_file = (char[]){ "./secrets/samba" } },
		{ .name = (char[]){ "archive" }, .server = (char[]){ "//nas.example/archive" },
		  .password_file = (char[]){ "secrets/nas" } },
	};
	struct model m = { .registries = registries, .n_registries = COUNT(registries),
			   .shares = shares, .n_shares = COUNT(shares) };

	(void)state;
	CASES(c, holders)
	{
		struct model_node node = { .name = (char *)(uintptr_t)c->name, .roles = c->roles };
		struct text got = { 0 };
		struct fault why = { 0 };
		const char **paths = NULL;
		size_t i;

		m.token = (char *)(uintptr_t)c->token;
		assert_int_equal(seed_secrets(&m, &node, &paths, &why), 0);
		for (i = 0; paths[i]; i++)
			text_addf(&got, "%s ", paths[i]);
		assert_string_equal(text_str(&got), c->paths);
		text_done(&got);
		free(paths);
	}
}

static void test_a_password_file_cannot_carry_a_key_to_a_worker(void **state)
{
	static const char *const tricks[] = {
		"secrets/pki/ca.key", "secrets/./pki/ca.key", "secrets//pki/ca.key",
		"secrets/x/../pki/ca.key", "secrets/admin.key", "elsewhere/password",
		"/etc/shadow", "../secrets/pki/ca.key", "secrets/token",
	};
	struct model_node node = { .name = (char[]){ "worker" }, .roles = MODEL_WORKER };

	(void)state;
	CASES(trick, tricks)
	{
		struct model_share share = { .name = (char[]){ "s" },
					     .password_file = (char *)(uintptr_t)*trick };
		struct model m = { .shares = &share, .n_shares = 1,
				   .token = (char[]){ "abcdef.0123456789abcdef" } };
		struct fault why = { 0 };
		const char **paths = NULL;

		if (seed_secrets(&m, &node, &paths, &why) != -EINVAL)
			fail_msg("'%s' was taken", *trick);
		assert_non_null(strstr(why.text, "node 'worker': passwordFile"));
		assert_null(paths);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sealed_seed_is_sorted_and_verifies),
		cmocka_unit_test(test_names_that_fat_would_change_are_refused),
		cmocka_unit_test(test_bounds_of_number_and_size),
		cmocka_unit_test(test_damage_is_named),
		cmocka_unit_test(test_sums_given_twice_are_refused),
		cmocka_unit_test(test_what_is_read_back_is_what_was_written),
		cmocka_unit_test(test_a_seed_survives_fat),
		cmocka_unit_test(test_strange_folders_are_refused),
		cmocka_unit_test(test_each_role_holds_its_part_only),
		cmocka_unit_test(test_a_password_file_cannot_carry_a_key_to_a_worker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
