/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/macros.h"
#include "image/cache.h"
#include "image/fetch.h"
#include "image/progress.h"
#include "tests/image/scratch.h"

/*
 * A server on loopback, in a network namespace of the test's own where it may make one. It has one
 * file under many names, and each name stands for a server that is good or bad in its own way.
 */

enum { SIZE = 100000, ONCE = 40000, REQUEST = 4096 };

static char content[SIZE];

struct request {
	char path[64];
	long from; /* of its Range, or -1 */
};

struct name {
	const char *path;
	bool ranges;	/* it knows them */
	bool lies;	/* and sends another one */
	size_t at_most; /* bytes of one answer, then the connection ends; 0: all */
};

static const struct name names[] = {
	{ "/good", true, false, 0 },	  { "/whole", false, false, 0 },
	{ "/broken", true, false, ONCE }, { "/stubborn", false, false, ONCE },
	{ "/liar", true, true, 0 },
};

static void send_all(int fd, const char *data, size_t len)
{
	ssize_t n;

	for (; len > 0; data += n, len -= (size_t)n) {
		n = send(fd, data, len, MSG_NOSIGNAL);
		if (n <= 0)
			return;
	}
}

static void answer(int fd, const struct request *r)
{
	const struct name *name = NULL;
	size_t from = 0, len;
	char head[256];

	for (size_t i = 0; i < COUNT(names); i++)
		if (strcmp(names[i].path, r->path) == 0)
			name = &names[i];
	if (strcmp(r->path, "/moved") == 0)
		snprintf(head, sizeof(head),
			 "HTTP/1.1 302 Found\r\nLocation: /good\r\nContent-Length: 0\r\n\r\n");
	else if (!name)
		snprintf(head, sizeof(head),
			 "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone");
	else if (name->ranges && r->from >= SIZE)
		snprintf(head, sizeof(head),
			 "HTTP/1.1 416 Beyond\r\nContent-Range: bytes */%d\r\n"
			 "Content-Length: 0\r\n\r\n",
			 SIZE);
	else if (name->ranges && r->from >= 0) {
		from = (size_t)r->from - name->lies;
		snprintf(head, sizeof(head),
			 "HTTP/1.1 206 Part\r\nContent-Range: bytes %zu-%d/%d\r\n"
			 "Content-Length: %zu\r\n\r\n",
			 from, SIZE - 1, SIZE, SIZE - from);
	} else
		snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", SIZE);
	send_all(fd, head, strlen(head));
	len = SIZE - from;
	if (name && r->from < SIZE)
		send_all(fd, content + from,
			 name->at_most && name->at_most < len ? name->at_most : len);
}

static void serve_one(int fd, int log)
{
	struct request r = { .from = -1 };
	char text[REQUEST + 1];
	const char *range;
	char line[128];
	size_t n = 0;
	ssize_t got;

	do {
		got = recv(fd, text + n, REQUEST - n, 0);
		n += got > 0 ? (size_t)got : 0;
		text[n] = '\0';
	} while (got > 0 && !strstr(text, "\r\n\r\n"));
	if (sscanf(text, "GET %63s HTTP/1.1", r.path) != 1)
		return;
	range = strstr(text, "Range: bytes=");
	if (range)
		r.from = strtol(range + strlen("Range: bytes="), NULL, 10);
	snprintf(line, sizeof(line), "%s %ld\n", r.path, r.from);
	if (write(log, line, strlen(line)) < 0)
		_exit(1);
	answer(fd, &r);
	shutdown(fd, SHUT_WR);
	while (recv(fd, text, REQUEST, 0) > 0)
		;
}

struct lab {
	struct scratch s;
	struct cache cache;
	struct progress progress;
	char sum[DIGEST_LEN];
	unsigned port;
	pid_t pid;
};

static void start_server(struct lab *lab)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int log = openat(lab->s.fd, "log", O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	assert_true(fd >= 0 && log >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(fd, 8), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	lab->port = ntohs(at.sin_port);
	lab->pid = fork();
	assert_true(lab->pid >= 0);
	if (lab->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;) {
			int peer = accept(fd, NULL, NULL);

			if (peer < 0)
				_exit(1);
			serve_one(peer, log);
			close(peer);
		}
	}
	close(fd);
	close(log);
}

