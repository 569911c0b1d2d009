/* SPDX-License-Identifier: MIT */
#include "image/machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/macros.h"
#include "base/text.h"

static const struct {
	char c;
	const char *entity;
} entities[] = {
	{ '&', "&amp;" },   { '<', "&lt;" },   { '>', "&gt;" },	 { '"', "&quot;" },
	{ '\'', "&apos;" }, { '\n', "&#10;" }, { '\t', "&#9;" }, { '\r', "&#13;" },
};

/* Text or an attribute's value. What XML cannot hold at all becomes '?'. */
static void quote_xml(struct text *t, const char *s)
{
	size_t i;

	for (; *s; s++) {
		for (i = 0; i < COUNT(entities) && entities[i].c != *s; i++)
			;
		if (i < COUNT(entities))
			text_add(t, entities[i].entity);
		else
			text_add_n(t, (unsigned char)*s < 0x20 ? "?" : s, 1);
	}
}

void machine_file(const char *metadata, struct text *out)
{
	const char *s = strstr(metadata, " file=");
	char quote = s ? s[6] : '\0';
	size_t i, n;

	for (s = s && quote ? s + 7 : ""; *s && *s != quote; s += n) {
		for (i = 0; i < COUNT(entities); i++)
			if (strncmp(s, entities[i].entity, strlen(entities[i].entity)) == 0)
				break;
		n = i < COUNT(entities) ? strlen(entities[i].entity) : 1;
		text_add_n(out, i < COUNT(entities) ? &entities[i].c : s, 1);
	}
}

/* Adds before VALUE after, the value quoted. */
static void put(struct text *t, const char *before, const char *value, const char *after)
{
	text_add(t, before);
	quote_xml(t, value);
	text_add(t, after);
}

/* FNV-1a of 128 bits: names into identities, nothing that an attacker could gain by. */
static unsigned __int128 hash(const char *a, const char *b)
{
	const unsigned __int128 prime = ((unsigned __int128)1 << 88) + 0x13b;
	unsigned __int128 h =
		((unsigned __int128)0x6c62272e07bb0142ULL << 64) + 0x62b821756295c58dULL;
	const char *parts[] = { "rackseed", a, b };
	size_t i, k;

	for (i = 0; i < COUNT(parts); i++) /* the NUL is hashed too: it keeps the parts apart */
		for (k = 0; k <= strlen(parts[i]); k++)
			h = (h ^ (unsigned char)parts[i][k]) * prime;
	return h;
}

void machine_uuid(const char *cluster, const char *node, char buf[static MACHINE_UUID_LEN])
{
	unsigned __int128 h = hash(cluster, node);
	uint64_t high = (uint64_t)(h >> 64), low = (uint64_t)h;

	/* RFC 9562, version 8: made our own way. */
	high = (high & ~0xf000ULL) | 0x8000;
	low = (low & ~(3ULL << 62)) | (2ULL << 62);
	snprintf(buf, MACHINE_UUID_LEN,
		 "%08" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%04" PRIx64 "-%012" PRIx64, high >> 32,
		 (high >> 16) & 0xffff, high & 0xffff, low >> 48, low & UINT64_C(0xffffffffffff));
}

void machine_name(const struct model *m, const struct model_node *node, struct text *out)
{
	text_addf(out, "%s-%s", m->name, node->name);
}

/* A machine that the file knows by its serial number still needs an address on the wire. */
static struct net_mac mac_of(const struct model *m, const struct model_node *node)
{
	uint64_t h = (uint64_t)hash(m->name, node->name);
	struct net_mac mac = { { 0x52, 0x54, 0x00 } };
	size_t i;

	for (i = 3; i < sizeof(mac.bytes); i++)
		mac.bytes[i] = (uint8_t)(h >> (8 * i));
	return node->has_mac ? node->mac : mac;
}

static void put_metadata(struct text *t, const struct model *m, const char *node, const char *file)
{
	put(t,
	    "  <metadata>\n    <rackseed:machine xmlns:rackseed='" MACHINE_NAMESPACE "' cluster='",
	    m->name, "'");
	if (node)
		put(t, " node='", node, "'");
	put(t, " file='", file, "'/>\n  </metadata>\n");
}

static void put_firmware(struct text *t, const struct machine *machine)
{
	if (machine->node->serial)
		put(t, "  <sysinfo type='smbios'>\n    <system>\n      <entry name='serial'>",
		    machine->node->serial, "</entry>\n    </system>\n  </sysinfo>\n");
	text_add(t, "  <os firmware='efi'>\n"
		    "    <type arch='x86_64' machine='q35'>hvm</type>\n"
		    "    <firmware>\n"
		    "      <feature enabled='no' name='enrolled-keys'/>\n"
		    "      <feature enabled='no' name='secure-boot'/>\n"
		    "    </firmware>\n"
		    "    <boot dev='hd'/>\n");
	if (machine->node->serial)
		text_add(t, "    <smbios mode='sysinfo'/>\n");
	text_add(t, "  </os>\n");
}

