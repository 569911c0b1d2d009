/* SPDX-License-Identifier: MIT */
#pragma once

/*
 * A real smbd on loopback, as the account "games" of the base system, with all that it writes in a
 * folder of its own. Its smb.conf is the one that storage_smbconf() renders; a test may add lines
 * to the global part.
 */

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/run.h"
#include "storage/server.h"
#include "storage/storage.h"

#define SERVER_USER "games"
#define SERVER_PASSWORD "grune Wiese; #1 \"%U\" \\"

struct server {
	char dir[64], conf[128];
	unsigned port;
	pid_t pid;
};

/*
 * A network of this process's own, so that no look-up leaves the machine and no port is taken.
 * False without root: what needs it is left out then.
 */
static inline bool private_network(void)
{
	struct ifreq lo = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd, r;

	if (geteuid() != 0 || unshare(CLONE_NEWNET) < 0)
		return false;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	r = ioctl(fd, SIOCSIFFLAGS, &lo);
	close(fd);
	return r == 0;
}

static inline void server_path(const struct server *s, const char *name, char path[static 160])
{
	snprintf(path, 160, "%s/%s", s->dir, name);
}

static inline void pause_ms(long ms)
{
	const struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

/* base/fs takes paths below a folder; all of ours are absolute. */
static inline void write_file(const char *path, const struct text *text)
{
	scoped(drop_fd) int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct fault why = { 0 };

	assert_int_equal(text_error(text), 0);
	assert_true(fs_write(root, path, 0600, text->data, text->len, &why) >= 0);
}

/* A socket bound to a free port of 127.0.0.1, not listening yet. */
static inline int bind_loopback(unsigned *ret_port)
{
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_true(fd >= 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*ret_port = ntohs(a.sin_port);
	return fd;
}

static inline bool server_answers(unsigned port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r;

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	r = connect(fd, (struct sockaddr *)&a, sizeof(a));
	close(fd);
	return r == 0;
}

static inline void server_write_conf(const struct server *s, const struct storage_server *what,
				     const char *extra)
{
	static const char *const dirs[] = { "private dir",     "lock directory", "state directory",
					    "cache directory", "pid directory",	 "ncalrpc dir" };
	struct text conf = { 0 }, all = { 0 };
	const char *cut;
	size_t i;

	storage_smbconf(what, &conf);
	cut = strstr(text_str(&conf), "\tmap to guest");
	assert_non_null(cut);
	text_add_n(&all, conf.data, (size_t)(cut - conf.data));
	for (i = 0; i < COUNT(dirs); i++)
		text_addf(&all, "\t%s = %s/samba%s\n", dirs[i], s->dir, i == 5 ? "/rpc" : "");
	text_addf(&all, "\tlogging = file\n\tlog file = %s/log\n\tsmb ports = %u\n", s->dir,
		  s->port);
	text_add(&all, cut);
	cut = strstr(text_str(&all), "\n\n[");
	assert_non_null(cut);
	text_done(&conf);
	text_add_n(&conf, all.data, (size_t)(cut - all.data) + 1);
	text_add(&conf, extra);
	text_add(&conf, cut);
	write_file(s->conf, &conf);
	text_done(&conf);
	text_done(&all);
}

/* A folder of the server's that the account owns. */
static inline void server_folder(const struct server *s, const char *name, mode_t mode)
{
	const struct passwd *pw = getpwnam(SERVER_USER);
	char path[160];

	assert_non_null(pw);
	server_path(s, name, path);
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(chown(path, pw->pw_uid, pw->pw_gid), 0);
	assert_int_equal(chmod(path, mode), 0);
}

/* Makes the folder with a place for the shares; call server_start() when they are there. */
static inline void server_init(struct server *s)
{
	char path[160];

	*s = (struct server){ .dir = "/srv/rackseed-test-XXXXXX" };
	assert_non_null(mkdtemp(s->dir));
	assert_int_equal(chmod(s->dir, 0755), 0);
	snprintf(s->conf, sizeof(s->conf), "%s/smb.conf", s->dir);
	server_path(s, "samba", path);
	assert_int_equal(mkdir(path, 0755), 0);
	close(bind_loopback(&s->port));
}

static inline void server_start(struct server *s, const struct storage_server *what,
				const char *extra)
{
	struct fault why = { 0 };
	int i;

	prctl(PR_SET_CHILD_SUBREAPER, 1);
	server_write_conf(s, what, extra);
	if (storage_server_account(s->conf, SERVER_USER, SERVER_PASSWORD, &why) < 0)
		fail_msg("%s", why.text);
	s->pid = fork();
	assert_true(s->pid >= 0);
	if (s->pid == 0) {
		int null = open("/dev/null", O_RDWR);

		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		execlp("smbd", "smbd", "--foreground", "--no-process-group", "-s", s->conf, NULL);
		_exit(127);
	}
	setpgid(s->pid, s->pid);
	for (i = 0; i < 200 && !server_answers(s->port); i++)
		pause_ms(50);
	assert_true(i < 200);
}

/* smbd's helpers leave its process group; they come to us when it ends (see server_start). */
static inline void server_end_orphans(void)
{
	char path[64], line[512];
	int rounds = 100;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	while (rounds-- > 0) {
		FILE *f = fopen(path, "re");
		size_t n = f ? fread(line, 1, sizeof(line) - 1, f) : 0;
		char *at = line;

		if (f)
			fclose(f);
		line[n] = '\0';
		if (n == 0)
			return;
		for (; *at; at += strcspn(at, " "), at += *at == ' ') {
			pid_t pid = (pid_t)strtol(at, NULL, 10);

			kill(pid, SIGKILL);
			waitpid(pid, NULL, 0);
		}
	}
}

static inline void server_stop(struct server *s)
{
	int i;

	if (s->pid <= 0)
		return;
	kill(-s->pid, SIGTERM);
	for (i = 0; i < 100 && waitpid(s->pid, NULL, WNOHANG) == 0; i++)
		pause_ms(20);
	kill(-s->pid, SIGKILL);
	waitpid(s->pid, NULL, 0);
	s->pid = 0;
	server_end_orphans();
}

static inline void server_done(struct server *s)
{
	struct fault why = { 0 };
	scoped(drop_fd) int root = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	server_stop(s);
	if (s->dir[0])
		assert_true(fs_remove_tree(root, s->dir, &why) >= 0);
}

/* A credentials file in the server's folder; its path goes to path. */
static inline void server_credentials(const struct server *s, const char *name, const char *user,
				      const char *password, char path[static 160])
{
	struct text text = { 0 };

	server_path(s, name, path);
	storage_credentials(user, password, &text);
	write_file(path, &text);
	text_done(&text);
}

/* The program beside this test's build, else the one that was built to be shipped. */
static inline void find_program(char path[static 512])
{
	const char *mode = getenv("MODE");
	ssize_t n = readlink("/proc/self/exe", path, 400);
	int i;

	assert_true(n > 0);
	path[n] = '\0';
	for (i = 0; i < 3; i++)
		*strrchr(path, '/') = '\0';
	strncat(path, "/rackseed-share", 100);
	if (access(path, X_OK) != 0)
		snprintf(path, 512, "build/%s/rackseed-share", mode ? mode : "release");
	if (access(path, X_OK) != 0)
		fail_msg("%s is not there (make all)", path);
}
