/* SPDX-License-Identifier: MIT */
#include "image/render.h"

#include <stdbool.h>
#include <string.h>

#include "base/macros.h"
#include "base/quote.h"
#include "base/text.h"

/* GRUB's words are a shell's: single quotes hold everything but themselves. */
static void add_grub_word(struct text *out, const char *word)
{
	text_add(out, " '");
	for (; *word; word++) {
		if (*word == '\'')
			text_add(out, "'\\''");
		else
			text_add_n(out, word, 1);
	}
	text_add(out, "'");
}

void render_arguments(const struct render *in, const char *root_part, struct text *out)
{
	char *const *word;

	text_addf(out, " root=PARTUUID=%s ro console=tty0 console=ttyS0,115200", root_part);
	/* Partitions are mounted because fstab says so, and swap never. */
	text_add(out, " systemd.gpt_auto=0");
	for (word = in->kernel_arguments; word && *word; word++)
		add_grub_word(out, *word);
}

/* The links in /boot follow kernel updates, so that nothing has to write this file again. */
void render_grub(const struct render *in, struct text *out)
{
	static const struct {
		const char *title, *suffix, *more;
	} entries[] = { { "", "", "" },
			{ ", the kernel before", ".old", "" },
			{ ", rescue", "", " systemd.unit=rescue.target" } };
	size_t i;

	text_add(out, "# Written by rackseed; kernel updates need no change of it.\n"
		      "if serial --unit=0 --speed=115200; then\n"
		      "\tterminal_input --append serial\n"
		      "\tterminal_output --append serial\n"
		      "fi\n"
		      "set timeout=1\n"
		      "set default=0\n"
		      "# An installer stick has settings of its own in the partition behind.\n"
		      "regexp --set=1:disk '^([a-z]+[0-9]+)' \"$root\"\n");
	text_addf(out,
		  "if [ -n \"$disk\" -a -e ($disk,gpt%u)/grub.cfg ]; then\n"
		  "\tconfigfile ($disk,gpt%u)/grub.cfg\nfi\n",
		  in->root_number + 1, in->root_number + 1);
	for (i = 0; i < COUNT(entries); i++) {
		text_addf(out, "menuentry '%s %s%s' {\n", in->distribution, in->release,
			  entries[i].title);
		text_addf(out, "\tlinux /boot/vmlinuz%s", entries[i].suffix);
		render_arguments(in, in->root_part_uuid, out);
		text_addf(out, "%s\n\tinitrd /boot/initrd.img%s\n}\n", entries[i].more,
			  entries[i].suffix);
	}
}

/*
 * The disk that this GRUB came from comes first: an installer stick and its target may bear the
 * same file system.
 */
void render_grub_efi(const struct render *in, struct text *out)
{
	text_add(out, "# Written by rackseed: finds the root file system.\n"
		      "regexp --set=1:disk '^\\(([a-z]+[0-9]+)' \"$cmdpath\"\n");
	text_addf(out, "if [ -n \"$disk\" -a -e ($disk,gpt%u)/boot/grub/grub.cfg ]; then\n",
		  in->root_number);
	text_addf(out, "\tset root=$disk,gpt%u\nelse\n\tsearch.fs_uuid %s root\nfi\n",
		  in->root_number, in->root_uuid);
	text_add(out, "set prefix=($root)/boot/grub\nconfigfile $prefix/grub.cfg\n");
}

void render_fstab(const struct render *in, struct text *out)
{
	text_addf(out, "PARTUUID=%s / ext4 errors=remount-ro,x-systemd.growfs 0 1\n",
		  in->root_part_uuid);
	/* A damaged ESP must not keep a node down; it was read already when this is. */
	text_addf(out,
		  "PARTUUID=%s /boot/efi vfat umask=0077,nofail,x-systemd.device-timeout=10s 0 0\n",
		  in->esp_part_uuid);
}

void render_repart(const struct render *in, struct text *out)
{
	(void)in;
	text_add(out, "# The root partition grows to the end of the disk, at each boot.\n"
		      "[Partition]\nType=root-x86-64\n");
}

static void add_field(struct text *out, const char *name, const char *value)
{
	if (!value)
		return;
	text_add(out, out->len > 1 ? "," : "");
	quote_json(out, name);
	text_add(out, ":");
	quote_json(out, value);
}

void render_image_json(const struct render *in, struct text *out)
{
	scoped(text_done) struct text fields = { 0 };

	text_add(&fields, "{");
	add_field(&fields, "distribution", in->distribution);
	add_field(&fields, "release", in->release);
	add_field(&fields, "kubernetes", in->kubernetes);
	add_field(&fields, "containerd", in->containerd);
	add_field(&fields, "pause", in->pause);
	text_add(out, text_str(&fields));
	text_addf(out, ",\"epoch\":%lld}\n", (long long)in->epoch);
}

void render_kernel_img(const struct render *in, struct text *out)
{
	(void)in;
	text_add(out, "do_symlinks = yes\nlink_in_boot = yes\n");
}

const char render_mke2fs_conf[] =
	"[defaults]\n"
	"\tbase_features = sparse_super,large_file,filetype,resize_inode,dir_index,ext_attr\n"
	"\tdefault_mntopts = acl,user_xattr\n"
	"\tenable_periodic_fsck = 0\n"
	"\tblocksize = 4096\n"
	"\tinode_size = 256\n"
	"\tinode_ratio = 16384\n"
	"[fs_types]\n"
	"\text4 = {\n"
	"\t\tfeatures = has_journal,extent,huge_file,flex_bg,metadata_csum,64bit,dir_nlink,"
	"extra_isize\n"
	"\t}\n";

const char render_containerd_toml[] =
	"version = 2\n"
	"root = \"/var/lib/containerd\"\n"
	"state = \"/run/rackseed/state\"\n"
	"disabled_plugins = [\"io.containerd.grpc.v1.cri\", \"io.containerd.cri.v1.images\", "
	"\"io.containerd.cri.v1.runtime\", \"io.containerd.internal.v1.opt\", "
	"\"io.containerd.nri.v1.nri\", \"io.containerd.internal.v1.tracing\", "
	"\"io.containerd.snapshotter.v1.aufs\", \"io.containerd.snapshotter.v1.btrfs\", "
	"\"io.containerd.snapshotter.v1.devmapper\", \"io.containerd.snapshotter.v1.zfs\", "
	"\"io.containerd.snapshotter.v1.native\"]\n"
	"[grpc]\n"
	"\taddress = \"/run/rackseed/containerd.sock\"\n";
