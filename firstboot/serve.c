/* SPDX-License-Identifier: MIT */
#include "firstboot/serve.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "firstboot/endpoint.h"
#include "firstboot/status.h"

enum { FILE_MAX = 1 << 20, STALE_S = 30 };

/* What is said in the place of a service that says nothing. Its etcd data may be there. */
static void say_silent(int64_t age_s, struct text *out)
{
	const struct status_machine machine = { .version = RACKSEED_VERSION,
						.has_etcd_data = true };
	struct status s = { .phase = STATUS_FAILING, .n_rows = 1 };

	snprintf(s.step, sizeof(s.step), "service");
	s.rows[0].state = STEP_FAILED;
	snprintf(s.rows[0].name, sizeof(s.rows[0].name), "service");
	snprintf(s.rows[0].reason, sizeof(s.rows[0].reason),
		 "rackseed-firstboot.service has not said anything for %lld s", (long long)age_s);
	status_endpoint_json(&s, &machine, out);
}

void serve_report(int folder, struct text *out)
{
	struct fault ignored = { 0 };
	struct timespec now;
	struct stat st = { 0 };
	int64_t age_s;

	clock_gettime(CLOCK_REALTIME, &now);
	if (fstatat(folder, SERVE_REPORT, &st, AT_SYMLINK_NOFOLLOW) < 0)
		st.st_mtim = now;
	/* The clock may be set back or forth by a great deal; what is from the future is new. */
	age_s = (int64_t)now.tv_sec - st.st_mtim.tv_sec;
	if (st.st_mode == 0 || age_s > STALE_S ||
	    fs_read(folder, SERVE_REPORT, FILE_MAX, out, &ignored) < 0)
		say_silent(age_s, out);
}

static bool describe_status(void *data, struct text *out)
{
	serve_report(*(int *)data, out);
	return true;
}

static bool describe_audit(void *data, struct text *out)
{
	struct fault why = { 0 };

	if (fs_read(*(int *)data, SERVE_AUDIT, FILE_MAX, out, &why) == 0)
		return true;
	text_add(out, why.code == ENOENT ? "this boot has not been judged yet: "
					   "rackseed-audit.timer does it in some minutes"
					 : "the audit cannot be read");
	return false;
}

static const struct endpoint_page pages[] = {
	{ "/v1/status", true, describe_status },
	{ "/v1/audit", false, describe_audit },
};

/* What the endpoint needs, in its order. */
struct credentials {
	struct text crt, key, ca, address;
};

static void credentials_done(struct credentials *c)
{
	text_done(&c->crt);
	text_wipe(&c->key);
	text_done(&c->ca);
	text_done(&c->address);
}

static int read_credentials(const char *path, struct credentials *c, struct fault *why)
{
	scoped(drop_fd) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct {
		const char *name;
		struct text *to;
	} rows[] = { { SERVE_CRT, &c->crt },
		     { SERVE_KEY, &c->key },
		     { SERVE_CA, &c->ca },
		     { SERVE_ADDRESS, &c->address } };
	size_t i;
	int r = fd < 0 ? fault_errno(why, errno, "%s", path) : 0;

	for (i = 0; i < COUNT(rows) && r == 0; i++)
		r = fs_read(fd, rows[i].name, FILE_MAX, rows[i].to, why);
	return r;
}

static int wait_for_the_end(struct fault *why)
{
	sigset_t set;
	int got;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	got = sigwaitinfo(&set, NULL);
	return got < 0 ? fault_errno(why, errno, "signals") : 0;
}

static int block_signals(struct fault *why)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	return sigprocmask(SIG_BLOCK, &set, NULL) < 0 ? fault_errno(why, errno, "signals") : 0;
}

int serve(const char *credentials, const char *folder, struct fault *why)
{
	scoped(drop_fd) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	scoped(credentials_done) struct credentials c = { 0 };
	struct endpoint_options options = { .port = ENDPOINT_PORT,
					    .pages = pages,
					    .n_pages = COUNT(pages) };
	struct endpoint *endpoint = NULL;
	int r = fd < 0 ? fault_errno(why, errno, "%s", folder) : 0;

	if (r == 0)
		r = read_credentials(credentials, &c, why);
	if (r == 0)
		r = block_signals(why); /* before there are threads */
	if (r < 0)
		return r;
	options.data = &fd;
	options.crt = text_str(&c.crt);
	options.key = text_str(&c.key);
	options.ca = text_str(&c.ca);
	options.address = c.address.len ? text_str(&c.address) : NULL;
	r = endpoint_start(&options, &endpoint, why);
	if (r < 0)
		return r;
	sd_notify(0, "READY=1");
	r = wait_for_the_end(why);
	endpoint_stop(endpoint);
	return r;
}
