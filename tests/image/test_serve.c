/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>

#include "image/args.h"
#include "image/render.h"
#include "image/serve.h"
#include "image/stick.h"

static void test_range(void **state)
{
	static const struct {
		const char *header;
		uint64_t size;
		enum serve_range kind;
		uint64_t from, len;
	} cases[] = {
		{ NULL, 100, SERVE_WHOLE, 0, 100 },
		{ "bytes=0-", 100, SERVE_PART, 0, 100 },
		{ "bytes=10-19", 100, SERVE_PART, 10, 10 },
		{ "bytes=99-99", 100, SERVE_PART, 99, 1 },
		{ "bytes=90-1000", 100, SERVE_PART, 90, 10 },
		{ "bytes=-7", 100, SERVE_PART, 93, 7 },
		{ "bytes=-700", 100, SERVE_PART, 0, 100 },
		{ "bytes=0-18446744073709551615", 100, SERVE_PART, 0, 100 },
		{ "bytes=100-", 100, SERVE_BEYOND, 0, 100 },
		{ "bytes=-0", 100, SERVE_BEYOND, 0, 100 },
		{ "bytes=0-", 0, SERVE_BEYOND, 0, 0 },
		{ "bytes=0-99999999999999999999", 100, SERVE_WHOLE, 0, 100 },
		{ "bytes=20-10", 100, SERVE_WHOLE, 0, 100 },
		{ "bytes=1-2,4-5", 100, SERVE_WHOLE, 0, 100 },
		{ "bytes=", 100, SERVE_WHOLE, 0, 100 },
		{ "bytes=-", 100, SERVE_WHOLE, 0, 100 },
		{ "bytes=+1-2", 100, SERVE_WHOLE, 0, 100 },
		{ "bytes= 1-2", 100, SERVE_WHOLE, 0, 100 },
		{ "lines=1-2", 100, SERVE_WHOLE, 0, 100 },
	};

	(void)state;
	CASES (c, cases) {
		uint64_t from = 77, len = 77;

		assert_int_equal(serve_range(c->header, c->size, &from, &len), c->kind);
		assert_int_equal(from, c->from);
		assert_int_equal(len, c->len);
	}
}

static void test_paths(void **state)
{
	struct serve_files files = { .list = { { .path = "/a" }, { .path = "/b/c" } }, .n = 2 };

	(void)state;
	assert_ptr_equal(serve_find(&files, "/a"), &files.list[0]);
	assert_ptr_equal(serve_find(&files, "/b/c"), &files.list[1]);
	assert_null(serve_find(&files, "/"));
	assert_null(serve_find(&files, ""));
	assert_null(serve_find(&files, "a"));
	assert_null(serve_find(&files, "/b"));
	assert_null(serve_find(&files, "/b/../a"));
	assert_null(serve_find(&files, "//a"));
}

static void test_addresses_to_give(void **state)
{
	(void)state;
	assert_true(serve_range_good("10.0.0.5,10.0.0.9"));
	assert_true(serve_range_good("10.0.0.5,10.0.0.5"));
	assert_false(serve_range_good("10.0.0.9,10.0.0.5"));
	assert_false(serve_range_good("10.0.0.5"));
	assert_false(serve_range_good("10.0.0.5,10.0.0.9,proxy"));
	assert_false(serve_range_good("set:x,10.0.0.9"));
	assert_false(serve_range_good("1000.1000.1000.1000,10.0.0.9"));
	assert_false(serve_range_good(""));
}

static bool has_argument(const struct args *args, const char *want)
{
	size_t i;

	for (i = 0; i < args->n; i++)
		if (strcmp(args->list[i], want) == 0)
			return true;
	return false;
}

static bool has_beginning(const struct args *args, const char *want)
{
	size_t i;

	for (i = 0; i < args->n; i++)
		if (strncmp(args->list[i], want, strlen(want)) == 0)
			return true;
	return false;
}

static struct serve_net lab(void)
{
	return (struct serve_net){
		.interface = "eno1", .address = "10.0.0.2", .folder = "/tmp/x", .port = 80
	};
}

