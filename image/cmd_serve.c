/* SPDX-License-Identifier: MIT */
#include "image/command.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "image/args.h"
#include "image/serve.h"
#include "image/stick.h"

enum { PORT = 80, MISSING = 127 };

DEFINE_DROP(http, struct serve_http *, serve_http_stop)

/* What is told when it ends: the same signals stop this program and the one that watches dnsmasq.
 */
static void block_signals(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGINT);
	sigaddset(ret, SIGTERM);
	sigaddset(ret, SIGHUP);
	sigaddset(ret, SIGCHLD);
	sigprocmask(SIG_BLOCK, ret, NULL);
}

/* Until a signal comes; a child that ended does not count unless it is this one. */
static int wait_signal(const sigset_t *set, pid_t child, int *ret_status)
{
	int got;

	do {
		got = sigwaitinfo(set, NULL);
		if (got == SIGCHLD && waitpid(child, ret_status, WNOHANG) == child)
			return SIGCHLD;
	} while (got < 0 || got == SIGCHLD);
	return got;
}

/* ---- dnsmasq -------------------------------------------------------------------------------- */

static void become_dnsmasq(const char *const *argv)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(errno == ENOENT ? MISSING : 126);
}

/*
 * dnsmasq becomes another user, and the kernel forgets then that it was to die with us: so one
 * process that stays what it is dies for it.
 */
static void watch_dnsmasq(const char *const *argv, const sigset_t *set, pid_t parent)
{
	static const struct timespec limit = { .tv_sec = 5 };
	int status = 0;
	sigset_t child;
	pid_t pid = -1;

	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	pid = getppid() == parent ? fork() : -1;
	if (pid == 0)
		become_dnsmasq(argv);
	if (pid < 0)
		_exit(126);
	if (wait_signal(set, pid, &status) != SIGCHLD) {
		kill(pid, SIGTERM);
		if (sigtimedwait(&child, NULL, &limit) < 0)
			kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
	}
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 126);
}

static int start_dnsmasq(const struct serve_net *net, const sigset_t *set, pid_t *ret,
			 struct fault *why)
{
	scoped(args_done) struct args args = { 0 };
	pid_t self = getpid();

	serve_dnsmasq(net, &args);
	if (!args_list(&args))
		return fault_errno(why, ENOMEM, "dnsmasq");
	*ret = fork();
	if (*ret == 0)
		watch_dnsmasq(args_list(&args), set, self);
	return *ret < 0 ? fault_errno(why, errno, "dnsmasq") : 0;
}

static int tell_end(int status, struct fault *why)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == MISSING)
		return fault_set(
			why, ENOENT,
			"dnsmasq is not on this machine: install the package dnsmasq-base");
	return fault_set(why, EREMOTEIO,
			 "dnsmasq ended; what it said is above (another DHCP or TFTP server on "
			 "this machine, or no right to be one: it has to be started as root)");
}

/* ---- the command ---------------------------------------------------------------------------- */

/* The interface's own, or the one that was given, which must be one of its. */
static int find_address(const char *interface, const char *given, char ret[static INET_ADDRSTRLEN],
			struct fault *why)
{
	struct ifaddrs *all, *i;
	bool found = false;

	if (getifaddrs(&all) < 0)
		return fault_errno(why, errno, "%s", interface);
	for (i = all; i && !found; i = i->ifa_next) {
		struct sockaddr_in at;

		if (!i->ifa_addr || i->ifa_addr->sa_family != AF_INET ||
		    strcmp(i->ifa_name, interface) != 0)
			continue;
		memcpy(&at, i->ifa_addr, sizeof(at));
		inet_ntop(AF_INET, &at.sin_addr, ret, INET_ADDRSTRLEN);
		found = !given || strcmp(ret, given) == 0;
	}
	freeifaddrs(all);
	if (found)
		return 0;
	return fault_set(why, ENODEV, "interface '%s' has no IPv4 address%s%s", interface,
			 given ? " " : "", given ? given : "");
}

struct job {
	char folder[32]; /* for TFTP; "": not made yet */
	struct text image, grub;
	struct serve_image what;
	struct serve_files files;
	char address[INET_ADDRSTRLEN];
};

static void job_done(struct job *j)
{
	struct fault ignored = { 0 };
	size_t i;

	for (i = 0; i < j->files.n; i++)
		drop_fd(&j->files.list[i].fd);
	drop_fd(&j->what.fd);
	text_done(&j->image);
	text_done(&j->grub);
	if (j->folder[0] && fs_remove_tree(AT_FDCWD, j->folder, &ignored) < 0)
		fprintf(stderr, "rackseed: %s stays: %s\n", j->folder, ignored.text);
}

