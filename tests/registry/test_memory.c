/* SPDX-License-Identifier: MIT */
#include "tests/memory.h"

#include "registry/registry.h"
#include "registry/server.h"

/* What tells containerd, kubelet and the registry of each other, with each allocation refused. */

static int render_everything(size_t row, struct text *out)
{
	static const struct registry_auth auths[] = { { "docker.io", "dTpw" }, { "r:5", "dTpw" } };
	static const struct registry_runtime runtime = { "nvidia", "/usr/bin/nvidia" };
	static const struct registry_host server = { .host = "r:5",
						     .basic = "dTpw",
						     .ca = "/c",
						     .client_cert = "/c.crt",
						     .client_key = "/c.key" };
	static const struct registry_host mirror = { .host = "docker.io", .path = "/v2/hub" };
	static const struct registry_server own = { .port = 5000,
						    .folder = "/srv/registry",
						    .tls = true,
						    .login = true,
						    .upstream = "https://r",
						    .upstream_user = "u",
						    .upstream_password = "\"pw\"" };
	const struct registry_containerd c = { (int)row, 7, "p", "/c", auths, 2, &runtime };

	registry_containerd_config(&c, out);
	registry_hosts(&server, &mirror, 1, out);
	registry_docker_config(auths, 2, out);
	registry_server_config(&own, out);
	return 0;
}

/* Each line has a salt of its own: what is compared is whether it lets in. */
static int let_somebody_in(size_t row, struct text *out)
{
	struct text file = { 0 };
	struct fault why = { 0 };
	int r = registry_htpasswd_add("puller", "secret", &file, &why);
	size_t held = memory_countdown;

	(void)row;
	memory_countdown = 0;
	text_add(out, r == 0 && registry_htpasswd_holds(text_str(&file), "puller", "secret")
			      ? "in"
			      : "out");
	memory_countdown = held;
	text_done(&file);
	return r;
}

static struct text users; /* made with all the memory that it needs */

/* Who cannot be looked up is not let in. */
static int look_somebody_up(size_t row, struct text *out)
{
	bool holds = registry_htpasswd_holds(text_str(&users), "puller", "secret");

	(void)row;
	(void)out;
	if (!holds)
		return memory_ran_out ? -ENOMEM : -EPERM;
	return memory_ran_out ? -EILSEQ : 0;
}

/* bcrypt itself refuses now and then by the linker's will: it may lack memory or a number. */
static bool no_salt, no_hash;

char *__real_crypt_rn(const char *phrase, const char *setting, void *data, int size);
char *__wrap_crypt_rn(const char *phrase, const char *setting, void *data, int size);
char *__real_crypt_gensalt_rn(const char *prefix, unsigned long count, const char *bytes, int n,
			      char *out, int size);
char *__wrap_crypt_gensalt_rn(const char *prefix, unsigned long count, const char *bytes, int n,
			      char *out, int size);

char *__wrap_crypt_rn(const char *phrase, const char *setting, void *data, int size)
{
	errno = ERANGE;
	return no_hash ? NULL : __real_crypt_rn(phrase, setting, data, size);
}

char *__wrap_crypt_gensalt_rn(const char *prefix, unsigned long count, const char *bytes, int n,
			      char *out, int size)
{
	errno = ENOSYS;
	return no_salt ? NULL : __real_crypt_gensalt_rn(prefix, count, bytes, n, out, size);
}

static void test_a_password_without_a_hash_is_not_written(void **state)
{
	struct text file = { 0 };
	struct fault why = { 0 };

	(void)state;
	no_salt = true;
	assert_int_equal(registry_htpasswd_add("u", "secret", &file, &why), -ENOSYS);
	assert_non_null(strstr(why.text, "no salt"));
	no_salt = false;
	no_hash = true;
	assert_int_equal(registry_htpasswd_add("u", "secret", &file, &why), -ERANGE);
	assert_false(registry_htpasswd_holds(text_str(&users), "puller", "secret"));
	no_hash = false;
	assert_string_equal(text_str(&file), "");
	assert_true(registry_htpasswd_holds(text_str(&users), "puller", "secret"));
}

static void test_what_is_rendered_without_memory_says_so(void **state)
{
	(void)state;
	assert_refusals_are_told(render_everything, 1);
	assert_refusals_are_told(render_everything, 2);
}

static void test_nobody_is_let_in_for_lack_of_memory(void **state)
{
	(void)state;
	assert_refusals_are_told(let_somebody_in, 0);
	assert_refusals_are_told(look_somebody_up, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_rendered_without_memory_says_so),
		cmocka_unit_test(test_nobody_is_let_in_for_lack_of_memory),
		cmocka_unit_test(test_a_password_without_a_hash_is_not_written),
	};
	struct fault why = { 0 };
	int bad = registry_htpasswd_add("puller", "secret", &users, &why) < 0;

	bad = bad || cmocka_run_group_tests(tests, NULL, NULL);
	text_done(&users);
	return bad;
}
