/* SPDX-License-Identifier: MIT */
#include "cluster/check.h"

#include <stdio.h>
#include <string.h>

#include "base/macros.h"
#include "cluster/document.h"

bool check_is_special(const struct net_cidr *cidr)
{
	static const char *const networks[] = {
		"0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/3",
		"::/127",    "fe80::/10",   "ff00::/8",
	};
	struct net_cidr special = { 0 };
	size_t i;

	for (i = 0; i < COUNT(networks); i++) {
		(void)!net_cidr_parse(networks[i], &special); /* each is well-formed */
		if (net_cidr_overlaps(&special, cidr))
			return true;
	}
	return false;
}

void check_guess_node(const struct model *m, struct complaint_guess *guess)
{
	size_t i;

	for (i = 0; i < m->n_nodes && i < COMPLAINT_GUESSES; i++)
		complaint_guess_try(guess, m->nodes[i].name);
}

void check_reference(struct check *k, const struct check_reference *r)
{
	const struct model_node *node = model_node(k->m, r->node);
	struct complaint_guess guess = { .word = r->node };
	char hint[256];

	/* Where there is no node at all, that is said once and not for each that is missing. */
	if (k->m->n_nodes == 0 || (node && (node->roles & r->role)))
		return;
	if (node) {
		snprintf(hint, sizeof(hint), "give node '%.64s' the role %s too: role: [..., %s]",
			 r->node, r->role_name, r->role_name);
		complaint_add(k->c, COMPLAINT_ERROR, r->mark, "reference-role", NULL, hint,
			      "%s '%.128s': node '%.64s' does not have the role %s", r->part,
			      r->name, r->node, r->role_name);
		return;
	}
	if (!k->c->truncated)
		check_guess_node(k->m, &guess);
	if (guess.best)
		snprintf(hint, sizeof(hint), "did you mean '%.64s'?", guess.best);
	complaint_add(k->c, COMPLAINT_ERROR, r->mark, "reference-missing", NULL,
		      guess.best ? hint : NULL, "%s '%.128s': there is no node '%.64s'", r->part,
		      r->name, r->node);
}

void document_check(const struct model *m, struct complaints *c)
{
	static void (*const checks[])(struct check *) = {
		check_twice,	  check_nodes,	check_networks, check_pods,   check_endpoint,
		check_registries, check_shares, check_served,	check_system, check_firewall,
		check_gpus,
	};
	struct check k = { .m = m, .c = c };
	size_t i;

	for (i = 0; i < COUNT(checks); i++)
		checks[i](&k);
}
