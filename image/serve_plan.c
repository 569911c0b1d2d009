/* SPDX-License-Identifier: MIT */
#include "image/serve.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "image/args.h"

const struct serve_file *serve_find(const struct serve_files *files, const char *path)
{
	size_t i;

	for (i = 0; i < files->n; i++)
		if (strcmp(files->list[i].path, path) == 0)
			return &files->list[i];
	return NULL;
}

/* Digits alone, and not more than fit. */
static bool read_number(const char **at, uint64_t *ret)
{
	char *end;

	if (!isdigit((unsigned char)**at))
		return false;
	errno = 0;
	*ret = strtoull(*at, &end, 10);
	*at = end;
	return errno == 0;
}

enum serve_range serve_range(const char *header, uint64_t size, uint64_t *ret_from,
			     uint64_t *ret_len)
{
	uint64_t first = 0, last = UINT64_MAX;
	bool suffix;
	const char *at;

	*ret_from = 0;
	*ret_len = size;
	if (!header || strncmp(header, "bytes=", 6) != 0)
		return SERVE_WHOLE;
	at = header + 6;
	suffix = *at == '-';
	if (!suffix && !read_number(&at, &first))
		return SERVE_WHOLE;
	if (*at++ != '-')
		return SERVE_WHOLE;
	if ((suffix || *at) && !read_number(&at, &last))
		return SERVE_WHOLE;
	if (*at || (!suffix && last < first))
		return SERVE_WHOLE;
	if (suffix ? last == 0 || size == 0 : first >= size)
		return SERVE_BEYOND;
	if (suffix) {
		*ret_len = last < size ? last : size;
		*ret_from = size - *ret_len;
		return SERVE_PART;
	}
	*ret_from = first;
	*ret_len = (last < size ? last + 1 : size) - first;
	return SERVE_PART;
}

bool serve_range_good(const char *range)
{
	const char *comma = strchr(range, ',');
	char first[INET_ADDRSTRLEN] = "";
	struct in_addr a, b;

	if (!comma || (size_t)(comma - range) >= sizeof(first))
		return false;
	memcpy(first, range, (size_t)(comma - range));
	return inet_pton(AF_INET, first, &a) == 1 && inet_pton(AF_INET, comma + 1, &b) == 1 &&
	       ntohl(a.s_addr) <= ntohl(b.s_addr);
}

/* A BIOS calls itself 0, UEFI of x86-64 7 or 9. */
static void add_own_dhcp(const struct serve_net *net, struct args *out)
{
	args_add(out, "--dhcp-range=%s,1h", net->range);
	args_add(out, "--dhcp-option=option:router");
	args_add(out, "--dhcp-match=set:bios,option:client-arch,0");
	args_add(out, "--dhcp-match=set:efi,option:client-arch,7");
	args_add(out, "--dhcp-match=set:efi,option:client-arch,9");
	args_add(out, "--dhcp-boot=tag:bios,grub.pxe,,%s", net->address);
	args_add(out, "--dhcp-boot=tag:efi,shimx64.efi,,%s", net->address);
	args_add(out, "--dhcp-leasefile=%s/leases", net->folder);
}

void serve_dnsmasq(const struct serve_net *net, struct args *out)
{
	args_add(out, "dnsmasq");
	args_add(out, "--keep-in-foreground");
	args_add(out, "--conf-file=/dev/null");
	args_add(out, "--log-facility=-");
	args_add(out, "--pid-file=");
	args_add(out, "--port=0");
	args_add(out, "--interface=%s", net->interface);
	args_add(out, "--except-interface=lo");
	args_add(out, "--bind-interfaces");
	args_add(out, "--enable-tftp");
	args_add(out, "--tftp-root=%s", net->folder);
	if (net->quiet) {
		args_add(out, "--quiet-dhcp");
		args_add(out, "--quiet-tftp");
	}
	if (net->range) {
		add_own_dhcp(net, out);
		return;
	}
	args_add(out, "--dhcp-range=%s,proxy", net->address);
	args_add(out, "--pxe-service=x86PC,rackseed,grub.pxe,%s", net->address);
	args_add(out, "--pxe-service=BC_EFI,rackseed,shimx64.efi,%s", net->address);
	args_add(out, "--pxe-service=X86-64_EFI,rackseed,shimx64.efi,%s", net->address);
}

int serve_grub(const char *stick, const struct serve_net *net, const char *image, struct text *out,
	       struct fault *why)
{
	static const char linux_line[] = "\tlinux /boot/vmlinuz";
	static const char initrd_line[] = "\tinitrd /boot/initrd.img";
	int n_linux = 0, n_initrd = 0;

	while (*stick) {
		size_t n = strcspn(stick, "\n");

		if (strncmp(stick, linux_line, sizeof(linux_line) - 1) == 0) {
			text_addf(out,
				  "\tlinux (tftp,%s)/vmlinuz%.*s boot=rackseed ip=dhcp"
				  " BOOTIF=01-$net_default_mac"
				  " rackseed.netstick=%s:%u%s\n",
				  net->address, (int)(n - (sizeof(linux_line) - 1)),
				  stick + sizeof(linux_line) - 1, net->address, net->port, image);
			n_linux++;
		} else if (strncmp(stick, initrd_line, n) == 0 && n == sizeof(initrd_line) - 1) {
			text_addf(out, "\tinitrd (tftp,%s)/initrd.img (tftp,%s)/netstick.img\n",
				  net->address, net->address);
			n_initrd++;
		} else {
			text_add_n(out, stick, n);
			text_add(out, "\n");
		}
		stick += n + (stick[n] == '\n');
	}
	if (n_linux == 0 || n_linux != n_initrd)
		return fault_set(why, EBADMSG, "the image's grub.cfg is no installer's");
	return text_error(out) < 0 ? fault_errno(why, ENOMEM, "grub.cfg") : 0;
}

/* ---- the second initrd: an archive as the kernel reads it ----------------------------------- */

static void pad(struct text *out)
{
	while (out->len % 4 && text_error(out) == 0)
		text_add_n(out, "", 1);
}

static void add_entry(const char *name, unsigned mode, const char *data, size_t len,
		      struct text *out)
{
	text_addf(out, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", 0, mode, 0, 0,
		  1, 0, (unsigned)len, 0, 0, 0, 0, (unsigned)strlen(name) + 1, 0);
	text_add_n(out, name, strlen(name) + 1);
	pad(out);
	text_add_n(out, data, len);
	pad(out);
}

/*
 * initramfs-tools takes these functions by the name of boot=. They are its own for a local disk;
 * before it looks for one, the program makes one.
 */
static const char script[] = "mount_top() { local_top; }\n"
			     "mount_premount() {\n"
			     "\tmodprobe -q loop\n"
			     "\tconfigure_networking\n"
			     "\t/rackseed-netstick || panic 'The installer cannot be fetched.'\n"
			     "\twait_for_udev 30\n"
			     "\tlocal_premount\n"
			     "}\n"
			     "mountroot() { local_mount_root; }\n"
			     "mount_bottom() { local_bottom; }\n";

void serve_initrd(const struct text *program, struct text *out)
{
	add_entry("scripts", 0040755, "", 0, out);
	add_entry("scripts/rackseed", 0100644, script, sizeof(script) - 1, out);
	add_entry("rackseed-netstick", 0100755, text_str(program), program->len, out);
	add_entry("TRAILER!!!", 0, "", 0, out);
}
