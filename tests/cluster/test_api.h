/* SPDX-License-Identifier: MIT */
#pragma once

#include "tests/test.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "base/macros.h"
#include "cluster/model.h"
#include "cluster/pki.h"

/*
 * A real TLS server on 127.0.0.1 that says what a test tells it to: openssl s_server carries the
 * bytes, a thread of the test reads the requests and writes the answers.
 */

struct server_answer {
	const char *text; /* sent as it is */
	size_t fill; /* then so many bytes more */
	int drip_ms; /* one byte each so many milliseconds */
	bool hang_up; /* and then the server dies */
	bool silent; /* nothing is sent */
};

struct server {
	const struct server_answer *answers; /* one for each request in turn */
	size_t n_answers;
	pid_t pid;
	int in, out; /* its stdin and stdout */
	unsigned port;
	char url[64];
	struct text requests; /* all of them, as they came */
	pthread_t thread;
};

static inline void sleep_ms(int ms)
{
	struct timespec t = { ms / 1000, (ms % 1000) * 1000000L };

	nanosleep(&t, NULL);
}

static inline int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* A socket bound to a free port of 127.0.0.1; its port goes to *ret_port. */
static inline int server_socket(unsigned *ret_port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t n = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
	*ret_port = ntohs(a.sin_port);
	return fd;
}

static inline bool server_listens(unsigned port)
{
	scoped(text_done) struct text tcp = { 0 };
	struct fault why = { 0 };
	char line[64];
	int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(fs_read(root, "proc/net/tcp", 16 << 20, &tcp, &why), 0);
	close(root);
	snprintf(line, sizeof(line), "0100007F:%04X 00000000:0000 0A", port);
	return strstr(text_str(&tcp), line) != NULL;
}

/* Reads one request with its body into s->requests; false at the end. */
static inline bool server_read(struct server *s)
{
	size_t start = s->requests.len;
	const char *head, *length;
	char buf[4096];
	size_t want = 0;
	ssize_t n;

	do {
		n = read(s->out, buf, sizeof(buf));
		if (n <= 0)
			return false;
		text_add_n(&s->requests, buf, (size_t)n);
		head = strstr(s->requests.data + start, "\r\n\r\n");
		length = strstr(s->requests.data + start, "Content-Length: ");
		if (head)
			want = (size_t)(head + 4 - s->requests.data) +
			       (length ? strtoul(length + 16, NULL, 10) : 0);
	} while (!head || s->requests.len < want);
	return true;
}

static inline bool server_write(struct server *s, const char *data, size_t n)
{
	while (n > 0) {
		ssize_t w = write(s->in, data, n);

		if (w < 0)
			return false;
		data += w;
		n -= (size_t)w;
	}
	return true;
}

static inline void server_say(struct server *s, const struct server_answer *a)
{
	static const char filling[65536] = { 'x' };
	size_t left = a->fill;
	size_t i;

	if (!a->drip_ms && a->text)
		server_write(s, a->text, strlen(a->text));
	for (i = 0; a->drip_ms && a->text[i] && server_write(s, &a->text[i], 1); i++)
		sleep_ms(a->drip_ms);
	while (left > 0) {
		size_t n = left < sizeof(filling) ? left : sizeof(filling);

		if (!server_write(s, filling, n))
			return;
		left -= n;
	}
}

static inline void *server_main(void *data)
{
	struct server *s = data;
	size_t i;

	for (i = 0; i < s->n_answers && server_read(s); i++) {
		if (!s->answers[i].silent)
			server_say(s, &s->answers[i]);
		if (s->answers[i].hang_up) {
			sleep_ms(200); /* what was written is on its way through s_server */
			kill(s->pid, SIGKILL);
		}
	}
	return NULL;
}

/* dir holds NAME.crt and NAME.key; with verify, clients need a certificate of dir's ca.crt. */
static inline void server_spawn(struct server *s, const char *dir, const char *name, bool verify)
{
	char port[32], crt[128], key[128], ca[128];
	const char *const argv[] = { "openssl", "s_server", "-quiet", "-accept", port, "-cert", crt,
			       "-key", key, verify ? "-Verify" : NULL, "1",
			       "-verify_return_error", "-CAfile", ca, NULL };
	int to[2], from[2], null;

	snprintf(port, sizeof(port), "127.0.0.1:%u", s->port);
	snprintf(crt, sizeof(crt), "%s/%s.crt", dir, name);
	snprintf(key, sizeof(key), "%s/%s.key", dir, name);
	snprintf(ca, sizeof(ca), "%s/ca.crt", dir);
	assert_int_equal(pipe2(to, O_CLOEXEC), 0);
	assert_int_equal(pipe2(from, O_CLOEXEC), 0);
	null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(to[0], 0);
		dup2(from[1], 1);
		dup2(null, 2);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	close(null);
	s->in = to[1];
	s->out = from[0];
}

static inline void server_start(struct server *s, const char *dir, const char *name, bool verify,
				const struct server_answer *answers, size_t n_answers)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	int i;

	*s = (struct server){ .answers = answers, .n_answers = n_answers };
	sigaction(SIGPIPE, &ignore, NULL); /* the server may die while we write to it */
	close(server_socket(&s->port));
	snprintf(s->url, sizeof(s->url), "https://127.0.0.1:%u", s->port);
	server_spawn(s, dir, name, verify);
	for (i = 0; i < 2000 && !server_listens(s->port); i++)
		sleep_ms(5);
	assert_true(server_listens(s->port));
	assert_int_equal(pthread_create(&s->thread, NULL, server_main, s), 0);
}

