/* SPDX-License-Identifier: MIT */
#include "image/witness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/yaml.h"
#include "cluster/api.h"
#include "cluster/model.h"
#include "cluster/pki.h"

enum { API_MS = 10000, READ_TRIES = 30 };

#define CLUSTER_PATH "/api/v1/namespaces/kube-system"
#define DATA_PATH "/api/v1/namespaces/kube-system/configmaps/rackseed-drill"

static void pause_a_second(void)
{
	struct timespec pause = { .tv_sec = 1 };

	while (nanosleep(&pause, &pause) < 0 && errno == EINTR)
		;
}

static int call(const struct witness *w, const char *method, const char *path, const char *body,
		struct text *answer, struct fault *why)
{
	const struct api api = { .server = text_str(&w->server),
				 .ca = text_str(&w->ca),
				 .crt = text_str(&w->crt),
				 .key = text_str(&w->key),
				 .timeout_ms = API_MS };
	int status = api_call(&api, method, path, body, answer, why);

	if (status < 0 || status / 100 == 2)
		return status < 0 ? status : 0;
	return api_fault(status, text_str(answer), why);
}

/* A text in the object at path; both keys are needed. */
static int get(const struct witness *w, const char *path, const char *outer, const char *inner,
	       char *ret, size_t size, struct fault *why)
{
	scoped(text_done) struct text answer = { 0 };
	scoped(yaml_done) struct yaml object = { 0 };
	struct yaml_error error = { 0 };
	const char *text;
	int r = call(w, "GET", path, NULL, &answer, why);

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

int witness_write(struct witness *w, struct fault *why)
{
	scoped(text_done) struct text body = { 0 };
	scoped(text_done) struct text answer = { 0 };
	int r;

	text_addf(&body,
		  "{\"apiVersion\":\"v1\",\"kind\":\"ConfigMap\",\"metadata\":{\"name\":"
		  "\"rackseed-drill\"},\"data\":{\"number\":\"%llu\"}}",
		  w->written + 1);
	r = call(w, "PATCH", DATA_PATH "?fieldManager=rackseed-drill&force=true", text_str(&body),
		 &answer, why);
	if (r >= 0)
		w->written++;
	return r;
}

/* What the cluster said yes to before the cut must be there after it, in the same cluster. */
static int check_data(struct witness *w, struct fault *why)
{
	char uid[sizeof(w->uid)], number[32];
	int r = get(w, CLUSTER_PATH, "metadata", "uid", uid, sizeof(uid), why);

	if (r < 0)
		return r;
	if (w->uid[0] && strcmp(w->uid, uid) != 0)
		return fault_set(why, ESTALE, "another cluster answers: %s, and it was %s", uid,
				 w->uid);
	memcpy(w->uid, uid, sizeof(uid));
	if (!w->written)
		return 0;
	r = get(w, DATA_PATH, "data", "number", number, sizeof(number), why);
	if (r < 0)
		return r;
	/* A write that was cut may have been taken without a word. */
	if (strtoull(number, NULL, 10) < w->written)
		return fault_set(why, ENODATA, "data is lost: number %s is there, %llu was written",
				 number, w->written);
	w->written = strtoull(number, NULL, 10);
	return 0;
}

/* A busy API server misses an answer; a wrong one is final. */
int witness_check(struct witness *w, struct fault *why)
{
	int i, r = -1;

	for (i = 0; i < READ_TRIES && r < 0 && r != -ESTALE && r != -ENODATA; i++) {
		if (i > 0)
			pause_a_second();
		r = check_data(w, why);
	}
	for (i = 0; i < READ_TRIES && r >= 0; i++) {
		r = witness_write(w, why);
		if (r >= 0)
			return 0;
		pause_a_second();
		r = 0;
	}
	return r < 0 ? r : -why->code;
}

int witness_open(struct witness *ret, const struct model *m, int folder, struct fault *why)
{
	scoped(drop_fd) int secrets = openat(folder, "secrets", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct model_node *first = model_first(m, MODEL_CONTROL_PLANE);
	scoped(witness_done) struct witness w = { 0 };
	char ip[NET_IP_LEN];
	int r;

	if (!first)
		return fault_set(why, ENOENT, "the file has no control plane");
	if (secrets < 0)
		return fault_errno(why, errno, "secrets (rackseed secrets makes them)");
	r = fs_read(secrets, "pki/ca.crt", 1 << 20, &w.ca, why);
	if (r >= 0)
		r = pki_admin(secrets, time(NULL), &w.crt, &w.key, why);
	if (r < 0)
		return r;
	net_ip_text(&first->address, ip);
	text_addf(&w.server, strchr(ip, ':') ? "https://[%s]:%u" : "https://%s:%u", ip,
		  m->endpoint_port);
	if (text_error(&w.server) < 0)
		return fault_errno(why, ENOMEM, "the cluster's address");
	*ret = w;
	w = (struct witness){ 0 };
	return 0;
}

void witness_done(struct witness *w)
{
	text_done(&w->ca);
	text_done(&w->crt);
	text_wipe(&w->key);
	text_done(&w->server);
}

void witness_forget(struct witness *w)
{
	w->uid[0] = '\0';
	w->written = 0;
}
