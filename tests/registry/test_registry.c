/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <unistd.h>

#include "base/macros.h"
#include "base/run.h"
#include "registry/registry.h"

static const struct {
	const char *golden;
	struct registry_containerd containerd;
} configs[] = {
	{ "registry/containerd-1.6.toml", { 1, 6, "k8s.gcr.io/pause:3.2", "/usr/lib/cni" } },
	{ "registry/containerd-1.7.toml", { 1, 7, "registry.k8s.io/pause:3.9", "/usr/lib/cni" } },
	{ "registry/containerd-2.0.toml", { 2, 0, "registry.k8s.io/pause:3.10", "/usr/lib/cni" } },
	{ "registry/containerd-2.2.toml",
	  { 2, 2, "registry.k8s.io/pause:3.10.1", "/usr/lib/cni" } },
};

static void test_config_follows_the_version(void **state)
{
	(void)state;
	CASES (c, configs) {
		struct text out = { 0 };

		registry_containerd_config(&c->containerd, &out);
		assert_golden(c->golden, text_str(&out));
		text_done(&out);
	}
}

/* The value behind "key = " in the table [name] of what containerd printed, up to the line's end.
 */
static void assert_setting(const char *dump, const char *table, const char *key, const char *value)
{
	struct text head = { 0 };
	const char *at, *end;

	text_addf(&head, "[%s]\n", table);
	at = strstr(dump, text_str(&head));
	if (!at)
		fail_msg("containerd knows no table %s", text_str(&head));
	at += head.len;
	end = strstr(at, "[plugins");
	text_done(&head);
	text_addf(&head, " %s = %s\n", key, value);
	at = strstr(at, text_str(&head));
	if (!at || (end && at > end))
		fail_msg("[%s] lacks%s", table, text_str(&head));
	text_done(&head);
}

/* Whether this containerd takes the file, and takes it as it was meant: nothing is dropped. */
static void test_containerd_itself_reads_the_same(void **state)
{
#define CRI "plugins.\"io.containerd.grpc.v1.cri\""
	static const struct {
		const char *table, *key, *value;
	} settings[] = {
		{ CRI, "sandbox_image", "\"k8s.gcr.io/pause:3.2\"" },
		{ CRI ".cni", "bin_dir", "\"/usr/lib/cni\"" },
		{ CRI ".cni", "conf_dir", "\"/etc/cni/net.d\"" },
		{ CRI ".containerd", "default_runtime_name", "\"runc\"" },
		{ CRI ".containerd.runtimes.runc", "runtime_type", "\"io.containerd.runc.v2\"" },
		{ CRI ".containerd.runtimes.runc.options", "SystemdCgroup", "true" },
		{ CRI ".registry", "config_path", "\"/etc/containerd/certs.d\"" },
	};
	char path[] = "/tmp/test_registry.XXXXXX";
	int fd = mkstemp(path);
	const char *argv[] = { "containerd", "--config", path, "config", "dump", NULL };
	struct text config = { 0 }, dump = { 0 };
	const struct run what = { .argv = argv, .out = &dump };
	struct fault why = { 0 };

	(void)state;
	assert_true(fd >= 0);
	registry_containerd_config(&configs[0].containerd, &config);
	assert_int_equal(write(fd, config.data, config.len), config.len);
	close(fd);
	if (run(&what, &why) < 0)
		fail_msg("%s", why.text);
	unlink(path);
	CASES (s, settings) {
		assert_setting(text_str(&dump), s->table, s->key, s->value);
	}
	text_done(&config);
	text_done(&dump);
}

static void test_hosts_say_where_images_come_from(void **state)
{
	static const struct {
		const char *golden;
		struct registry_host server;
		bool is_default;
		struct registry_host mirrors[2];
		size_t n;
	} cases[] = {
		{ .golden = "registry/hosts-plain.toml", .server = { .host = "registry:5000" } },
		{ .golden = "registry/hosts-mirror.toml",
		  .server = { .host = "docker.io" },
		  .mirrors = { { .host = "registry:5000", .path = "/v2/hub" },
			       { .host = "10.0.0.9:5000", .insecure = true } },
		  .n = 2 },
		{ .golden = "registry/hosts-default.toml",
		  .is_default = true,
		  .mirrors = { { .host = "registry:5000", .ca = "/etc/kubernetes/pki/ca.crt" } },
		  .n = 1 },
		{ .golden = "registry/hosts-login.toml",
		  .server = { .host = "registry:5000", .basic = "dXNlcjpwYXNz" } },
	};

	(void)state;
	CASES (c, cases) {
		struct text out = { 0 };

		registry_hosts(c->is_default ? NULL : &c->server, c->mirrors, c->n, &out);
		assert_golden(c->golden, text_str(&out));
		text_done(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config_follows_the_version),
		cmocka_unit_test(test_containerd_itself_reads_the_same),
		cmocka_unit_test(test_hosts_say_where_images_come_from),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
