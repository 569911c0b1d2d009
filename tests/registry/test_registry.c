/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>
#include <unistd.h>

#include "base/macros.h"
#include "base/run.h"
#include "registry/registry.h"
#include "registry/server.h"

#define CNI "/usr/lib/cni"

static const struct registry_auth auths[] = { { "registry:5000", "dXNlcjpwYXNz" },
					      { "docker.io", "aHViOnBhc3M=" } };

static const struct registry_runtime nvidia = { "nvidia", "/usr/bin/nvidia-container-runtime" };

static const struct {
	const char *golden;
	struct registry_containerd containerd;
} configs[] = {
	{ "registry/containerd-1.6.toml", { 1, 6, "k8s.gcr.io/pause:3.2", CNI, NULL, 0, NULL } },
	{ "registry/containerd-1.6-login.toml",
	  { 1, 6, "k8s.gcr.io/pause:3.2", CNI, auths, 2, NULL } },
	{ "registry/containerd-1.7.toml",
	  { 1, 7, "registry.k8s.io/pause:3.9", CNI, NULL, 0, NULL } },
	{ "registry/containerd-2.0.toml",
	  { 2, 0, "registry.k8s.io/pause:3.10", CNI, NULL, 0, NULL } },
	{ "registry/containerd-1.6-gpu.toml",
	  { 1, 6, "k8s.gcr.io/pause:3.2", CNI, NULL, 0, &nvidia } },
	{ "registry/containerd-1.7-gpu.toml",
	  { 1, 7, "registry.k8s.io/pause:3.9", CNI, NULL, 0, &nvidia } },
	{ "registry/containerd-2.2-gpu.toml",
	  { 2, 2, "registry.k8s.io/pause:3.10.1", CNI, NULL, 0, &nvidia } },
	{ "registry/containerd-2.2.toml",
	  { 2, 2, "registry.k8s.io/pause:3.10.1", CNI, auths, 2, NULL } },
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
		{ CRI ".registry.configs.\"registry:5000\".auth", "auth", "\"dXNlcjpwYXNz\"" },
		{ CRI ".registry.configs.\"registry-1.docker.io\".auth", "auth",
		  "\"aHViOnBhc3M=\"" },
		{ CRI, "sandbox_image", "\"k8s.gcr.io/pause:3.2\"" },
		{ CRI ".cni", "bin_dir", "\"/usr/lib/cni\"" },
		{ CRI ".cni", "conf_dir", "\"/etc/cni/net.d\"" },
		{ CRI ".containerd", "default_runtime_name", "\"runc\"" },
		{ CRI ".containerd.runtimes.runc", "runtime_type", "\"io.containerd.runc.v2\"" },
		{ CRI ".containerd.runtimes.runc.options", "SystemdCgroup", "true" },
		{ CRI ".containerd.runtimes.nvidia", "runtime_type",
		  "\"io.containerd.runc.v2\"" },
		{ CRI ".containerd.runtimes.nvidia.options", "BinaryName",
		  "\"/usr/bin/nvidia-container-runtime\"" },
		{ CRI ".containerd.runtimes.nvidia.options", "SystemdCgroup", "true" },
		{ CRI ".registry", "config_path", "\"/etc/containerd/certs.d\"" },
	};
	struct registry_containerd all = configs[1].containerd;
	char path[] = "/tmp/test_registry.XXXXXX";
	int fd = mkstemp(path);
	const char *argv[] = { "containerd", "--config", path, "config", "dump", NULL };
	struct text config = { 0 }, dump = { 0 };
	const struct run what = { .argv = argv, .out = &dump };
	struct fault why = { 0 };

	(void)state;
	assert_true(fd >= 0);
	all.runtime = &nvidia;
	registry_containerd_config(&all, &config);
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
		{ .golden = "registry/hosts-client.toml",
		  .server = { .host = "registry:5000",
			      .client_cert = "/etc/containerd/certs.d/r/c.crt",
			      .client_key = "/etc/containerd/certs.d/r/c.key" } },
		{ .golden = "registry/hosts-ca.toml",
		  .server = { .host = "registry:5000", .ca = "/etc/ca.crt" } },
		{ .golden = "registry/hosts-insecure.toml",
		  .server = { .host = "registry:5000", .insecure = true } },
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

