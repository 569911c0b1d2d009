/* SPDX-License-Identifier: MIT */
#include "image/command.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "base/yaml.h"
#include "cluster/api.h"
#include "cluster/model.h"
#include "cluster/pki.h"
#include "image/drill.h"

enum { DEFAULT_CUTS = 8, API_MS = 10000, READ_TRIES = 30, WRITE_MS = 50 };

#define CLUSTER_PATH "/api/v1/namespaces/kube-system"
#define DATA_PATH "/api/v1/namespaces/kube-system/configmaps/rackseed-drill"

/* One drill: what it asks the cluster with, and what must never change. */
struct drill {
	const struct invocation *in;
	const struct model *model;
	struct text ca, crt, key, server;
	char uid[64]; /* of the cluster, by its namespace kube-system; "": not known */
	unsigned long long written; /* the newest number that the cluster took, 0: none */
	struct drill_cut cuts[DRILL_MAX_CUTS];
	unsigned seconds[DRILL_MAX_CUTS];
	size_t n, n_done;
};

static void drill_free(struct drill *d)
{
	text_done(&d->ca);
	text_done(&d->crt);
	text_wipe(&d->key);
	text_done(&d->server);
	free(d);
}

DEFINE_DROP(drill, struct drill *, drill_free)

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void sleep_ms(unsigned ms)
{
	struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	while (nanosleep(&pause, &pause) < 0 && errno == EINTR)
		;
}

/* ---- the cluster ---- */

static int call(const struct drill *d, const char *method, const char *path, const char *body,
		struct text *answer, struct fault *why)
{
	const struct api api = { .server = text_str(&d->server),
				 .ca = text_str(&d->ca),
				 .crt = text_str(&d->crt),
				 .key = text_str(&d->key),
				 .timeout_ms = API_MS };
	int status = api_call(&api, method, path, body, answer, why);

	if (status < 0 || status / 100 == 2)
		return status < 0 ? status : 0;
	return api_fault(status, text_str(answer), why);
}

/* A text in the object at path; both keys are needed. */
static int get(const struct drill *d, const char *path, const char *outer, const char *inner,
	       char *ret, size_t size, struct fault *why)
{
	scoped(text_done) struct text answer = { 0 };
	scoped(yaml_done) struct yaml object = { 0 };
	struct yaml_error error = { 0 };
	const char *text;
	int r = call(d, "GET", path, NULL, &answer, why);

	if (r < 0)
		return r;
	if (yaml_parse(text_str(&answer), answer.len, &object, &error) < 0)
		return fault_set(why, EBADMSG, "%s: %s", path, error.message);
	text = yaml_text(yaml_get(yaml_get(&object, outer), inner));
	if (!text || strlen(text) >= size)
		return fault_set(why, EBADMSG, "%s: no %s.%s", path, outer, inner);
	memcpy(ret, text, strlen(text) + 1);
	return 0;
}

static int write_data(struct drill *d, struct fault *why)
{
	scoped(text_done) struct text body = { 0 };
	scoped(text_done) struct text answer = { 0 };
	int r;

	text_addf(&body,
		  "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":"
		  "\"rackseed-drill\"},\"data\":{\"number\":\"%llu\"}}",
		  d->written + 1);
	r = call(d, "PATCH", DATA_PATH "?fieldManager=rackseed-drill&force=true", text_str(&body),
		 &answer, why);
	if (r >= 0)
		d->written++;
	return r;
}

/* What the cluster said yes to before the cut must be there after it, in the same cluster. */
static int check_data(struct drill *d, struct fault *why)
{
	char uid[sizeof(d->uid)], number[32];
	int r = get(d, CLUSTER_PATH, "metadata", "uid", uid, sizeof(uid), why);

	if (r < 0)
		return r;
	if (d->uid[0] && strcmp(d->uid, uid) != 0)
		return fault_set(why, ESTALE, "another cluster answers: %s, and it was %s", uid,
				 d->uid);
	memcpy(d->uid, uid, sizeof(uid));
	if (!d->written)
		return 0;
	r = get(d, DATA_PATH, "data", "number", number, sizeof(number), why);
	if (r < 0)
		return r;
	/* A write that was cut may have been taken without a word. */
	if (strtoull(number, NULL, 10) < d->written)
		return fault_set(why, ENODATA, "data is lost: number %s is there, %llu was written",
				 number, d->written);
	d->written = strtoull(number, NULL, 10);
	return 0;
}

