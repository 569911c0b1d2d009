/* SPDX-License-Identifier: MIT */
#include "cluster/plan_parts.h"

#include <sys/socket.h>

#include "base/macros.h"
#include "base/text.h"

/* Swap, kernel and clock. */

#define HEAD "# Written by rackseed from cluster.yaml; changes here do not last.\n"

int plan_swap(struct plan_work *w, struct fault *why)
{
	scoped(text_done) struct text empty = { 0 };

	(void)why;
	plan_put(w->plan, &(struct plan_item){ .step = PLAN_SWAP,
					       .kind = PLAN_LINK,
					       .path = "/etc/systemd/system/swap.target",
					       .content = "/dev/null" });
	/* An empty file hides the one below /usr. */
	plan_put_file(w->plan, PLAN_SWAP, "/etc/systemd/zram-generator.conf", &empty);
	return 0;
}

static bool uses_ipv6(const struct plan_work *w)
{
	return w->node->address.family == AF_INET6 || w->m->pod_subnet.ip.family == AF_INET6 ||
	       w->m->service_subnet.ip.family == AF_INET6;
}

int plan_kernel(struct plan_work *w, struct fault *why)
{
	scoped(text_done) struct text modules = { 0 };
	scoped(text_done) struct text sysctl = { 0 };

	(void)why;
	text_add(&modules, HEAD "overlay\nbr_netfilter\n");
	plan_put_file(w->plan, PLAN_KERNEL, "/etc/modules-load.d/rackseed.conf", &modules);
	text_add(&sysctl, HEAD "net.bridge.bridge-nf-call-iptables = 1\n"
			       "net.bridge.bridge-nf-call-ip6tables = 1\n"
			       "net.ipv4.ip_forward = 1\n");
	if (uses_ipv6(w))
		text_add(&sysctl, "net.ipv6.conf.all.forwarding = 1\n");
	/* As kubelet wants them, so that it need not change them itself: it refuses to. */
	text_add(&sysctl, "vm.overcommit_memory = 1\n"
			  "vm.panic_on_oom = 0\n"
			  "kernel.panic = 10\n"
			  "kernel.panic_on_oops = 1\n"
			  "kernel.keys.root_maxkeys = 1000000\n"
			  "kernel.keys.root_maxbytes = 25000000\n");
	/* Every pod's runtime and many programs within watch files. */
	text_add(&sysctl, "fs.inotify.max_user_instances = 8192\n"
			  "fs.inotify.max_user_watches = 524288\n");
	plan_put_file(w->plan, PLAN_KERNEL, "/etc/sysctl.d/90-rackseed.conf", &sysctl);
	plan_gpu_kernel(w);
	return 0;
}

int plan_clock(struct plan_work *w, struct fault *why)
{
	scoped(text_done) struct text out = { 0 };
	char **server = w->m->network.ntp;
	const char *path = "/etc/systemd/timesyncd.conf.d/rackseed.conf";

	(void)why;
	if (!server || !*server) {
		plan_put(w->plan, &(struct plan_item){
					  .step = PLAN_CLOCK, .kind = PLAN_ABSENT, .path = path });
		return 0;
	}
	text_add(&out, HEAD "[Time]\nNTP=");
	for (; *server; server++)
		text_addf(&out, "%s%s", server == w->m->network.ntp ? "" : " ", *server);
	text_add(&out, "\n");
	plan_put_file(w->plan, PLAN_CLOCK, path, &out);
	return 0;
}
