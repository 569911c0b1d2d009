/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/evp.h>

#include "cluster/snapshot.h"

enum { PAGE = 4096, SUM = 32, N = 2 * PAGE };

struct folder {
	char path[64];
	int fd;
};

static void folder_make(struct folder *f)
{
	snprintf(f->path, sizeof(f->path), "/tmp/rackseed-test-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(f->fd >= 0);
}

static void folder_done(struct folder *f)
{
	struct fault why = { 0 };
	int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	drop_fd(&f->fd);
	assert_int_equal(fs_remove_tree(tmp, f->path + strlen("/tmp/"), &why), FS_CHANGED);
	drop_fd(&tmp);
}

static void little(unsigned char *p, uint64_t value, int n)
{
	for (int i = 0; i < n; i++)
		p[i] = (unsigned char)(value >> (8 * i));
}

static void meta(unsigned char *page)
{
	uint64_t sum = UINT64_C(0xcbf29ce484222325);

	little(page + 16, 0xED0CDAED, 4);
	little(page + 20, 2, 4);
	little(page + 24, PAGE, 4);
	for (int i = 16; i < 16 + 56; i++)
		sum = (sum ^ page[i]) * UINT64_C(0x100000001b3);
	little(page + 16 + 56, sum, 8);
}

static void snapshot(unsigned char bytes[static N + SUM])
{
	unsigned n;

	memset(bytes, 0, N);
	meta(bytes);
	meta(bytes + PAGE);
	assert_int_equal(EVP_Digest(bytes, N, bytes + N, &n, EVP_sha256(), NULL), 1);
}

static void put(const struct folder *f, const char *name, const void *bytes, size_t n)
{
	struct fault why = { 0 };

	assert_true(fs_write(f->fd, name, 0600, bytes, n, &why) >= 0);
}

static void test_a_name_tells_its_time(void **state)
{
	static const char *const foreign[] = { "",
					       "etcd-20231114T221320Z.db.part",
					       "etcd-20231114T221320Z",
					       "xetcd-20231114T221320Z.db",
					       "etcd-2023-11-14.db",
					       ".snapshot.rackseed-new",
					       "etcd-20231314T221320Z.db" };
	char name[SNAPSHOT_NAME_LEN];
	int64_t time = 0;

	(void)state;
	snapshot_name(1700000000, name);
	assert_string_equal(name, "etcd-20231114T221320Z.db");
	assert_int_equal(snapshot_time(name, &time), 0);
	assert_int_equal(time, 1700000000);
	CASES (c, foreign)
		assert_int_equal(snapshot_time(*c, &time), -EINVAL);
	assert_int_equal(time, 1700000000);
}

static void test_every_byte_counts(void **state)
{
	unsigned char bytes[N + SUM];
	struct fault why = { 0 };
	struct folder f;
	size_t i;

	(void)state;
	folder_make(&f);
	snapshot(bytes);
	put(&f, "s", bytes, sizeof(bytes));
	assert_int_equal(snapshot_verify(f.fd, "s", &why), 0);
	for (i = 0; i < sizeof(bytes); i += i < 128 || i > N - 8 ? 1 : 509) {
		bytes[i] ^= 4;
		put(&f, "s", bytes, sizeof(bytes));
		assert_int_equal(snapshot_verify(f.fd, "s", &why), -EBADMSG);
		bytes[i] ^= 4;
	}
	for (i = 0; i < sizeof(bytes); i += 64) {
		put(&f, "s", bytes, i);
		assert_int_equal(snapshot_verify(f.fd, "s", &why), -EBADMSG);
	}
	assert_int_equal(snapshot_verify(f.fd, "none", &why), -ENOENT);
	folder_done(&f);
}

/* A right sum over what is no database: a snapshot of something else. */
static void test_a_sum_alone_makes_no_snapshot(void **state)
{
	unsigned char bytes[N + SUM] = { 0 };
	struct fault why = { 0 };
	struct folder f;
	unsigned n;

	(void)state;
	folder_make(&f);
	assert_int_equal(EVP_Digest(bytes, N, bytes + N, &n, EVP_sha256(), NULL), 1);
	put(&f, "s", bytes, sizeof(bytes));
	assert_int_equal(snapshot_verify(f.fd, "s", &why), -EBADMSG);
	assert_string_equal(why.text, "s: no database of etcd");
	folder_done(&f);
}

static void test_one_of_two_meta_pages_is_enough(void **state)
{
	unsigned char bytes[N + SUM];
	struct fault why = { 0 };
	struct folder f;

	(void)state;
	folder_make(&f);
	snapshot(bytes);
	bytes[20] = 9;
	put(&f, "db", bytes, N);
	assert_int_equal(snapshot_check_database(f.fd, "db", &why), 0);
	bytes[PAGE + 72] ^= 1;
	put(&f, "db", bytes, N);
	assert_int_equal(snapshot_check_database(f.fd, "db", &why), -EBADMSG);
	put(&f, "db", "", 0);
	assert_int_equal(snapshot_check_database(f.fd, "db", &why), -EBADMSG);
	folder_done(&f);
}

static void test_the_newest_whole_one_is_found_and_the_rest_let_go(void **state)
{
	unsigned char bytes[N + SUM];
	char name[SNAPSHOT_NAME_LEN] = "";
	struct fault why = { 0 };
	struct folder f;
	struct stat st;
	int i;

	(void)state;
	folder_make(&f);
	assert_int_equal(snapshot_newest(f.fd, name, &why), -ENOENT);
	snapshot(bytes);
	for (i = 0; i < 5; i++) {
		char file[SNAPSHOT_NAME_LEN];

		snapshot_name(1700000000 + i * 3600, file);
		put(&f, file, bytes, i == 4 ? 100 : sizeof(bytes));
	}
	put(&f, "README", "x", 1);
	assert_int_equal(snapshot_newest(f.fd, name, &why), 0);
	assert_string_equal(name, "etcd-20231115T011320Z.db");
	/* A broken one that is newer than all whole ones stays: it may be the one being written. */
	assert_int_equal(snapshot_prune(f.fd, 2, &why), 0);
	assert_int_equal(fstatat(f.fd, "etcd-20231114T221320Z.db", &st, 0), -1);
	assert_int_equal(fstatat(f.fd, "etcd-20231114T231320Z.db", &st, 0), -1);
	assert_int_equal(fstatat(f.fd, "etcd-20231115T001320Z.db", &st, 0), 0);
	assert_int_equal(fstatat(f.fd, "etcd-20231115T011320Z.db", &st, 0), 0);
	assert_int_equal(fstatat(f.fd, "etcd-20231115T021320Z.db", &st, 0), 0);
	assert_int_equal(fstatat(f.fd, "README", &st, 0), 0);
	folder_done(&f);
	assert_int_equal(snapshot_prune(f.fd, 2, &why), -EBADF);
}

/* A failed read once made a cluster begin anew that had a snapshot. */
static void test_what_cannot_be_read_is_not_called_broken(void **state)
{
	unsigned char bytes[N + SUM];
	char name[SNAPSHOT_NAME_LEN] = "", file[SNAPSHOT_NAME_LEN];
	struct fault why = { 0 };
	struct folder f;
	struct stat st;

	(void)state;
	folder_make(&f);
	snapshot(bytes);
	snapshot_name(1700000000, file);
	assert_int_equal(symlinkat(file, f.fd, file), 0); /* ELOOP */
	assert_int_equal(snapshot_newest(f.fd, name, &why), -ELOOP);
	snapshot_name(1700003600, file);
	put(&f, file, bytes, sizeof(bytes));
	assert_int_equal(snapshot_newest(f.fd, name, &why), 0);
	assert_string_equal(name, file);
	snapshot_name(1700007200, file);
	assert_int_equal(symlinkat(file, f.fd, file), 0);
	assert_int_equal(snapshot_newest(f.fd, name, &why), -ELOOP);
	assert_int_equal(snapshot_prune(f.fd, 2, &why), 0);
	assert_int_equal(fstatat(f.fd, "etcd-20231114T221320Z.db", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(snapshot_prune(f.fd, 1, &why), 0);
	assert_int_equal(fstatat(f.fd, "etcd-20231114T221320Z.db", &st, AT_SYMLINK_NOFOLLOW), -1);
	folder_done(&f);
}

/* What the stream of blobs leaves in a file, fed in parts of any length. */
static int stream(const char *json, size_t part, char *out, size_t size, size_t *ret_n)
{
	struct snapshot_stream *s = malloc(sizeof(*s));
	struct fault why = { 0 };
	struct folder f;
	size_t n = strlen(json), at;
	ssize_t got;
	int fd, r = 0;

	assert_non_null(s);
	folder_make(&f);
	fd = openat(f.fd, "out", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	snapshot_stream_init(s, fd);
	for (at = 0; at < n && r == 0; at += part)
		r = snapshot_stream_take(json + at, n - at < part ? n - at : part, s);
	r = snapshot_stream_end(s, &why);
	got = pread(fd, out, size - 1, 0);
	assert_true(got >= 0);
	out[got] = '\0';
	*ret_n = (size_t)got;
	close(fd);
	folder_done(&f);
	free(s);
	return r;
}

static void test_blobs_become_bytes(void **state)
{
	static const struct {
		const char *json, *want;
		int r;
	} cases[] = {
		{ "{\"result\":{\"header\":{},\"remaining_bytes\":\"3\",\"blob\":\"YWJj\"}}\n",
		  "abc", 0 },
		{ "{\"result\":{\"blob\":\"YQ==\"}}\n{\"result\":{\"blob\":\"YmM=\"}}", "abc", 0 },
		{ "{\"result\":{\"blob\":\"YWJjZGVm\"}}{\"result\":{\"blob\":\"\"}}", "abcdef", 0 },
		{ "\"\"blob\":\"+/+/\"", "\xfb\xff\xbf", 0 },
		{ "{\"result\":{\"blob\":\"YWJj", "abc", -EBADMSG },
		{ "{\"result\":{\"blob\":\"YWJ\"}}", "", -EBADMSG },
		{ "{\"result\":{\"blob\":\"Y===\"}}", "", -EBADMSG },
		{ "{\"result\":{\"blob\":\"YQ=a\"}}", "", -EBADMSG },
		{ "{\"result\":{\"blob\":\"Y!Jj\"}}", "", -EBADMSG },
		{ "{\"error\":\"etcdserver: no\"}", "", -EBADMSG },
		{ "", "", -EBADMSG },
	};
	char out[64];
	size_t n, part;

	(void)state;
	CASES (c, cases)
		for (part = 1; part < 9; part++) {
			assert_int_equal(stream(c->json, part, out, sizeof(out), &n), c->r);
			if (c->r == 0) {
				assert_int_equal(n, strlen(c->want));
				assert_memory_equal(out, c->want, n);
			}
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_name_tells_its_time),
		cmocka_unit_test(test_every_byte_counts),
		cmocka_unit_test(test_a_sum_alone_makes_no_snapshot),
		cmocka_unit_test(test_one_of_two_meta_pages_is_enough),
		cmocka_unit_test(test_the_newest_whole_one_is_found_and_the_rest_let_go),
		cmocka_unit_test(test_what_cannot_be_read_is_not_called_broken),
		cmocka_unit_test(test_blobs_become_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
