/* SPDX-License-Identifier: MIT */
#include "firstboot/explain.h"

#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/decide.h"
#include "firstboot/node.h"
#include "firstboot/probe.h"
#include "firstboot/units.h"

DEFINE_DROP(bus, struct sd_bus *, units_close)

/* Whether kubelet runs on this very machine; false where there is no bus to ask. */
static bool kubelet_is_active(void)
{
	scoped(drop_bus) struct sd_bus *bus = NULL;
	struct fault ignored = { 0 };
	char state[32] = "";

	return units_open(&bus, &ignored) >= 0 &&
	       units_state(bus, "kubelet.service", state, &ignored) >= 0 &&
	       strcmp(state, "active") == 0;
}

int explain(struct node *node, struct text *out, struct fault *why)
{
	struct decide_facts facts;
	struct decision decision;
	struct fault api = { 0 };
	int r = node_load(node, why);

	if (r < 0)
		return r;
	text_addf(out, "node '%s' of cluster '%s'\n\n", node->self->name, node->model.name);
	if (!model_is_kubernetes(node->self)) {
		text_add(out, "no Kubernetes role: nothing to init or join\n");
		return 0;
	}
	r = probe_disk(node, &facts, why);
	if (r < 0)
		return r;
	facts.kubelet_active = node->live && kubelet_is_active();
	decision = node->live ? probe_decide(node, &facts, &api) : decide(&facts);
	probe_print(&facts, out);
	if (api.code)
		text_addf(out, "%-26s %s\n", "", api.text);
	state_tell_beginning(&node->state, out);
	if (node->state.began)
		text_add(out, "\n");
	text_addf(out, "\ndecision: %s%s\nbecause:  %s\n", decide_action_name(decision.action),
		  decision.reset ? " (after kubeadm reset)" : "", decision.reason);
	return 0;
}
