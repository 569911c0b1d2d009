/* SPDX-License-Identifier: MIT */
#include "tests/cluster/test_plan.h"

#include "tests/image/scratch.h"

#include <errno.h>

#include "image/rotate.h"

static const char extra[] =
	"registries:\n"
	"  reg:5000: {node: reg, user: a, passwordFile: secrets/registry}\n"
	"  other.example: {user: b, passwordFile: secrets/other}\n"
	"shares:\n"
	"  s: {node: st, path: /srv/s, mount: /mnt/s, user: c, passwordFile: secrets/samba}\n";

/* The lab with a registry and a share; the token is secrets/'s own. */
static void load(struct model *m)
{
	struct text document = { 0 };
	const char *at = strstr(lab_document, "  token:");
	const char *nodes = strstr(lab_document, "nodes:\n");

	text_add_n(&document, lab_document, (size_t)(at - lab_document));
	at = strchr(at, '\n') + 1;
	text_add_n(&document, at, (size_t)(nodes - at));
	text_add(&document, extra);
	text_add(&document, nodes);
	text_add(&document, "  reg: {role: registry, address: 192.168.10.60, mac: "
			    "\"52:54:00:00:00:60\"}\n"
			    "  st: {role: storage, address: 192.168.10.40, mac: "
			    "\"52:54:00:00:00:40\"}\n");
	load_document(text_str(&document), m);
	text_done(&document);
}

static bool is_there(const struct scratch *s, const char *path)
{
	return faccessat(s->fd, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void test_old_files_step_aside_and_go(void **state)
{
	static const struct {
		const char *word, *file, *nodes; /* of the advice */
	} cases[] = {
		{ "token", "secrets/token", ": cp1 w1\n" },
		{ "admin", "secrets/admin.key", NULL },
		{ "registry", "secrets/registry", ": cp1 w1 reg\n" },
		{ "samba", "secrets/samba", ": cp1 w1 st\n" },
	};

	(void)state;
	CASES (c, cases) {
		struct scratch s = scratch_open();
		struct rotation rotation;
		struct text advice = { 0 };
		struct fault why = { 0 };
		struct model m;
		char old[64];

		load(&m);
		snprintf(old, sizeof(old), "%s.old", c->file);
		scratch_write(&s, c->file, 0600, "old");
		if (rotate_begin(&m, s.fd, c->word, &rotation, &why) < 0)
			fail_msg("%s", why.text);
		assert_true(is_there(&s, old) && !is_there(&s, c->file));
		scratch_write(&s, c->file, 0600, "new");
		scratch_write(&s, "secrets/admin.crt", 0600, "new");
		assert_int_equal(rotate_end(&rotation, &why), 0);
		assert_true(!is_there(&s, old) && is_there(&s, c->file));
		rotate_advice(&m, &rotation, NULL, &advice);
		if (c->nodes)
			assert_non_null(strstr(text_str(&advice), c->nodes));
		else
			assert_null(strstr(text_str(&advice), "seeds"));
		text_done(&advice);
		rotation_done(&rotation);
		model_done(&m);
		scratch_close(&s);
	}
}

/* Half of a pair that is new does not fit the other half, so neither stays. */
static void test_what_was_not_made_anew_comes_back(void **state)
{
	struct scratch s = scratch_open();
	struct rotation rotation;
	struct fault why = { 0 };
	struct text found;
	struct model m;

	(void)state;
	load(&m);
	scratch_write(&s, "secrets/admin.crt", 0600, "old crt");
	scratch_write(&s, "secrets/admin.key", 0600, "old key");
	assert_int_equal(rotate_begin(&m, s.fd, "admin", &rotation, &why), 0);
	scratch_write(&s, "secrets/admin.crt", 0600, "new crt");
	assert_int_equal(rotate_end(&rotation, &why), 0);
	found = scratch_read(&s, "secrets/admin.crt");
	assert_string_equal(text_str(&found), "old crt");
	text_done(&found);
	found = scratch_read(&s, "secrets/admin.key");
	assert_string_equal(text_str(&found), "old key");
	text_done(&found);
	rotation_done(&rotation);
	model_done(&m);
	scratch_close(&s);
}

static void test_what_is_not_ours_is_refused(void **state)
{
	struct scratch s = scratch_open();
	struct rotation rotation;
	struct fault why = { 0 };
	struct model m;

	(void)state;
	load_document(lab_document, &m);
	assert_int_equal(rotate_begin(&m, s.fd, "ca", &rotation, &why), -EINVAL);
	assert_non_null(strstr(why.text, "token, admin, registry, samba"));
	assert_int_equal(rotate_begin(&m, s.fd, "token", &rotation, &why), -EINVAL);
	assert_non_null(strstr(why.text, "stands in the file"));
	assert_int_equal(rotate_begin(&m, s.fd, "samba", &rotation, &why), -EINVAL);
	model_done(&m);
	scratch_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_old_files_step_aside_and_go),
		cmocka_unit_test(test_what_was_not_made_anew_comes_back),
		cmocka_unit_test(test_what_is_not_ours_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
