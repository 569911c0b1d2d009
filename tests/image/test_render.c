/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include "image/render.h"
#include "image/stick.h"

static char *const arguments[] = { (char *)"hugepages=4", (char *)"quiet='x y'", NULL };

static const struct render texts = {
	.distribution = "debian",
	.release = "bookworm",
	.kubernetes = "1.20.2",
	.containerd = "1.6.20",
	.pause = "k8s.gcr.io/pause:3.2",
	.kernel_arguments = arguments,
	.root_uuid = "11111111-1111-8111-a111-111111111111",
	.root_part_uuid = "22222222-2222-8222-a222-222222222222",
	.esp_part_uuid = "33333333-3333-8333-a333-333333333333",
	.root_number = 4,
	.epoch = 1767225600,
};

static void test_every_text_is_as_it_was_read_over(void **state)
{
	static const struct {
		void (*render)(const struct render *in, struct text *out);
		const char *golden;
	} cases[] = {
		{ render_grub, "image/grub.cfg" },
		{ render_grub_efi, "image/grub-efi.cfg" },
		{ render_fstab, "image/fstab" },
		{ render_repart, "image/repart.conf" },
		{ render_image_json, "image/image.json" },
		{ render_kernel_img, "image/kernel-img.conf" },
	};

	(void)state;
	CASES (c, cases) {
		struct text out = { 0 };

		c->render(&texts, &out);
		assert_int_equal(text_error(&out), 0);
		assert_golden(c->golden, text_str(&out));
		text_done(&out);
	}
}

static void test_a_stick_starts_what_is_installed_before_it_installs(void **state)
{
	static const unsigned seeds[] = { 0xe3eeae87, 0x00010203 };
	struct text out = { 0 };

	(void)state;
	stick_render_grub(&texts, "44444444-4444-8444-a444-444444444444",
			  "55555555-5555-8555-a555-555555555555", seeds, 2, &out);
	assert_int_equal(text_error(&out), 0);
	assert_golden("image/stick-grub.cfg", text_str(&out));
	text_done(&out);
}

static void test_an_image_without_kubernetes_claims_none(void **state)
{
	struct render plain = { .distribution = "ubuntu", .release = "noble", .epoch = 1 };
	struct text out = { 0 };

	(void)state;
	render_image_json(&plain, &out);
	assert_string_equal(text_str(&out),
			    "{\"distribution\":\"ubuntu\",\"release\":\"noble\",\"epoch\":1}\n");
	text_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_text_is_as_it_was_read_over),
		cmocka_unit_test(test_a_stick_starts_what_is_installed_before_it_installs),
		cmocka_unit_test(test_an_image_without_kubernetes_claims_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
