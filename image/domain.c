/* SPDX-License-Identifier: MIT */
#include "image/domain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/text.h"
#include "cluster/model.h"
#include "image/machine.h"
#include "image/virt.h"

/* Beside the machine's own metadata, and gone when it stops: when it was started. */
#define RUN_NAMESPACE "urn:rackseed:run:1"

static const char *const state_names[] = {
	[DOMAIN_ABSENT] = "not defined", [DOMAIN_OFF] = "off",
	[DOMAIN_RUNNING] = "running",	 [DOMAIN_PAUSED] = "paused",
	[DOMAIN_STOPPING] = "stopping",	 [DOMAIN_CRASHED] = "crashed",
};

static const enum domain_state states[] = {
	[VIR_DOMAIN_NOSTATE] = DOMAIN_OFF,	 [VIR_DOMAIN_RUNNING] = DOMAIN_RUNNING,
	[VIR_DOMAIN_BLOCKED] = DOMAIN_RUNNING,	 [VIR_DOMAIN_PAUSED] = DOMAIN_PAUSED,
	[VIR_DOMAIN_SHUTDOWN] = DOMAIN_STOPPING, [VIR_DOMAIN_SHUTOFF] = DOMAIN_OFF,
	[VIR_DOMAIN_CRASHED] = DOMAIN_CRASHED,	 [VIR_DOMAIN_PMSUSPENDED] = DOMAIN_PAUSED,
};

const char *domain_state_name(enum domain_state state)
{
	return state_names[state];
}

/* *ret is NULL when libvirt does not know it. */
static int find(virConnectPtr connect, const struct model *m, const struct model_node *node,
		virDomainPtr *ret, struct fault *why)
{
	char uuid[MACHINE_UUID_LEN];

	machine_uuid(m->name, node->name, uuid);
	*ret = virDomainLookupByUUIDString(connect, uuid);
	if (!*ret && virGetLastErrorCode() != VIR_ERR_NO_DOMAIN)
		return virt_fault(why, "cannot look for machine '%s-%s'", m->name, node->name);
	return 0;
}

static int state_of(virDomainPtr domain, enum domain_state *ret, struct fault *why)
{
	const char *name = virDomainGetName(domain);
	int state, reason;

	if (virDomainGetState(domain, &state, &reason, 0) < 0)
		return virt_fault(why, "machine '%s'", name);
	if (state < 0 || (size_t)state >= COUNT(states))
		return fault_set(why, EPROTO, "machine '%s' is in a state that is not known: %d",
				 name, state);
	*ret = states[state];
	return 0;
}

static void read_since(virDomainPtr domain, char since[static 32])
{
	char *xml = virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, RUN_NAMESPACE,
					 VIR_DOMAIN_AFFECT_LIVE);
	const char *at = xml ? strstr(xml, " at=") : NULL;

	since[0] = '\0';
	if (at && strlen(at) > 5)
		snprintf(since, 32, "%.*s", (int)strcspn(at + 5, "'\""), at + 5);
	free(xml);
}

static void write_since(virDomainPtr domain)
{
	time_t now = time(NULL);
	char when[32], xml[64];
	struct tm tm;

	if (!localtime_r(&now, &tm) || !strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%S%z", &tm))
		return;
	snprintf(xml, sizeof(xml), "<started at='%s'/>", when);
	/* A machine without it runs as well; list then shows no time. */
	(void)virDomainSetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, xml, "run", RUN_NAMESPACE,
				   VIR_DOMAIN_AFFECT_LIVE);
}

int domain_look(virConnectPtr connect, const struct model *m, const struct model_node *node,
		struct domain_facts *ret, struct fault *why)
{
	scoped(drop_domain) virDomainPtr domain = NULL;
	struct domain_facts facts = { .state = DOMAIN_ABSENT };
	int r = find(connect, m, node, &domain, why);

	if (r == 0 && domain)
		r = state_of(domain, &facts.state, why);
	if (r < 0)
		return r;
	if (facts.state == DOMAIN_RUNNING)
		read_since(domain, facts.since);
	*ret = facts;
	return 0;
}

/* A machine of the same cluster and node name, made from another file that is still there? */
static int check_file(virDomainPtr domain, const struct machine *machine, struct fault *why)
{
	scoped(text_done) struct text file = { 0 };
	char *xml = virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, MACHINE_NAMESPACE, 0);

	if (xml)
		machine_file(xml, &file);
	free(xml);
	if (file.len == 0 || strcmp(text_str(&file), machine->file) == 0 ||
	    access(text_str(&file), F_OK) < 0)
		return 0;
	return fault_set(
		why, EEXIST,
		"machine '%s' belongs to '%s': choose another cluster.name, or take that one "
		"away (rackseed -f '%s' vm down --delete)",
		virDomainGetName(domain), text_str(&file), text_str(&file));
}

