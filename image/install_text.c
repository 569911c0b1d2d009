/* SPDX-License-Identifier: MIT */
#include "image/install.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/quote.h"
#include "base/text.h"
#include "cluster/machine.h"
#include "image/flash_list.h"

static bool is_named(const struct model_disk *d)
{
	return d->serial || d->wwn || d->size_bytes;
}

/* A stick or card that happens to be plugged in is meant only where the file names it. */
static bool may_be_it(const struct flash_row *row, const struct model_disk *want)
{
	return target_weight(&row->verdict) != TARGET_REFUSED && !row->trouble[0] &&
	       (is_named(want) || !row->facts.removable);
}

int install_choose(const struct flash_list *list, const struct model_node *node, size_t *ret_row,
		   struct fault *why)
{
	scoped(text_done) struct text several = { 0 };
	size_t i, n = 0, row = 0;

	for (i = 0; i < list->n; i++) {
		if (!may_be_it(&list->rows[i], &node->disk))
			continue;
		row = i;
		text_addf(&several, "%s'%s'", n++ ? ", " : "", list->rows[i].path);
	}
	if (n == 0)
		return fault_set(why, ENOENT, "no disk of this machine is %s node '%s'",
				 is_named(&node->disk) ? "the one that the file names for"
						       : "fit to become",
				 node->name);
	if (n > 1)
		return fault_set(why, ENOTUNIQ,
				 "%s may all be the disk of node '%s': name one in the file, as "
				 "disk: {serial: ...}",
				 text_str(&several), node->name);
	*ret_row = row;
	return 0;
}

bool install_argument(const char *cmdline, const char *word, char *ret, size_t size)
{
	size_t len = strlen(word);
	const char *at = cmdline;

	while (*at) {
		size_t n = strcspn(at, " \n");

		if (n >= len && strncmp(at, word, len) == 0 && n - len < size &&
		    (n == len || word[len - 1] == '=')) {
			snprintf(ret, size, "%.*s", (int)(n - len), at + len);
			return true;
		}
		at += n + strspn(at + n, " \n");
	}
	return false;
}

static void add_disks(const struct flash_list *disks, struct text *out)
{
	const struct flash_row *row;

	for (row = disks->rows; row < disks->rows + disks->n; row++) {
		if (row->facts.holds_root || !row->facts.serial[0])
			continue;
		text_addf(out, "        # disk: {serial: ");
		quote_yaml(out, row->facts.serial);
		text_addf(out, "}   # %s: %s, %llu MB\n", row->path,
			  row->facts.model[0] ? row->facts.model : "no model",
			  (unsigned long long)(row->facts.size_bytes / 1000000));
	}
}

void install_print_stranger(const struct machine *machine, const struct flash_list *disks,
			    const char *cluster, struct text *out)
{
	char mac[NET_MAC_LEN];
	size_t i;

	text_addf(out,
		  "\n*** rackseed: THIS MACHINE IS NO NODE OF THIS STICK (cluster '%s') ***\n"
		  "Nothing is written. This machine has ",
		  cluster);
	machine_print_links(machine, out);
	text_addf(out, ", serial '%s'.\n", machine->serial);
	text_add(out, "If it is to be one, these lines go into cluster.yaml, below nodes:, with a "
		      "name and an\naddress, and the stick is built again:\n\n");
	text_add(out, "    NAME:\n        role: worker\n        address: ADDRESS\n");
	for (i = 0; i < machine->n_links; i++)
		text_addf(out, "        %smac: \"%s\"   # %s\n", i ? "# " : "",
			  net_mac_text(&machine->links[i].mac, mac), machine->links[i].name);
	if (machine->serial[0]) {
		text_addf(out, "        %sserial: ", machine->n_links ? "# " : "");
		quote_yaml(out, machine->serial);
		text_add(out, "\n");
	}
	add_disks(disks, out);
	text_add(out, "\n");
}

void install_print_plan(const struct machine *machine, const struct flash_job *job,
			struct text *out)
{
	const struct target_verdict *v = &job->verdict;
	scoped(text_done) struct text holds = { 0 };
	size_t i;

	text_add(out, "\n*** rackseed: INSTALLING ***\nmachine: ");
	machine_print_links(machine, out);
	text_addf(out, ", serial '%s'\nnode:    '%s' of cluster '%s'\ndisk:    ", machine->serial,
		  job->node->name, job->model->name);
	flash_job_describe(job, out);
	target_contents(&job->target.facts, &holds);
	text_addf(out, "\nholds:   %s\n", holds.len ? text_str(&holds) : "nothing known");
	for (i = 0; i < v->n; i++)
		text_addf(out, "%s%s (%s)\n", i ? "         " : "beware:  ", v->reasons[i].text,
			  v->reasons[i].code);
}