static void test_beside_a_dhcp_no_address_is_given(void **state)
{
	struct serve_net net = lab();
	struct args args = { 0 };

	(void)state;
	serve_dnsmasq(&net, &args);
	assert_non_null(args_list(&args));
	assert_string_equal(args.list[0], "dnsmasq");
	assert_true(has_argument(&args, "--conf-file=/dev/null"));
	assert_true(has_argument(&args, "--port=0"));
	assert_true(has_argument(&args, "--interface=eno1"));
	assert_true(has_argument(&args, "--tftp-root=/tmp/x"));
	assert_true(has_argument(&args, "--dhcp-range=10.0.0.2,proxy"));
	assert_true(has_argument(&args, "--pxe-service=x86PC,rackseed,grub.pxe,10.0.0.2"));
	assert_true(has_argument(&args, "--pxe-service=BC_EFI,rackseed,shimx64.efi,10.0.0.2"));
	assert_false(has_beginning(&args, "--dhcp-boot"));
	assert_false(has_beginning(&args, "--dhcp-leasefile"));
	args_done(&args);
}

static void test_own_dhcp_is_no_router(void **state)
{
	struct serve_net net = lab();
	struct args args = { 0 };

	(void)state;
	net.range = "10.0.0.50,10.0.0.60";
	serve_dnsmasq(&net, &args);
	assert_non_null(args_list(&args));
	assert_true(has_argument(&args, "--dhcp-range=10.0.0.50,10.0.0.60,1h"));
	assert_true(has_argument(&args, "--dhcp-option=option:router"));
	assert_true(has_argument(&args, "--dhcp-boot=tag:bios,grub.pxe,,10.0.0.2"));
	assert_true(has_argument(&args, "--dhcp-boot=tag:efi,shimx64.efi,,10.0.0.2"));
	assert_true(has_argument(&args, "--dhcp-leasefile=/tmp/x/leases"));
	assert_false(has_beginning(&args, "--pxe-service"));
	args_done(&args);
}

/* What the stick's own settings are made of, so that the two cannot part. */
static void test_grub_is_the_sticks(void **state)
{
	static const unsigned seeds[] = { 0x12345678 };
	const struct render in = { 0 };
	struct serve_net net = lab();
	struct text stick = { 0 }, out = { 0 };
	struct fault why = { 0 };
	const char *line;
	int n = 0;

	(void)state;
	stick_render_grub(&in, "ROOT", "PART", seeds, 1, &stick);
	assert_int_equal(serve_grub(text_str(&stick), &net, "/installer-1-2.raw", &out, &why), 0);
	assert_golden("image/serve-grub.cfg", text_str(&out));
	assert_null(strstr(text_str(&out), "/boot/vmlinuz"));
	for (line = text_str(&out); (line = strstr(line, "linux (tftp,10.0.0.2)/vmlinuz")); n++)
		line++;
	assert_int_equal(n, 2);
	text_done(&stick);
	text_done(&out);
}

static void test_grub_of_another_is_refused(void **state)
{
	struct serve_net net = lab();
	struct text out = { 0 };
	struct fault why = { 0 };

	(void)state;
	assert_int_equal(serve_grub("set default=0\n", &net, "/i", &out, &why), -EBADMSG);
	assert_int_equal(serve_grub("\tlinux /boot/vmlinuz a\n", &net, "/i", &out, &why), -EBADMSG);
	text_done(&out);
}

static void test_initrd_is_whole(void **state)
{
	struct text program = { 0 }, out = { 0 };

	(void)state;
	text_add_n(&program, "\177ELF\0x", 6);
	serve_initrd(&program, &out);
	assert_int_equal(text_error(&out), 0);
	assert_int_equal(out.len % 4, 0);
	assert_memory_equal(out.data, "070701", 6);
	assert_non_null(memmem(out.data, out.len, "scripts/rackseed\0", 17));
	assert_non_null(memmem(out.data, out.len, "rackseed-netstick\0", 18));
	assert_non_null(memmem(out.data, out.len, "\177ELF\0x", 6));
	assert_non_null(memmem(out.data, out.len, "TRAILER!!!\0", 11));
	text_done(&program);
	text_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_addresses_to_give),
		cmocka_unit_test(test_beside_a_dhcp_no_address_is_given),
		cmocka_unit_test(test_own_dhcp_is_no_router),
		cmocka_unit_test(test_grub_is_the_sticks),
		cmocka_unit_test(test_grub_of_another_is_refused),
		cmocka_unit_test(test_initrd_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