/* A busy API server misses an answer; a wrong one is final. */
static int check(struct drill *d, struct fault *why)
{
	int i, r = -1;

	for (i = 0; i < READ_TRIES && r < 0 && r != -ESTALE && r != -ENODATA; i++) {
		if (i > 0)
			sleep_ms(1000);
		r = check_data(d, why);
	}
	for (i = 0; i < READ_TRIES && r >= 0; i++) {
		r = write_data(d, why);
		if (r >= 0)
			return 0;
		sleep_ms(1000);
		r = 0;
	}
	return r < 0 ? r : -why->code;
}

/* ---- the machines ---- */

static int run_other(const struct drill *d, const struct command *command, char *const *args,
		     size_t n, struct fault *why)
{
	static const char *const passed[] = { "out", "connect", "timeout" };
	struct invocation other = {
		.command = command, .file = d->in->file, .quiet = true, .args = args, .n_args = n
	};
	size_t i, k;
	int r;

	for (i = 0; command->options[i].name; i++) {
		const char *name = command->options[i].name;

		if (strcmp(name, "wait") == 0)
			other.values[i] = "";
		for (k = 0; k < COUNT(passed); k++)
			if (strcmp(name, passed[k]) == 0)
				other.values[i] = command_value(d->in, name);
	}
	r = command->run(&other, why);
	if (r <= 0)
		return r;
	return fault_set(why, EREMOTEIO, "rackseed %s %s ended with %d", command->name,
			 n ? args[0] : "", r);
}

static int machines(const struct drill *d, const char *action, const struct model_node *node,
		    struct fault *why)
{
	char *const args[] = { (char *)action, node ? node->name : NULL };

	return run_other(d, &cmd_vm, args, node ? 2 : 1, why);
}

static int await_ready(const struct drill *d, struct fault *why)
{
	int r = run_other(d, &cmd_status, NULL, 0, why);

	return r < 0 ? fault_wrap(why, "not all came back by themselves") : r;
}

/* ---- cuts ---- */

static void pass_time(struct drill *d, const struct drill_cut *cut)
{
	int64_t end = now_ms() + (int64_t)cut->delay_s * 1000;
	struct fault ignored = { 0 };

	while (now_ms() < end) {
		if (cut->moment != DRILL_WRITING)
			sleep_ms((unsigned)(end - now_ms() > 0 ? end - now_ms() : 0));
		else if (write_data(d, &ignored) < 0)
			sleep_ms(WRITE_MS);
	}
}

/* Those that are cut while they start are started for it: a cut before the one that counts. */
static int reach_moment(struct drill *d, const struct drill_cut *cut, struct fault *why)
{
	int r = 0;

	if (cut->moment == DRILL_BOOTING || cut->moment == DRILL_ASSEMBLING) {
		r = machines(d, "cut", cut->node, why);
		if (r >= 0)
			r = machines(d, "up", cut->node, why);
	}
	if (r >= 0)
		pass_time(d, cut);
	return r;
}

static int one_cut(struct drill *d, size_t i, struct fault *why)
{
	const struct drill_cut *cut = &d->cuts[i];
	scoped(text_done) struct text line = { 0 };
	int64_t begin_ms;
	int r;

	drill_tell(cut, i + 1, d->n, &line);
	printf("%s\n", text_str(&line));
	fflush(stdout);
	r = reach_moment(d, cut, why);
	if (r >= 0)
		r = machines(d, "cut", cut->node, why);
	sleep_ms(cut->off_s * 1000);
	begin_ms = now_ms();
	if (r >= 0)
		r = machines(d, "up", cut->node, why);
	if (r >= 0)
		r = await_ready(d, why);
	if (r >= 0)
		r = check(d, why);
	if (r < 0)
		return fault_wrap(why, "cut %zu of %zu", i + 1, d->n);
	d->seconds[d->n_done++] = (unsigned)((now_ms() - begin_ms) / 1000);
	printf("  all Ready after %u s, data there, same cluster\n", d->seconds[d->n_done - 1]);
	return 0;
}

/* ---- the command ---- */

