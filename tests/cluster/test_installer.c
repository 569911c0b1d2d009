/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>

#include "cluster/installer.h"

static char *own(const char *s)
{
	char *copy = strdup(s);

	assert_non_null(copy);
	return copy;
}

static struct installer rack_of_two(void)
{
	struct installer i;

	assert_int_equal(installer_make(&i, 2), 0);
	i.model.name = own("lab");
	i.model.installer.wait_s = 10;
	i.sealed = true;
	i.model.nodes[0] = (struct model_node){ .name = own("w1"),
						.has_mac = true,
						.mac = { { 0x52, 0x54, 0, 0, 0, 0x65 } },
						.disk = { .serial = own("S6Z1\"NX0T"),
							  .size_bytes = 480000000000 } };
	i.model.nodes[1] = (struct model_node){ .name = own("storage"),
						.serial = own("5CG1234X"),
						.disk = { .wwn = own("0x5002538f42b2cb1c") },
						.data = { .serial = own("ZL2A"),
							  .wwn = own("0x5000c500"),
							  .size_bytes = 18000000000000 } };
	i.files[0] = (struct installer_files){ own("golden-0123.raw"), own("w1.seed.cms") };
	i.files[1] = (struct installer_files){ own("golden-4567.raw"), own("storage.seed.cms") };
	return i;
}

static void test_a_stick_tells_machines_and_disks_apart_and_holds_no_secret(void **s)
{
	struct installer i = rack_of_two();
	struct text out = { 0 };

	(void)s;
	installer_render(&i, &out);
	assert_golden("installer/two.json", text_str(&out));
	text_done(&out);
	installer_done(&i);
}

static void test_what_was_rendered_is_read_again_as_it_was(void **s)
{
	struct installer i = rack_of_two(), again = { 0 };
	struct text out = { 0 }, twice = { 0 };
	struct fault why = { 0 };

	(void)s;
	installer_render(&i, &out);
	if (installer_parse(out.data, out.len, &again, &why) < 0)
		fail_msg("%s", why.text);
	installer_render(&again, &twice);
	assert_string_equal(text_str(&out), text_str(&twice));
	assert_true(again.sealed);
	assert_true(net_mac_equal(&again.model.nodes[0].mac, &i.model.nodes[0].mac));
	text_done(&out);
	text_done(&twice);
	installer_done(&i);
	installer_done(&again);
}

static void test_what_is_not_of_the_form_is_refused(void **s)
{
#define AROUND(node) "{\"cluster\": \"lab\", \"waitSeconds\": 5, \"nodes\": [" node "]}"
#define FILES "\"golden\": \"g.raw\", \"seed\": \"a.seed\""
	static const struct {
		const char *json, *says;
	} cases[] = {
		{ "", "the file is empty" },
		{ "{}", "it names no node" },
		{ "{", "this is no YAML" },
		{ AROUND(""), "it names no node" },
		{ "{\"waitSeconds\": 5, \"nodes\": [{}]}", "'cluster' is missing" },
		{ "{\"cluster\": \"lab\", \"waitSeconds\": -1, \"nodes\": [{}]}", "'waitSeconds'" },
		{ AROUND("7"), "'name' is missing" },
		{ AROUND("{\"name\": \"../a\", \"serial\": \"x\", " FILES "}"),
		  "'name' is missing or" },
		{ AROUND("{\"name\": \"a\", " FILES "}"), "node 'a' has neither MAC nor serial" },
		{ AROUND("{\"name\": \"a\", \"mac\": \"52:54\", " FILES "}"), "'mac' is not of" },
		{ AROUND("{\"name\": \"a\", \"serial\": \"x\", \"golden\": \"../g\", \"seed\": "
			 "\"s\"}"),
		  "'golden' is missing or" },
		{ AROUND("{\"name\": \"a\", \"serial\": \"x\", \"golden\": \"g\", \"seed\": "
			 "\".s\"}"),
		  "'seed' is missing or" },
		{ AROUND("{\"name\": \"a\", \"serial\": \"x\", \"diskBytes\": 1e9, " FILES "}"),
		  "'diskBytes' is no number" },
		{ AROUND("{\"name\": \"a\", \"serial\": \"x\", \"dataBytes\": -1, " FILES "}"),
		  "'dataBytes' is no number" },
	};

	(void)s;
	CASES (c, cases) {
		struct installer i = { 0 };
		struct fault why = { 0 };

		assert_int_equal(installer_parse(c->json, strlen(c->json), &i, &why), -EBADMSG);
		if (!strstr(why.text, c->says))
			fail_msg("'%s' does not say '%s'", why.text, c->says);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_stick_tells_machines_and_disks_apart_and_holds_no_secret),
		cmocka_unit_test(test_what_was_rendered_is_read_again_as_it_was),
		cmocka_unit_test(test_what_is_not_of_the_form_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