static void test_a_server_is_told_all_it_needs(void **state)
{
	static const struct {
		const char *golden;
		struct registry_server server;
	} cases[] = {
		{ "registry/server-tls.yml",
		  { .port = 5000, .folder = "/srv/registry/5000", .tls = true, .login = true } },
		{ "registry/server-plain.yml", { .port = 80, .folder = "/srv/registry/80" } },
		/* Half a login is none. */
		{ "registry/server-open.yml",
		  { .port = 5001,
		    .folder = "/srv/registry/5001",
		    .upstream = "https://registry-1.docker.io",
		    .upstream_user = "user" } },
		{ "registry/server-cache.yml",
		  { .port = 5001,
		    .folder = "/srv/registry/5001",
		    .tls = true,
		    .upstream = "https://registry-1.docker.io",
		    .upstream_user = "us: \"er\"",
		    .upstream_password = "\"pa\\\"ss\"" } },
	};

	(void)state;
	CASES (c, cases) {
		struct text out = { 0 };

		registry_server_config(&c->server, &out);
		assert_golden(c->golden, text_str(&out));
		text_done(&out);
	}
}

static void test_docker_config_is_json(void **state)
{
	struct text out = { 0 };

	(void)state;
	registry_docker_config(auths, 2, &out);
	assert_string_equal(text_str(&out),
			    "{\"auths\":{\"registry:5000\":{\"auth\":\"dXNlcjpwYXNz\"},"
			    "\"https://index.docker.io/v1/\":{\"auth\":\"aHViOnBhc3M=\"}}}");
	text_done(&out);
}

static void test_users_are_let_in_by_their_password_only(void **state)
{
	struct text file = { 0 };
	struct text again = { 0 };
	struct fault why = { 0 };

	(void)state;
	assert_int_equal(registry_htpasswd_add("puller", "pa ss:word", &file, &why), 0);
	assert_int_equal(registry_htpasswd_add("pull", "other", &file, &why), 0);
	assert_int_equal(strncmp(text_str(&file), "puller:$2y$08$", 14), 0);
	assert_true(registry_htpasswd_holds(text_str(&file), "puller", "pa ss:word"));
	assert_true(registry_htpasswd_holds(text_str(&file), "pull", "other"));
	assert_false(registry_htpasswd_holds(text_str(&file), "puller", "pa ss:wor"));
	assert_false(registry_htpasswd_holds(text_str(&file), "pul", "other"));
	assert_false(registry_htpasswd_holds(text_str(&file), "pulle", "pa ss:word"));
	assert_false(registry_htpasswd_holds("puller:\n", "puller", ""));
	assert_false(registry_htpasswd_holds("puller:*0\n", "puller", "x"));
	assert_false(registry_htpasswd_holds("", "puller", "x"));
	/* Two files of the same user and password differ, for each has a salt of its own. */
	assert_int_equal(registry_htpasswd_add("puller", "pa ss:word", &again, &why), 0);
	assert_string_not_equal(text_str(&file), text_str(&again));
	text_done(&file);
	text_done(&again);
}

static void test_a_password_that_bcrypt_would_cut_is_refused_and_so_is_none(void **state)
{
	struct text file = { 0 };
	struct fault why = { 0 };
	char password[74];

	(void)state;
	memset(password, 'x', 73);
	password[73] = '\0';
	assert_int_equal(registry_htpasswd_add("u", password, &file, &why), -EINVAL);
	assert_string_equal(
		why.text,
		"the password of 'u' is longer than the 72 bytes that bcrypt looks at");
	assert_int_equal(registry_htpasswd_add("u", "a\nb", &file, &why), -EINVAL);
	assert_int_equal(registry_htpasswd_add("u", "a\rb", &file, &why), -EINVAL);
	assert_string_equal(why.text, "the password of 'u' holds a line break");
	assert_int_equal(registry_htpasswd_add("u", "", &file, &why), -EINVAL);
	assert_string_equal(why.text, "the password of 'u' is empty");
	assert_string_equal(text_str(&file), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config_follows_the_version),
		cmocka_unit_test(test_containerd_itself_reads_the_same),
		cmocka_unit_test(test_hosts_say_where_images_come_from),
		cmocka_unit_test(test_a_server_is_told_all_it_needs),
		cmocka_unit_test(test_docker_config_is_json),
		cmocka_unit_test(test_users_are_let_in_by_their_password_only),
		cmocka_unit_test(test_a_password_that_bcrypt_would_cut_is_refused_and_so_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