static int read_number(const struct invocation *in, const char *name, unsigned long long max,
		       uint64_t *ret, struct fault *why)
{
	const char *value = command_value(in, name);
	unsigned long long number;
	char *end;

	if (!value)
		return 0;
	errno = 0;
	number = strtoull(value, &end, 10);
	if (!*value || *value == '-' || *end || errno || number > max)
		return fault_set(why, EINVAL, "--%s '%s' is no number up to %llu", name, value,
				 max);
	*ret = number;
	return 0;
}

static int read_secrets(struct drill *d, struct fault *why)
{
	scoped(drop_fd) int folder = command_folder(d->in, why);
	scoped(drop_fd) int secrets = -1;
	const struct model_node *first = model_first(d->model, MODEL_CONTROL_PLANE);
	char ip[NET_IP_LEN];
	int r;

	if (folder < 0)
		return folder;
	if (!first)
		return fault_set(why, ENOENT, "the file has no control plane");
	secrets = openat(folder, "secrets", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (secrets < 0)
		return fault_errno(why, errno, "secrets (rackseed secrets makes them)");
	r = fs_read(secrets, "pki/ca.crt", 1 << 20, &d->ca, why);
	if (r >= 0)
		r = pki_admin(secrets, time(NULL), &d->crt, &d->key, why);
	net_ip_text(&first->address, ip);
	text_addf(&d->server, strchr(ip, ':') ? "https://[%s]:%u" : "https://%s:%u", ip,
		  d->model->endpoint_port);
	return r;
}

static int drill_all(struct drill *d, uint64_t seed, struct fault *why)
{
	struct drill_summary sum;
	size_t i;
	int r = machines(d, "up", NULL, why);

	printf("seed %" PRIu64 "\n", seed);
	if (r >= 0)
		r = await_ready(d, why);
	if (r >= 0)
		r = check(d, why);
	for (i = 0; r >= 0 && i < d->n; i++)
		r = one_cut(d, i, why);
	if (d->n_done > 0) {
		size_t done = d->n_done;

		sum = drill_sum_up(d->seconds, done);
		printf("%zu of %zu cuts recovered: minimum %u s, median %u s, worst %u s\n", done,
		       d->n, sum.min_s, sum.median_s, sum.worst_s);
	}
	return r < 0 ? fault_wrap(why, "seed %" PRIu64, seed) : EXIT_DONE;
}

static int run_drill(const struct invocation *in, struct fault *why)
{
	scoped(model_done) struct model m = { 0 };
	scoped(drop_drill) struct drill *d = calloc(1, sizeof(*d));
	uint64_t cuts = DEFAULT_CUTS, seed = (uint64_t)time(NULL);
	int r = d ? command_load(in, &m, NULL, why) : fault_errno(why, ENOMEM, "drill");

	if (r != 0)
		return r;
	*d = (struct drill){ .in = in, .model = &m };
	r = read_number(in, "cuts", DRILL_MAX_CUTS, &cuts, why);
	if (r >= 0)
		r = read_number(in, "seed", UINT64_MAX, &seed, why);
	if (r < 0)
		return r;
	d->n = (size_t)cuts;
	if (drill_plan(&m, seed, d->cuts, d->n) == 0)
		return fault_set(why, ENOENT, "no node of %s has vm:", in->file);
	if (command_value(in, "plan")) {
		for (size_t i = 0; i < d->n; i++) {
			scoped(text_done) struct text line = { 0 };

			drill_tell(&d->cuts[i], i + 1, d->n, &line);
			printf("%s\n", text_str(&line));
		}
		return EXIT_DONE;
	}
	r = read_secrets(d, why);
	return r < 0 ? r : drill_all(d, seed, why);
}

static const struct command_option options[] = {
	{ "cuts", "N", "how many power cuts, default 8" },
	{ "seed", "S", "repeats the drill that printed this seed" },
	{ "plan", NULL, "prints the cuts and makes none" },
	{ "out", "DIR", "the folder with the disks, default \"out\"" },
	{ "connect", "URI", "the libvirt to use, default qemu:///system" },
	{ "timeout", "SECONDS", "how long a recovery may take, default for ever" },
	{ NULL, NULL, NULL },
};

const struct command cmd_drill = {
	.name = "drill",
	.synopsis = "",
	.help = "cuts the power of the machines at seeded moments and checks that all comes back",
	.options = options,
	.run = run_drill,
};
