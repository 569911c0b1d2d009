/* SPDX-License-Identifier: MIT */
#include "cluster/machine.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/model.h"

DEFINE_DROP(dir, DIR *, closedir)

enum { ATTRIBUTE_MAX = 4096 };

/* Links that are made of others and borrow their MAC. */
static const char *const borrowed[] = { "DEVTYPE=bond\n", "DEVTYPE=bridge\n", "DEVTYPE=vlan\n" };

/* One attribute of a link, without the newline; "" when it is not there. */
static void read_attribute(int root, const char *link, const char *name, struct text *out)
{
	struct fault ignored = { 0 };
	scoped(text_done) struct text path = { 0 };

	text_addf(&path, "sys/class/net/%s/%s", link, name);
	if (text_error(&path) == 0 &&
	    fs_read(root, text_str(&path), ATTRIBUTE_MAX, out, &ignored) < 0)
		text_done(out);
}

static void chop(char *s)
{
	size_t n = strlen(s);

	while (n > 0 && isspace((unsigned char)s[n - 1]))
		s[--n] = '\0';
}

static bool is_zero(const struct net_mac *mac)
{
	return net_mac_equal(mac, &(struct net_mac){ 0 });
}

/* What was burnt into the card; false for links that have no such thing. */
static bool permanent_mac(const char *name, struct net_mac *ret_mac)
{
	scoped(drop_fd) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	union {
		struct ethtool_perm_addr header;
		unsigned char bytes[sizeof(struct ethtool_perm_addr) + 32];
	} request = { .header = { .cmd = ETHTOOL_GPERMADDR, .size = 32 } };
	struct ifreq ifr = { .ifr_data = (void *)&request };

	if (fd < 0)
		return false;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%.*s", IFNAMSIZ - 1, name);
	if (ioctl(fd, SIOCETHTOOL, &ifr) < 0 || request.header.size != sizeof(ret_mac->bytes))
		return false;
	memcpy(ret_mac->bytes, request.bytes + sizeof(request.header), sizeof(ret_mac->bytes));
	return !is_zero(ret_mac);
}

static bool present_mac(int root, const char *name, struct net_mac *ret_mac)
{
	scoped(text_done) struct text uevent = { 0 };
	scoped(text_done) struct text address = { 0 };
	size_t i;

	read_attribute(root, name, "uevent", &uevent);
	for (i = 0; i < COUNT(borrowed); i++)
		if (strstr(text_str(&uevent), borrowed[i]))
			return false;
	read_attribute(root, name, "address", &address);
	if (address.len == 0)
		return false;
	chop(address.data);
	return net_mac_parse(address.data, ret_mac) == 0 && !is_zero(ret_mac);
}

static void read_link(int root, bool live, const char *name, struct machine *machine)
{
	struct machine_link *link = &machine->links[machine->n_links];
	scoped(text_done) struct text type = { 0 };

	read_attribute(root, name, "type", &type);
	if (strcmp(text_str(&type), "1\n") != 0) /* ARPHRD_ETHER */
		return;
	if ((live && permanent_mac(name, &link->mac)) || present_mac(root, name, &link->mac)) {
		snprintf(link->name, sizeof(link->name), "%.*s", (int)sizeof(link->name) - 1, name);
		machine->n_links++;
	}
}

int machine_read(int root, bool live, struct machine *ret, struct fault *why)
{
	scoped(text_done) struct text serial = { 0 };
	struct fault ignored = { 0 };
	scoped(drop_dir) DIR *dir = NULL;
	struct dirent *entry;
	int fd = openat(root, "sys/class/net", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	*ret = (struct machine){ 0 };
	dir = fd < 0 ? NULL : fdopendir(fd);
	if (!dir)
		return fault_errno(why, errno, "/sys/class/net");
	while ((entry = readdir(dir)) && ret->n_links < MACHINE_MAX_LINKS)
		if (entry->d_name[0] != '.' && strlen(entry->d_name) < sizeof(ret->links->name))
			read_link(root, live, entry->d_name, ret);
	/* Many machines have none, and then it is no fault. */
	if (fs_read(root, "sys/class/dmi/id/product_serial", ATTRIBUTE_MAX, &serial, &ignored) == 0)
		snprintf(ret->serial, sizeof(ret->serial), "%s", text_str(&serial));
	chop(ret->serial);
	return 0;
}

static bool has_mac(const struct machine *machine, const struct net_mac *mac)
{
	size_t i;

	for (i = 0; i < machine->n_links; i++)
		if (net_mac_equal(&machine->links[i].mac, mac))
			return true;
	return false;
}

enum machine_verdict machine_judge(const struct machine *machine, const struct model_node *node)
{
	if (!node->has_mac && !node->serial)
		return MACHINE_UNNAMED;
	if (node->serial && strcasecmp(node->serial, machine->serial) != 0)
		return MACHINE_OTHER_SERIAL;
	if (node->has_mac && !has_mac(machine, &node->mac))
		return MACHINE_LACKS_MAC;
	return MACHINE_IS_IT;
}

const struct model_node *machine_find(const struct machine *machine, const struct model *m)
{
	size_t i;

	for (i = 0; i < m->n_nodes; i++)
		if (machine_judge(machine, &m->nodes[i]) == MACHINE_IS_IT)
			return &m->nodes[i];
	return NULL;
}

void machine_print_links(const struct machine *machine, struct text *out)
{
	char mac[NET_MAC_LEN];
	size_t i;

	if (machine->n_links == 0)
		text_add(out, "no network link");
	for (i = 0; i < machine->n_links; i++)
		text_addf(out, "%s%s %s", i ? ", " : "", machine->links[i].name,
			  net_mac_text(&machine->links[i].mac, mac));
}

static const char *const refusals[MACHINE_N_VERDICTS] = {
	[MACHINE_IS_IT] = "",
	[MACHINE_LACKS_MAC] = "no link of this machine bears that MAC",
	[MACHINE_OTHER_SERIAL] = "this machine has another serial number",
	[MACHINE_UNNAMED] = "the file gives neither mac nor serial for the node",
};

void machine_print_refusal(const struct machine *machine, enum machine_verdict verdict,
			   const struct model *m, const struct model_node *node, struct text *out)
{
	char mac[NET_MAC_LEN], address[NET_IP_LEN];

	text_add(out, "*** rackseed: THIS IS NOT THE MACHINE OF THIS DISK ***\n");
	text_addf(out, "disk of:      node '%s' (%s) of cluster '%s'\n", node->name,
		  net_ip_text(&node->address, address), m->name);
	text_addf(out, "made for:     %s%s%s%s%s\n", node->has_mac ? "MAC " : "",
		  node->has_mac ? net_mac_text(&node->mac, mac) : "",
		  node->has_mac && node->serial ? ", " : "", node->serial ? "serial " : "",
		  node->serial ? node->serial : "");
	text_add(out, "this machine: ");
	machine_print_links(machine, out);
	text_addf(out, ", serial '%s'\n", machine->serial);
	text_addf(out, "reason:       %s\n", refusals[verdict]);
	text_add(out, "The network stays down and nothing was changed on this disk.\n");
	text_addf(out,
		  "Put the disk into its machine; or, if this is the machine, correct mac: or "
		  "serial:\nof node '%s' in cluster.yaml and build its disk again: rackseed build "
		  "%s\n",
		  node->name, node->name);
}