static void lab_open(struct lab *lab)
{
	struct fault why = { 0 };

	*lab = (struct lab){ .s = scratch_open() };
	lab->cache = (struct cache){ .fd = lab->s.fd, .path = lab->s.path };
	progress_init(&lab->progress, true);
	assert_int_equal(digest_bytes(content, SIZE, lab->sum, &why), 0);
	start_server(lab);
}

static void lab_close(struct lab *lab)
{
	assert_int_equal(kill(lab->pid, SIGKILL), 0);
	assert_int_equal(waitpid(lab->pid, NULL, 0), lab->pid);
	scratch_close(&lab->s);
}

static int get(struct lab *lab, const char *path, const char *sum, struct text *out,
	       struct fault *why)
{
	char url[128];

	snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", lab->port, path);
	return fetch(&lab->cache, &lab->progress, url, sum, out, why);
}

static void assert_asked(const struct lab *lab, const char *want)
{
	struct text log = scratch_read(&lab->s, "log");

	assert_string_equal(text_str(&log), want);
	text_done(&log);
}

/* Puts the first n bytes into the part that a transfer before left. */
static void leave_part(const struct lab *lab, const char *bytes, size_t n)
{
	struct fault why = { 0 };
	char name[64];

	snprintf(name, sizeof(name), "partly-%.16s", lab->sum);
	assert_true(fs_write(lab->s.fd, name, 0644, bytes, n, &why) >= 0);
}

static off_t size_of_part(const struct lab *lab, const char *sum)
{
	struct stat st;
	char name[64];

	snprintf(name, sizeof(name), "partly-%.16s", sum);
	return fstatat(lab->s.fd, name, &st, 0) < 0 ? -1 : st.st_size;
}

static void assert_whole(const struct lab *lab, const struct text *path)
{
	struct text got = { 0 };
	struct fault why = { 0 };

	assert_int_equal(fs_read(AT_FDCWD, text_str(path), 1 << 20, &got, &why), 0);
	assert_int_equal(got.len, SIZE);
	assert_memory_equal(got.data, content, SIZE);
	assert_int_equal(size_of_part(lab, lab->sum), -1);
	text_done(&got);
}

static void test_fetches_whatever_the_server_is_like(void **state)
{
	static const struct {
		const char *path;
		size_t part; /* bytes that are there already */
		const char *asked;
	} cases[] = {
		{ "/good", 0, "/good -1\n" },
		{ "/good", 1, "/good 1\n" },
		{ "/good", SIZE, "/good 100000\n" },
		{ "/whole", 0, "/whole -1\n" },
		{ "/whole", 50000, "/whole 50000\n" },
		{ "/broken", 0, "/broken -1\n/broken 40000\n/broken 80000\n" },
		{ "/broken", 70000, "/broken 70000\n" },
		{ "/moved", 0, "/moved -1\n/good -1\n" },
		{ "/moved", 99, "/moved 99\n/good 99\n" },
	};

	(void)state;
	CASES (c, cases) {
		struct lab lab;
		struct text path = { 0 };
		struct fault why = { 0 };

		lab_open(&lab);
		if (c->part)
			leave_part(&lab, content, c->part);
		if (get(&lab, c->path, lab.sum, &path, &why) < 0)
			fail_msg("%s after %zu: %s", c->path, c->part, why.text);
		assert_asked(&lab, c->asked);
		assert_whole(&lab, &path);
		text_done(&path);
		lab_close(&lab);
	}
}

static void test_what_was_fetched_is_not_fetched_again(void **state)
{
	struct lab lab;
	struct text first = { 0 }, second = { 0 };
	struct fault why = { 0 };
	char upper[DIGEST_LEN];
	size_t i;

	(void)state;
	lab_open(&lab);
	for (i = 0; i < DIGEST_LEN; i++)
		upper[i] = (char)(lab.sum[i] >= 'a' ? lab.sum[i] - 'a' + 'A' : lab.sum[i]);
	assert_int_equal(get(&lab, "/good", lab.sum, &first, &why), 0);
	if (get(&lab, "/none", upper, &second, &why) < 0)
		fail_msg("%s", why.text);
	assert_string_equal(text_str(&first), text_str(&second));
	assert_asked(&lab, "/good -1\n");
	text_done(&first);
	text_done(&second);
	lab_close(&lab);
}