static int open_image(const struct invocation *in, struct job *j, struct fault *why)
{
	const char *given = command_value(in, "image");
	int r;

	if (given) {
		text_add(&j->image, given);
	} else {
		command_out(in, &j->image);
		text_add(&j->image, "/" STICK_NAME);
	}
	if (text_error(&j->image) < 0)
		return fault_errno(why, ENOMEM, "serve");
	r = serve_image_open(text_str(&j->image), &j->what, why);
	if (r < 0 || j->what.sealed || command_value(in, "open-secrets"))
		return r;
	return fault_set(why, EPERM,
			 "%s holds its nodes' secrets open, and whoever is on the network could "
			 "fetch them: build it with --passphrase, or say --open-secrets",
			 text_str(&j->image));
}

/* Readable by the user that dnsmasq becomes; no secret is in it. */
static int make_folder(struct job *j, struct fault *why)
{
	char path[] = "/tmp/rackseed-serve-XXXXXX";

	if (!mkdtemp(path) || chmod(path, 0755) < 0)
		return fault_errno(why, errno, "%s", path);
	memcpy(j->folder, path, sizeof(path));
	return 0;
}

/* Until a signal: 0, or what ended dnsmasq. */
static int serve(const struct invocation *in, const struct job *j, const struct serve_net *net,
		 struct fault *why)
{
	scoped(drop_http) struct serve_http *http = NULL;
	sigset_t set;
	int status = 0, r;
	pid_t pid = -1;

	block_signals(&set);
	r = serve_http_start(&j->files, net, in->json, &http, why);
	if (r == 0)
		r = start_dnsmasq(net, &set, &pid, why);
	if (r < 0)
		return r;
	if (!in->quiet)
		fprintf(stderr,
			"rackseed: %s is served on %s at %s until this is stopped\n",
			text_str(&j->image), net->interface, net->address);
	if (wait_signal(&set, pid, &status) == SIGCHLD)
		return tell_end(status, why);
	kill(pid, SIGTERM);
	waitpid(pid, &status, 0);
	return 0;
}

static int run_serve(const struct invocation *in, struct fault *why)
{
	scoped(job_done) struct job j = { .what = { .fd = -1 } };
	struct serve_net net = { .interface = command_value(in, "interface"),
				 .range = command_value(in, "dhcp"),
				 .quiet = in->quiet };
	uint64_t port = PORT;
	int r = command_number(in, "port", 1, 65535, &port);

	if (r)
		return r;
	if (!net.interface || (net.range && !serve_range_good(net.range))) {
		fprintf(stderr, "rackseed: serve: %s\n",
			net.interface ? "--dhcp takes FIRST,LAST, two IPv4 addresses in order"
				      : "--interface is missing: where the servers are");
		return EXIT_MISUSE;
	}
	j.what.grub = &j.grub;
	net.address = j.address;
	net.folder = j.folder;
	net.port = (unsigned)port;
	r = open_image(in, &j, why);
	if (r == 0)
		r = find_address(net.interface, command_value(in, "address"), j.address, why);
	if (r == 0)
		r = make_folder(&j, why);
	if (r == 0)
		r = serve_image_unpack(text_str(&j.image), &j.what, &net, &j.files, why);
	if (r == 0)
		r = serve(in, &j, &net, why);
	return r < 0 ? r : EXIT_DONE;
}

static const struct command_option options[] = {
	{ "image", "FILE", "what `build --installer` made (default installer.raw of --out)" },
	{ "out", "DIR", "where it lies (default out beside the file)" },
	{ "interface", "IF", "the network that the servers start from" },
	{ "address", "A", "which of the interface's addresses (default its first)" },
	{ "port", "N", "of HTTP (default 80)" },
	{ "dhcp", "FIRST,LAST", "be its DHCP server as well, with these addresses" },
	{ "open-secrets", NULL, "also secrets that are under no passphrase, to all who ask" },
	{ NULL, NULL, NULL },
};

static const struct command_rule rules[] = {
	{ "--image", NULL, "--out" },
	{ NULL, NULL, NULL },
};

const struct command cmd_serve = {
	.name = "serve",
	.synopsis = "",
	.help = "gives the installer to servers that start from the network, with no stick",
	.options = options,
	.rules = rules,
	.run = run_serve,
};