/* Afterwards s->requests is complete; the caller frees it. */
static inline void server_stop(struct server *s)
{
	kill(s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	pthread_join(s->thread, NULL);
	close(s->in);
	close(s->out);
}

/* ---- certificates ---- */

static inline void write_pem(int dir, const char *name, const char *end, BIO *bio)
{
	struct fault why = { 0 };
	char path[128];
	char *data;
	long n = BIO_get_mem_data(bio, &data);

	snprintf(path, sizeof(path), "%s.%s", name, end);
	assert_true(fs_write(dir, path, 0600, data, (size_t)n, &why) >= 0);
	BIO_free(bio);
}

static inline void add_ext(X509 *crt, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	assert_non_null(e);
	X509_add_ext(crt, e, -1);
	X509_EXTENSION_free(e);
}

/* NAME.crt and .key for a server, signed by the CA; san as openssl writes it. */
static inline void make_server(int dir, const char *name, const char *ca_crt,
			       const char *ca_key, const char *san, long from, long until)
{
	BIO *crt_bio = BIO_new_mem_buf(ca_crt, -1), *key_bio = BIO_new_mem_buf(ca_key, -1);
	X509 *ca = PEM_read_bio_X509(crt_bio, NULL, NULL, NULL);
	EVP_PKEY *signer = PEM_read_bio_PrivateKey(key_bio, NULL, NULL, NULL);
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *crt = X509_new();
	BIO *out = BIO_new(BIO_s_mem());

	X509_set_version(crt, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(crt), 7);
	X509_gmtime_adj(X509_getm_notBefore(crt), from);
	X509_gmtime_adj(X509_getm_notAfter(crt), until);
	X509_set_pubkey(crt, key);
	X509_set_issuer_name(crt, X509_get_subject_name(ca));
	X509_NAME_add_entry_by_txt(X509_get_subject_name(crt), "CN", MBSTRING_ASC,
				   (const unsigned char *)"kube-apiserver", -1, -1, 0);
	add_ext(crt, NID_subject_alt_name, san);
	add_ext(crt, NID_ext_key_usage, "serverAuth");
	assert_true(X509_sign(crt, signer, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_bio_X509(out, crt), 1);
	write_pem(dir, name, "crt", out);
	out = BIO_new(BIO_s_mem());
	assert_int_equal(PEM_write_bio_PrivateKey(out, key, NULL, NULL, 0, NULL, NULL), 1);
	write_pem(dir, name, "key", out);
	BIO_free(crt_bio);
	BIO_free(key_bio);
	X509_free(ca);
	X509_free(crt);
	EVP_PKEY_free(signer);
	EVP_PKEY_free(key);
}

/* A cluster's secrets and servers of every kind, in one folder. */
struct lab {
	char dir[64];
	struct text ca, other_ca, crt, key;
};

static inline void lab_read(int dir, const char *path, struct text *out)
{
	struct fault why = { 0 };

	if (fs_read(dir, path, 1 << 20, out, &why) < 0)
		fail_msg("%s", why.text);
}

static inline int lab_setup(void **state)
{
	static struct lab lab;
	struct model m = { 0 };
	struct text report = { 0 }, ca_key = { 0 };
	struct fault why = { 0 };
	int fd;

	snprintf(lab.dir, sizeof(lab.dir), "/tmp/rackseed-api-XXXXXX");
	assert_non_null(mkdtemp(lab.dir));
	fd = open(lab.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (pki_create(&m, fd, (int64_t)time(NULL), &report, &why) < 0)
		fail_msg("%s", why.text);
	lab_read(fd, "pki/ca.crt", &lab.ca);
	lab_read(fd, "pki/ca.key", &ca_key);
	lab_read(fd, "pki/front-proxy-ca.crt", &lab.other_ca);
	lab_read(fd, "admin.crt", &lab.crt);
	lab_read(fd, "admin.key", &lab.key);
	assert_true(fs_write(fd, "ca.crt", 0600, lab.ca.data, lab.ca.len, &why) >= 0);
	make_server(fd, "good", lab.ca.data, ca_key.data, "IP:127.0.0.1", -60, 3600);
	make_server(fd, "elsewhere", lab.ca.data, ca_key.data, "IP:192.0.2.1", -60, 3600);
	make_server(fd, "old", lab.ca.data, ca_key.data, "IP:127.0.0.1", -200, -100);
	make_server(fd, "early", lab.ca.data, ca_key.data, "IP:127.0.0.1", 3600, 7200);
	close(fd);
	text_done(&report);
	text_done(&ca_key);
	*state = &lab;
	return 0;
}

static inline int lab_teardown(void **state)
{
	struct lab *lab = *state;
	struct fault why = { 0 };
	int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_int_equal(fs_remove_tree(root, lab->dir, &why), FS_CHANGED);
	close(root);
	text_done(&lab->ca);
	text_done(&lab->other_ca);
	text_done(&lab->crt);
	text_done(&lab->key);
	return 0;
}