static void test_a_damaged_one_is_fetched_again(void **state)
{
	struct lab lab;
	struct text path = { 0 };
	struct fault why = { 0 };
	char name[64];

	(void)state;
	lab_open(&lab);
	snprintf(name, sizeof(name), "fetched-%.16s", lab.sum);
	scratch_write(&lab.s, name, 0444, "not this");
	assert_int_equal(get(&lab, "/good", lab.sum, &path, &why), 0);
	assert_whole(&lab, &path);
	text_done(&path);
	lab_close(&lab);
}

static void test_a_wrong_sum_is_refused_and_nothing_kept(void **state)
{
	static const char other[] =
		"00000000000000000000000000000000ffffffffffffffffffffffffffffffff";
	struct lab lab;
	struct text path = { 0 };
	struct fault why = { 0 };

	(void)state;
	lab_open(&lab);
	assert_int_equal(get(&lab, "/good", other, &path, &why), -EBADMSG);
	assert_non_null(strstr(why.text, lab.sum));
	assert_non_null(strstr(why.text, other));
	assert_int_equal(path.len, 0);
	assert_int_equal(size_of_part(&lab, other), -1);
	assert_int_equal(faccessat(lab.s.fd, "fetched-0000000000000000", F_OK, 0), -1);
	assert_asked(&lab, "/good -1\n");
	lab_close(&lab);
}

static void test_a_part_of_something_else_is_thrown_away_once(void **state)
{
	struct lab lab;
	struct text path = { 0 };
	struct fault why = { 0 };

	(void)state;
	lab_open(&lab);
	leave_part(&lab, "something else", 14);
	assert_int_equal(get(&lab, "/good", lab.sum, &path, &why), 0);
	assert_asked(&lab, "/good 14\n/good -1\n");
	assert_whole(&lab, &path);
	text_done(&path);
	lab_close(&lab);
}

static void test_what_came_is_kept_when_it_cannot_go_on(void **state)
{
	static const struct {
		const char *path;
		size_t part;
		int result;
		const char *says;
		off_t kept;
	} cases[] = {
		{ "/stubborn", 0, -ECONNRESET, "39 KiB of it are kept", ONCE },
		{ "/none", 0, -EPROTO, "no such file is there (HTTP status 404)", 0 },
		{ "/none", 5000, -EPROTO, "of it are kept: the next build goes on there", 5000 },
		{ "/liar", 5000, -EPROTO, "another part than was asked for", 5000 },
	};

	(void)state;
	CASES (c, cases) {
		struct lab lab;
		struct text path = { 0 };
		struct fault why = { 0 };
		int r;

		lab_open(&lab);
		if (c->part)
			leave_part(&lab, content, c->part);
		r = get(&lab, c->path, lab.sum, &path, &why);
		if (r != c->result || !strstr(why.text, c->says))
			fail_msg("%s: %d, %s", c->path, r, why.text);
		assert_int_equal(size_of_part(&lab, lab.sum), c->kept);
		lab_close(&lab);
	}
}

static void test_nobody_there(void **state)
{
	struct lab lab;
	struct text path = { 0 };
	struct fault why = { 0 };

	(void)state;
	lab_open(&lab);
	lab.port = 1;
	assert_int_equal(get(&lab, "/good", lab.sum, &path, &why), -ECONNREFUSED);
	lab_close(&lab);
}

/* Nothing of this can then reach, or be reached from, the machine's own network. */
static int prepare(void **state)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	static const char *const proxies[] = { "http_proxy", "all_proxy", "ALL_PROXY" };
	scoped(drop_fd) int fd = -1;
	size_t i;

	(void)state;
	for (i = 0; i < COUNT(proxies); i++)
		unsetenv(proxies[i]);
	for (i = 0; i < SIZE; i++)
		content[i] = (char)(i * i / 7);
	if (geteuid() != 0)
		return 0;
	if (unshare(CLONE_NEWNET) < 0)
		return -1;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return fd < 0 ? -1 : ioctl(fd, SIOCSIFFLAGS, &lo);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fetches_whatever_the_server_is_like),
		cmocka_unit_test(test_what_was_fetched_is_not_fetched_again),
		cmocka_unit_test(test_a_damaged_one_is_fetched_again),
		cmocka_unit_test(test_a_wrong_sum_is_refused_and_nothing_kept),
		cmocka_unit_test(test_a_part_of_something_else_is_thrown_away_once),
		cmocka_unit_test(test_what_came_is_kept_when_it_cannot_go_on),
		cmocka_unit_test(test_nobody_there),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}
