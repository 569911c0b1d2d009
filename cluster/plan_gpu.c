/* SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/macros.h"
#include "base/quote.h"
#include "base/text.h"
#include "cluster/gpu.h"
#include "cluster/plan_parts.h"

/* The step gpu, and the objects that GPUs need in the cluster. */

#define QUERY "?fieldManager=" PLAN_MANAGER "&force=true"

int plan_gpu(struct plan_work *w, struct fault *why)
{
	const struct gpu_vendor *vendor = gpu_vendor_of(w->node);
	scoped(text_done) struct text modules = { 0 };

	(void)why;
	if (!vendor)
		return 0;
	gpu_modules(vendor, &modules);
	if (modules.len > 0)
		plan_put_file(w->plan, PLAN_GPU, GPU_MODULES_PATH, &modules);
	return 0;
}

/* It has to lie there before the kernel is asked for the modules that it keeps off. */
void plan_gpu_kernel(struct plan_work *w)
{
	const struct gpu_vendor *vendor = gpu_vendor_of(w->node);
	scoped(text_done) struct text modprobe = { 0 };

	if (vendor)
		gpu_modprobe(vendor, &modprobe);
	if (modprobe.len > 0)
		plan_put_file(w->plan, PLAN_KERNEL, GPU_MODPROBE_PATH, &modprobe);
}

/* ---- objects ---- */

static void begin(const char *version, const char *kind, const char *name, const char *space,
		  struct text *out)
{
	text_addf(out, "{\"apiVersion\":\"%s\",\"kind\":\"%s\",\"metadata\":{\"name\":\"%s\"",
		  version, kind, name);
	if (space)
		text_addf(out, ",\"namespace\":\"%s\"", space);
	text_add(out, ",\"labels\":{\"" PLAN_MADE_LABEL "\":\"" PLAN_MANAGER "\"}}");
}

static void put(struct plan_work *w, const struct text *path, const struct text *json)
{
	if (text_error(path) < 0 || text_error(json) < 0)
		w->plan->error = text_error(path) < 0 ? text_error(path) : text_error(json);
	plan_put(w->plan, &(struct plan_item){ .step = PLAN_OBJECTS,
					       .kind = PLAN_OBJECT,
					       .path = path->data,
					       .content = json->data });
}

/* node.k8s.io has been at v1 since 1.20, and v1beta1 went with 1.25. */
static void put_runtime_class(struct plan_work *w, const struct gpu_vendor *vendor)
{
	const char *version = model_version_cmp(&w->facts.kubernetes, 1, 20) < 0 ? "v1beta1" : "v1";
	scoped(text_done) struct text api = { 0 };
	scoped(text_done) struct text path = { 0 };
	scoped(text_done) struct text json = { 0 };

	text_addf(&api, "node.k8s.io/%s", version);
	text_addf(&path, "/apis/node.k8s.io/%s/runtimeclasses/%s" QUERY, version, vendor->runtime);
	begin(text_str(&api), "RuntimeClass", vendor->runtime, NULL, &json);
	text_addf(&json, ",\"handler\":\"%s\"}\n", vendor->runtime);
	put(w, &path, &json);
}

static void volumes(const struct gpu_vendor *vendor, struct text *out)
{
	const struct gpu_volume *v = vendor->volumes;
	size_t i;

	text_add(out, ",\"volumeMounts\":[");
	for (i = 0; i < GPU_VOLUMES_MAX && v[i].path; i++)
		text_addf(out, "%s{\"name\":\"host-%zu\",\"mountPath\":\"%s\"%s}", i ? "," : "", i,
			  v[i].path, v[i].read_only ? ",\"readOnly\":true" : "");
	text_add(out, "]}],\"volumes\":[");
	for (i = 0; i < GPU_VOLUMES_MAX && v[i].path; i++)
		text_addf(out, "%s{\"name\":\"host-%zu\",\"hostPath\":{\"path\":\"%s\"}}",
			  i ? "," : "", i, v[i].path);
	text_add(out, "]");
}

/*
 * What offers the GPUs to kubelet runs where a self-test has passed, whatever other taints the node
 * bears. It goes with kubelet's restarts by itself.
 */
static void put_plugin(struct plan_work *w, const struct gpu_vendor *vendor, const char *image)
{
	scoped(text_done) struct text name = { 0 };
	scoped(text_done) struct text path = { 0 };
	scoped(text_done) struct text json = { 0 };

	text_addf(&name, "rackseed-gpu-%s", vendor->name);
	text_addf(&path, "/apis/apps/v1/namespaces/kube-system/daemonsets/%s" QUERY,
		  text_str(&name));
	begin("apps/v1", "DaemonSet", text_str(&name), "kube-system", &json);
	text_addf(&json,
		  ",\"spec\":{\"selector\":{\"matchLabels\":{\"app\":\"%s\"}},\"template\":{"
		  "\"metadata\":{\"labels\":{\"app\":\"%s\"}},\"spec\":{",
		  text_str(&name), text_str(&name));
	text_addf(&json,
		  "\"nodeSelector\":{\"" GPU_LABEL "vendor\":\"%s\",\"" GPU_LABEL
		  "state\":\"" GPU_TESTED "\"},"
		  "\"tolerations\":[{\"operator\":\"Exists\"}],"
		  "\"priorityClassName\":\"system-node-critical\","
		  "\"automountServiceAccountToken\":false,",
		  vendor->name);
	if (vendor->runtime)
		text_addf(&json, "\"runtimeClassName\":\"%s\",", vendor->runtime);
	text_add(&json, "\"containers\":[{\"name\":\"plugin\",\"image\":");
	quote_json(&json, image);
	/* Of what a plugin may want to know, the one thing that all of them understand. */
	text_add(&json, ",\"env\":[{\"name\":\"NODE_NAME\",\"valueFrom\":{\"fieldRef\":{"
			"\"apiVersion\":\"v1\",\"fieldPath\":\"spec.nodeName\"}}}],"
			"\"securityContext\":{\"allowPrivilegeEscalation\":false,"
			"\"capabilities\":{\"drop\":[\"ALL\"]}}");
	volumes(vendor, &json);
	text_add(&json, "}}}}\n");
	if (text_error(&name) < 0)
		w->plan->error = text_error(&name);
	put(w, &path, &json);
}

void plan_gpu_objects(struct plan_work *w)
{
	int gpu;

	for (gpu = 0; gpu < MODEL_N_GPUS; gpu++) {
		const struct gpu_vendor *vendor = gpu_vendor((enum model_gpu)gpu);

		if (!vendor || !model_first_gpu(w->m, (enum model_gpu)gpu))
			continue;
		if (vendor->runtime)
			put_runtime_class(w, vendor);
		if (w->m->gpus[gpu].device_plugin)
			put_plugin(w, vendor, w->m->gpus[gpu].device_plugin);
	}
}