static int check_name(virConnectPtr connect, const struct machine *machine, struct fault *why)
{
	scoped(text_done) struct text name = { 0 };
	scoped(drop_domain) virDomainPtr other = NULL;
	char uuid[VIR_UUID_STRING_BUFLEN];

	machine_name(machine->model, machine->node, &name);
	other = virDomainLookupByName(connect, text_str(&name));
	if (!other)
		return 0;
	if (virDomainGetUUIDString(other, uuid) < 0)
		return virt_fault(why, "machine '%s'", text_str(&name));
	if (virt_is_ours(uuid, machine->model, machine->node->name))
		return 0;
	return fault_set(
		why, EEXIST,
		"libvirt has a machine '%s' that is not ours (uuid %s): rename it, or choose "
		"another cluster.name",
		text_str(&name), uuid);
}

/* Defining again brings in what changed in the file since; the UEFI variables stay. */
static int define(virConnectPtr connect, const struct machine *machine, virDomainPtr *ret,
		  struct fault *why)
{
	scoped(text_done) struct text xml = { 0 };
	int r = check_name(connect, machine, why);

	if (r < 0)
		return r;
	machine_render(machine, &xml);
	if (text_error(&xml) < 0)
		return fault_errno(why, text_error(&xml), "machine '%s'", machine->node->name);
	*ret = virDomainDefineXMLFlags(connect, text_str(&xml), 0);
	return *ret ? 0
		    : virt_fault(why, "cannot define a machine for node '%s'", machine->node->name);
}

int domain_up(virConnectPtr connect, const struct machine *machine, struct fault *why)
{
	scoped(drop_domain) virDomainPtr domain = NULL;
	enum domain_state state = DOMAIN_ABSENT;
	const char *name;
	int r = find(connect, machine->model, machine->node, &domain, why);

	if (r == 0 && domain)
		r = check_file(domain, machine, why);
	if (r == 0 && domain)
		r = state_of(domain, &state, why);
	if (r < 0 || state == DOMAIN_RUNNING)
		return r;
	if (state == DOMAIN_PAUSED) {
		name = virDomainGetName(domain);
		if (virDomainResume(domain) < 0)
			return virt_fault(why, "cannot resume '%s'", name);
		return 1;
	}
	drop_domain(&domain);
	domain = NULL;
	r = define(connect, machine, &domain, why);
	if (r < 0)
		return r;
	name = virDomainGetName(domain);
	if (virDomainCreate(domain) < 0)
		return virt_fault(why, "cannot start '%s'", name);
	write_since(domain);
	return 1;
}

int domain_shutdown(virConnectPtr connect, const struct model *m, const struct model_node *node,
		    struct fault *why)
{
	scoped(drop_domain) virDomainPtr domain = NULL;
	enum domain_state state = DOMAIN_ABSENT;
	const char *name;
	int r = find(connect, m, node, &domain, why);

	if (r == 0 && domain)
		r = state_of(domain, &state, why);
	if (r < 0 || (state != DOMAIN_RUNNING && state != DOMAIN_STOPPING))
		return r;
	name = virDomainGetName(domain);
	r = virDomainShutdown(domain) < 0 ? virt_fault(why, "cannot shut '%s' down", name) : 0;
	return r < 0 && virDomainIsActive(domain) == 1 ? r : 1; /* it may go off by itself */
}

int domain_cut(virConnectPtr connect, const struct model *m, const struct model_node *node,
	       struct fault *why)
{
	scoped(drop_domain) virDomainPtr domain = NULL;
	const char *name;
	int r = find(connect, m, node, &domain, why);

	if (r < 0 || !domain || virDomainIsActive(domain) != 1)
		return r;
	name = virDomainGetName(domain);
	r = virDomainDestroy(domain) < 0 ? virt_fault(why, "cannot cut '%s'", name) : 0;
	return r < 0 && virDomainIsActive(domain) == 1 ? r : 1;
}

int domain_forget(virConnectPtr connect, const struct model *m, const struct model_node *node,
		  struct fault *why)
{
	static const unsigned flags[] = {
		VIR_DOMAIN_UNDEFINE_NVRAM | VIR_DOMAIN_UNDEFINE_MANAGED_SAVE |
			VIR_DOMAIN_UNDEFINE_SNAPSHOTS_METADATA |
			VIR_DOMAIN_UNDEFINE_CHECKPOINTS_METADATA,
		VIR_DOMAIN_UNDEFINE_NVRAM | VIR_DOMAIN_UNDEFINE_MANAGED_SAVE,
		0, /* drivers that know no flags */
	};
	scoped(drop_domain) virDomainPtr domain = NULL;
	const char *name;
	int r = find(connect, m, node, &domain, why);
	size_t i;

	if (r < 0 || !domain)
		return r;
	name = virDomainGetName(domain);
	for (i = 0; i < COUNT(flags); i++)
		if (virDomainUndefineFlags(domain, flags[i]) == 0)
			return 1;
	return virt_fault(why, "cannot remove '%s'", name);
}
