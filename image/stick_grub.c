/* SPDX-License-Identifier: MIT */
#include "image/stick.h"

#include "base/text.h"
#include "cluster/installer.h"
#include "image/disk.h"
#include "image/render.h"

/*
 * Nothing is mounted but the root, which stays read-only: the stick is never written to, whatever
 * happens, and what the inner disk bears under the same names is left alone.
 */
static const char quiet[] = " fstab=no systemd.unit=rackseed-install.target"
			    " systemd.mask=rackseed-early.service"
			    " systemd.mask=systemd-repart.service"
			    " systemd.mask=systemd-remount-fs.service"
			    " systemd.mask=systemd-resolved.service"
			    " systemd.mask=systemd-timesyncd.service";

static void add_entry(const struct render *in, const char *title, const char *root_part,
		      const char *part, const char *more, struct text *out)
{
	text_addf(out, "menuentry '%s' {\n\tlinux /boot/vmlinuz", title);
	render_arguments(in, root_part, out);
	text_addf(out, "%s " INSTALLER_ARGUMENT "%s%s\n\tinitrd /boot/initrd.img\n}\n", quiet, part,
		  more);
}

/* The names of FAT file systems are told as GRUB tells them: half by half. */
static void add_search(const unsigned *seeds, size_t n, struct text *out)
{
	size_t i;

	for (i = 0; i < n; i++)
		text_addf(out,
			  "if [ -z \"$seed\" ]; then search --no-floppy --fs-uuid --set=seed "
			  "%04X-%04X; fi\n",
			  seeds[i] >> 16, seeds[i] & 0xffff);
}

void stick_render_grub(const struct render *in, const char *root_part, const char *part,
		       const unsigned *seeds, size_t n, struct text *out)
{
	text_add(out, "# Written by rackseed: an installer stick.\n"
		      "set default=0\n"
		      "set timeout=2\n"
		      "set seed=\n");
	add_search(seeds, n, out);
	text_addf(out,
		  "if [ -n \"$seed\" ]; then\n"
		  "regexp --set=1:disk '^([a-z]+[0-9]+)' \"$seed\"\n"
		  "menuentry 'Start the node that is installed' {\n"
		  "\tset root=$disk,gpt%d\n"
		  "\tset prefix=($root)/boot/grub\n"
		  "\tconfigfile $prefix/grub.cfg\n"
		  "}\n"
		  "else\n",
		  DISK_ROOT_NUMBER);
	add_entry(in, "Install this machine", root_part, part, "", out);
	text_add(out, "fi\n");
	add_entry(in, "Install this machine, also when it is installed already", root_part, part,
		  " " INSTALLER_AGAIN, out);
}
