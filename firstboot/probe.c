/* SPDX-License-Identifier: MIT */
#include "firstboot/probe.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "base/yaml.h"
#include "cluster/pki.h"
#include "firstboot/node.h"

#define KUBELET_CONF "etc/kubernetes/kubelet.conf"
#define KUBELET_CERT "var/lib/kubelet/pki/kubelet-client-current.pem"
#define ETCD_DATA "var/lib/etcd/member"

enum { PEM_MAX = 1 << 20, API_MS = 5000 };

/*
 * The very right that `kubeadm init` grants last to joining nodes: that their certificate requests
 * are approved without a person.
 */
static const char may_join[] =
	"{\"apiVersion\":\"authorization.k8s.io/v1\",\"kind\":\"SelfSubjectAccessReview\","
	"\"spec\":{\"resourceAttributes\":{\"group\":\"certificates.k8s.io\","
	"\"resource\":\"certificatesigningrequests\",\"subresource\":\"nodeclient\","
	"\"verb\":\"create\"}}}";

/* A kubelet.conf alone may be a relic of an interrupted init; the certificate is what counts. */
static bool has_kubelet_conf(const struct node *node)
{
	const char *ca = node_secret(node, "pki/ca.crt");
	scoped(text_done) struct text conf = { 0 };
	scoped(text_wipe) struct text pem = { 0 };
	struct fault ignored = { 0 };

	return ca && fs_read(node->root, KUBELET_CONF, PEM_MAX, &conf, &ignored) == 0 &&
	       conf.len > 0 && fs_read(node->root, KUBELET_CERT, PEM_MAX, &pem, &ignored) == 0 &&
	       pem.len > 0 && pki_verify(text_str(&pem), ca, time(NULL), &ignored) == 0;
}

static bool has_peers(const struct node *node)
{
	size_t i;

	for (i = 0; i < node->model.n_nodes; i++)
		if (&node->model.nodes[i] != node->self &&
		    (node->model.nodes[i].roles & MODEL_CONTROL_PLANE))
			return true;
	return false;
}

void probe_disk(const struct node *node, struct decide_facts *ret)
{
	struct stat st;

	*ret = (struct decide_facts){
		.control_plane = node->self->roles & MODEL_CONTROL_PLANE,
		.first = node->self == model_first(&node->model, MODEL_CONTROL_PLANE),
		.completed = node->state.completed,
		.started = node->state.init_started || node->state.join_started,
		.was_healthy = node->state.healthy,
		.has_kubelet_conf = has_kubelet_conf(node),
		.has_etcd_data = fstatat(node->root, ETCD_DATA, &st, 0) == 0,
		/* Until control planes ask each other, silence is all we know of a peer. */
		.peers = has_peers(node) ? DECIDE_PEER_SILENT : DECIDE_NO_PEERS,
	};
}

void probe_server(const struct node *node, struct text *out)
{
	const char *host = node->model.endpoint_host;
	bool is_ipv6 = strchr(host, ':');

	text_addf(out, "https://%s%s%s:%u", is_ipv6 ? "[" : "", host, is_ipv6 ? "]" : "",
		  node->model.endpoint_port);
}

/* One call to the cluster's endpoint, pinned to the CA of our seed. The HTTP status. */
static int ask(const struct node *node, const char *method, const char *path, const char *token,
	       const char *body, struct text *answer, struct fault *why)
{
	scoped(text_done) struct text server = { 0 };
	struct api api = { .ca = node_secret(node, "pki/ca.crt"),
			   .token = token,
			   .timeout_ms = API_MS };

	if (!api.ca)
		return fault_set(why, ENOENT, "the seed holds no pki/ca.crt");
	probe_server(node, &server);
	api.server = text_str(&server);
	return api_call(&api, method, path, body, answer, why);
}

int probe_api(const struct node *node, struct fault *why)
{
	scoped(text_done) struct text answer = { 0 };
	int status = ask(node, "GET", "/healthz", NULL, NULL, &answer, why);

	if (status < 0)
		return status;
	/* 401 and 403: it serves, and anonymous requests are turned off. */
	if (status == 200 || status == 401 || status == 403)
		return 0;
	return fault_set(why, EAGAIN, "it says %d to /healthz", status);
}

int probe_join(const struct node *node, struct fault *why)
{
	scoped(text_wipe) struct text token = { 0 };
	scoped(text_done) struct text answer = { 0 };
	scoped(yaml_done) struct yaml review = { 0 };
	struct yaml_error error = { 0 };
	const char *allowed;
	int status = node_token(node, &token, why);

	if (status >= 0)
		status = ask(node, "POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
			     text_str(&token), may_join, &answer, why);
	if (status < 0)
		return status;
	if (status == 401)
		return fault_set(why, EAGAIN, "it does not know our token yet");
	if (status != 201)
		return api_fault(status, text_str(&answer), why);
	if (yaml_parse(text_str(&answer), answer.len, &review, &error) < 0)
		return fault_set(why, EBADMSG, "its answer is no JSON: %s", error.message);
	allowed = yaml_text(yaml_get(yaml_get(&review, "status"), "allowed"));
	if (!allowed || strcmp(allowed, "true") != 0)
		return fault_set(why, EAGAIN, "its init has not come to the end yet");
	return 0;
}

static const struct {
	const char *name;
	size_t offset;
} rows[] = {
	{ "control plane", offsetof(struct decide_facts, control_plane) },
	{ "first control plane", offsetof(struct decide_facts, first) },
	{ "init or join completed", offsetof(struct decide_facts, completed) },
	{ "init or join started", offsetof(struct decide_facts, started) },
	{ "valid kubelet certificate", offsetof(struct decide_facts, has_kubelet_conf) },
	{ "etcd data", offsetof(struct decide_facts, has_etcd_data) },
	{ "API server was healthy", offsetof(struct decide_facts, was_healthy) },
	{ "kubelet active", offsetof(struct decide_facts, kubelet_active) },
	{ "API server takes joins", offsetof(struct decide_facts, api_serves) },
};

static const char *const peer_names[DECIDE_N_PEERS] = {
	[DECIDE_NO_PEERS] = "none in the file",
	[DECIDE_PEER_SERVES] = "a cluster answers",
	[DECIDE_PEERS_EMPTY] = "all answer, none has etcd data",
	[DECIDE_PEER_SILENT] = "at least one is silent",
};

void probe_print(const struct decide_facts *facts, struct text *out)
{
	size_t i;

	for (i = 0; i < COUNT(rows); i++)
		text_addf(out, "%-26s %s\n", rows[i].name,
			  *(const bool *)((const char *)facts + rows[i].offset) ? "yes" : "no");
	if (facts->control_plane)
		text_addf(out, "%-26s %s\n", "other control planes", peer_names[facts->peers]);
}
