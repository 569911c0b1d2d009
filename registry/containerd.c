/* SPDX-License-Identifier: MIT */
#include "registry/registry.h"

#include "base/quote.h"
#include "base/text.h"

static const char head[] = "# Written by rackseed from cluster.yaml; changes here do not last.\n";

/*
 * Else a cut soon after a pull leaves empty files in an image that containerd holds for whole, and
 * pulls no more. tests/checks/containerd shows it of 1.7.24 and 2.x; 1.6 has no such key.
 */
static const char pull_is_synced[] = "image_pull_with_sync_fs = true\n";

static void key(struct text *out, const char *name, const char *value)
{
	text_addf(out, "%s = ", name);
	quote_toml(out, value);
	text_add(out, "\n");
}

static void logins(const struct registry_containerd *c, const char *plugin, struct text *out)
{
	size_t i;

	for (i = 0; i < c->n_auths; i++) {
		text_addf(out, "\n[plugins.%s.registry.configs.", plugin);
		quote_toml(out, registry_real_host(c->auths[i].host));
		/* Base64, or a template's place for it: nothing that TOML would want escaped. */
		text_addf(out, ".auth]\nauth = \"%s\"\n", c->auths[i].basic);
	}
}

/* A wrapper of runc's: what calls it is the shim of runc, with the same options. */
static void other_runtime(const struct registry_containerd *c, const char *plugin, struct text *out)
{
	const char *name = c->runtime ? c->runtime->name : NULL;

	if (!name)
		return;
	text_addf(out,
		  "\n[plugins.%s.containerd.runtimes.%s]\n"
		  "runtime_type = \"io.containerd.runc.v2\"\n"
		  "\n[plugins.%s.containerd.runtimes.%s.options]\n",
		  plugin, name, plugin, name);
	key(out, "BinaryName", c->runtime->binary);
	text_add(out, "SystemdCgroup = true\n");
}

/* containerd 1.x: one plugin for all of CRI. */
static void version_2(const struct registry_containerd *c, struct text *out)
{
	text_addf(out, "version = 2\n\n[plugins.\"io.containerd.grpc.v1.cri\"]\n");
	key(out, "sandbox_image", c->pause);
	if (c->minor >= 7)
		text_add(out, pull_is_synced);
	/* 1.6 has no such key, and 2.x needs none to find what is in /etc/cdi. */
	if (c->minor >= 7 && c->runtime)
		text_add(out, "enable_cdi = true\n");
	text_add(out, "\n[plugins.\"io.containerd.grpc.v1.cri\".cni]\n");
	key(out, "bin_dir", c->cni_bin_dir);
	key(out, "conf_dir", "/etc/cni/net.d");
	text_add(out, "\n[plugins.\"io.containerd.grpc.v1.cri\".containerd]\n"
		      "default_runtime_name = \"runc\"\n"
		      "\n[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc]\n"
		      "runtime_type = \"io.containerd.runc.v2\"\n"
		      "\n[plugins.\"io.containerd.grpc.v1.cri\".containerd.runtimes.runc.options]\n"
		      "SystemdCgroup = true\n");
	other_runtime(c, "\"io.containerd.grpc.v1.cri\"", out);
	text_add(out, "\n[plugins.\"io.containerd.grpc.v1.cri\".registry]\n"
		      "config_path = \"/etc/containerd/certs.d\"\n");
	logins(c, "\"io.containerd.grpc.v1.cri\"", out);
}

/* containerd 2.x: images and runtime are plugins of their own; 2.1 took a list of CNI folders. */
static void version_3(const struct registry_containerd *c, struct text *out)
{
	text_add(out, "version = 3\n\n[plugins.'io.containerd.cri.v1.images']\n");
	text_add(out, pull_is_synced);
	text_add(out, "\n[plugins.'io.containerd.cri.v1.images'.pinned_images]\n");
	key(out, "sandbox", c->pause);
	text_add(out, "\n[plugins.'io.containerd.cri.v1.images'.registry]\n"
		      "config_path = \"/etc/containerd/certs.d\"\n"
		      "\n[plugins.'io.containerd.cri.v1.runtime'.cni]\n");
	if (c->minor == 0) {
		key(out, "bin_dir", c->cni_bin_dir);
	} else {
		text_add(out, "bin_dirs = [");
		quote_toml(out, c->cni_bin_dir);
		text_add(out, "]\n");
	}
	key(out, "conf_dir", "/etc/cni/net.d");
	text_add(out,
		 "\n[plugins.'io.containerd.cri.v1.runtime'.containerd]\n"
		 "default_runtime_name = \"runc\"\n"
		 "\n[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]\n"
		 "runtime_type = \"io.containerd.runc.v2\"\n"
		 "\n[plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]\n"
		 "SystemdCgroup = true\n");
	other_runtime(c, "'io.containerd.cri.v1.runtime'", out);
	/*
	 * Deprecated since 1.5 and yet the only way to a token; one that has lost the setting says
	 * that it ignores it, and starts.
	 */
	logins(c, "'io.containerd.cri.v1.images'", out);
}

void registry_containerd_config(const struct registry_containerd *c, struct text *out)
{
	text_add(out, head);
	if (c->major < 2)
		version_2(c, out);
	else
		version_3(c, out);
}
