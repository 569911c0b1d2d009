/* SPDX-License-Identifier: MIT */
#include "cluster/peer.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "base/yaml.h"
#include "cluster/api.h"

enum { ANSWER_MAX = 1 << 20 };

const char *peer_url(const struct net_ip *address, char buf[static PEER_URL_LEN])
{
	char text[NET_IP_LEN];
	bool is_ipv6 = address->family == AF_INET6;

	snprintf(buf, PEER_URL_LEN, "https://%s%s%s:%d", is_ipv6 ? "[" : "",
		 net_ip_text(address, text), is_ipv6 ? "]" : "", PEER_PORT);
	return buf;
}

/* It may end up on a terminal. */
static void copy(const struct yaml *from, const char *key, char *buf, size_t size)
{
	const char *s = yaml_text(yaml_get(from, key));

	snprintf(buf, size, "%s", s ? s : "");
	text_tame(buf);
}

static uint64_t number(const struct yaml *from, const char *key)
{
	const char *s = yaml_text(yaml_get(from, key));

	return s ? strtoull(s, NULL, 10) : 0;
}

static void read_steps(const struct yaml *list, struct peer *peer)
{
	size_t i;

	for (i = 0; list && list->kind == YAML_SEQUENCE && i < list->n_items; i++) {
		struct peer_step *step = &peer->steps[peer->n_steps];

		if (peer->n_steps == COUNT(peer->steps))
			return;
		copy(&list->items[i], "name", step->name, sizeof(step->name));
		copy(&list->items[i], "state", step->state, sizeof(step->state));
		copy(&list->items[i], "reason", step->reason, sizeof(step->reason));
		step->since_usec = number(&list->items[i], "since");
		peer->n_steps += step->name[0] != '\0';
	}
}

int peer_parse(const char *json, size_t len, struct peer *ret, struct fault *why)
{
	scoped(yaml_done) struct yaml tree = { 0 };
	struct yaml_error error = { 0 };
	const char *etcd;
	int r;

	if (len > ANSWER_MAX)
		return fault_set(why, EFBIG, "its answer is too large");
	r = yaml_parse(json, len, &tree, &error);
	if (r == -ENOMEM)
		return fault_errno(why, ENOMEM, "status");
	if (r < 0)
		return fault_set(why, EBADMSG, "its answer is no JSON: %s", error.message);
	*ret = (struct peer){ 0 };
	copy(&tree, "name", ret->name, sizeof(ret->name));
	copy(&tree, "phase", ret->phase, sizeof(ret->phase));
	copy(&tree, "step", ret->step, sizeof(ret->step));
	copy(&tree, "version", ret->version, sizeof(ret->version));
	copy(&tree, "boot", ret->boot, sizeof(ret->boot));
	copy(&tree, "began", ret->began, sizeof(ret->began));
	ret->uptime_s = number(&tree, "uptime");
	etcd = yaml_text(yaml_get(&tree, "etcdData"));
	ret->has_etcd_data = !etcd || strcmp(etcd, "false") != 0;
	read_steps(yaml_get(&tree, "steps"), ret);
	if (!ret->phase[0])
		return fault_set(why, EBADMSG, "its answer tells no phase");
	return 0;
}

int peer_fault(int status, const char *body, struct fault *why)
{
	scoped(yaml_done) struct yaml tree = { 0 };
	struct yaml_error error = { 0 };
	char text[512] = "";
	int code = status == 404 ? ENOENT : status == 401 ? EACCES : status == 403 ? EPERM : EAGAIN;

	if (yaml_parse(body, strlen(body), &tree, &error) == 0)
		copy(&tree, "error", text, sizeof(text));
	if (!text[0])
		snprintf(text, sizeof(text), "HTTP status %d", status);
	return fault_set(why, code, "%s", text);
}

int peer_ask(const struct api *api, struct peer *ret, struct fault *why)
{
	scoped(text_done) struct text answer = { 0 };
	int status = api_call(api, "GET", "/v1/status", NULL, &answer, why);
	int r;

	if (status < 0)
		return status;
	r = status == 200 ? peer_parse(text_str(&answer), answer.len, ret, why)
			  : peer_fault(status, text_str(&answer), why);
	return r < 0 ? fault_wrap(why, "%s", api->server) : 0;
}