/* Under TCG a plain old model: with 'max' QEMU emulates features that guests then trip over. */
static void put_cpu(struct text *t, enum model_accel accel)
{
	text_add(t, "  <features>\n    <acpi/>\n    <apic/>\n  </features>\n");
	if (accel == MODEL_ACCEL_KVM)
		text_add(t, "  <cpu mode='host-passthrough' check='none'/>\n");
	else
		text_add(t, "  <cpu mode='custom' match='exact' check='none'>\n"
			    "    <model fallback='forbid'>Nehalem</model>\n"
			    "  </cpu>\n");
	/* A guest that falls back to HPET leaves for the host at each look at the time. */
	text_add(t, "  <clock offset='utc'>\n"
		    "    <timer name='hpet' present='no'/>\n"
		    "  </clock>\n"
		    "  <on_poweroff>destroy</on_poweroff>\n"
		    "  <on_reboot>restart</on_reboot>\n"
		    "  <on_crash>restart</on_crash>\n");
}

/* writeback keeps the guest's flushes, so a plug pulled from it loses what a real disk loses. */
static void put_disk(struct text *t, const char *file, const char *format, const char *device)
{
	put(t, "    <disk type='file' device='disk'>\n      <driver name='qemu' type='", format,
	    "' cache='writeback' discard='unmap'/>\n");
	put(t, "      <source file='", file, "'/>\n");
	put(t, "      <target dev='", device, "' bus='virtio'/>\n");
}

/* The node finds it by its serial number. */
static void put_data(struct text *t, const struct machine *machine)
{
	const char *named = machine->node->data.serial;
	char serial[MODEL_DATA_SERIAL_LEN];

	model_data_serial(machine->node->name, serial);
	put_disk(t, machine->data, "qcow2", "vdb");
	put(t, "      <serial>", named ? named : serial, "</serial>\n");
	text_add(t, "    </disk>\n");
}

static void put_bridge(struct text *t, const struct model *m)
{
	char uuid[MACHINE_UUID_LEN];

	if (strlen(m->name) <= 12) {
		put(t, "  <bridge name='rs-", m->name, "' stp='off' delay='0'/>\n");
	} else { /* an interface's name has 15 characters */
		machine_uuid(m->name, "", uuid);
		text_addf(t, "  <bridge name='rs-%s' stp='off' delay='0'/>\n", uuid + 24);
	}
}

static void put_interface(struct text *t, const struct machine *machine)
{
	struct net_mac mac = mac_of(machine->model, machine->node);
	const char *bridge = machine->model->vm.bridge;
	char buf[NET_MAC_LEN];

	text_addf(t, "    <interface type='%s'>\n      <mac address='%s'/>\n",
		  bridge ? "bridge" : "network", net_mac_text(&mac, buf));
	if (bridge)
		put(t, "      <source bridge='", bridge, "'/>\n");
	else
		put(t, "      <source network='", machine->model->name, "'/>\n");
	text_add(t, "      <model type='virtio'/>\n    </interface>\n");
}

static void put_devices(struct text *t, const struct machine *machine)
{
	text_add(t, "  <devices>\n");
	put_disk(t, machine->disk, machine->format, "vda");
	text_add(t, "    </disk>\n");
	if (machine->data)
		put_data(t, machine);
	text_add(t, "    <controller type='usb' model='none'/>\n");
	put_interface(t, machine);
	put(t, "    <serial type='pty'>\n      <log file='", machine->log, "' append='on'/>\n");
	text_add(t, "      <target type='isa-serial' port='0'/>\n"
		    "    </serial>\n"
		    "    <console type='pty'>\n"
		    "      <target type='serial' port='0'/>\n"
		    "    </console>\n"
		    "    <video>\n"
		    "      <model type='none'/>\n"
		    "    </video>\n"
		    "    <memballoon model='none'/>\n"
		    "    <rng model='virtio'>\n"
		    "      <backend model='random'>/dev/urandom</backend>\n"
		    "    </rng>\n"
		    "  </devices>\n");
}

void machine_render(const struct machine *machine, struct text *out)
{
	const struct model_node *node = machine->node;
	char uuid[MACHINE_UUID_LEN];

	machine_uuid(machine->model->name, node->name, uuid);
	text_addf(out, "<domain type='%s'>\n  <name>",
		  machine->accel == MODEL_ACCEL_KVM ? "kvm" : "qemu");
	machine_name(machine->model, node, out);
	text_addf(out, "</name>\n  <uuid>%s</uuid>\n", uuid);
	text_addf(out, "  <title>node %s of cluster %s</title>\n", node->name,
		  machine->model->name);
	put_metadata(out, machine->model, node->name, machine->file);
	text_addf(out, "  <memory unit='KiB'>%" PRIu64 "</memory>\n", node->vm.memory_bytes / 1024);
	text_addf(out, "  <vcpu>%u</vcpu>\n", node->vm.cpus);
	put_firmware(out, machine);
	put_cpu(out, machine->accel);
	put_devices(out, machine);
	text_add(out, "</domain>\n");
}

void machine_network_render(const struct model *m, const char *file, struct text *out)
{
	const struct net_ip *gateway = &m->network.gateway;
	char uuid[MACHINE_UUID_LEN], ip[NET_IP_LEN];

	machine_uuid(m->name, "", uuid);
	put(out, "<network>\n  <name>", m->name, "</name>\n");
	text_addf(out, "  <uuid>%s</uuid>\n", uuid);
	put_metadata(out, m, NULL, file);
	put_bridge(out, m);
	text_add(out, "  <dns enable='no'/>\n");
	if (gateway->family && net_cidr_contains(&m->network.subnet, gateway))
		text_addf(out, "  <ip family='%s' address='%s' prefix='%u'/>\n",
			  gateway->family == AF_INET ? "ipv4" : "ipv6", net_ip_text(gateway, ip),
			  m->network.subnet.prefix);
	text_add(out, "</network>\n");
}
