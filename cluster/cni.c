/* SPDX-License-Identifier: MIT */
#include <sys/socket.h>

#include "base/text.h"
#include "cluster/plan_parts.h"

void cni_conflist(const struct net_cidr *pods, struct text *out)
{
	struct net_cidr part = { net_cidr_first(pods), pods->prefix };
	char cidr[NET_CIDR_LEN];

	text_add(out, "{\n"
		      "  \"cniVersion\": \"0.4.0\",\n"
		      "  \"name\": \"rackseed\",\n"
		      "  \"plugins\": [\n"
		      "    {\n"
		      "      \"type\": \"bridge\",\n"
		      "      \"bridge\": \"cni0\",\n"
		      "      \"isGateway\": true,\n"
		      "      \"ipMasq\": false,\n"
		      "      \"hairpinMode\": true,\n"
		      "      \"ipam\": {\n"
		      "        \"type\": \"host-local\",\n");
	/* No pod outlives a boot: nor need the list of their addresses, which a power cut may
	 * spoil. */
	text_add(out, "        \"dataDir\": \"/run/cni/networks\",\n");
	text_addf(out, "        \"ranges\": [[{\"subnet\": \"%s\"}]],\n",
		  net_cidr_text(&part, cidr));
	text_addf(out, "        \"routes\": [{\"dst\": \"%s\"}]\n",
		  part.ip.family == AF_INET6 ? "::/0" : "0.0.0.0/0");
	text_add(out, "      }\n"
		      "    },\n"
		      "    {\n"
		      "      \"type\": \"portmap\",\n"
		      "      \"capabilities\": {\"portMappings\": true}\n"
		      "    }\n"
		      "  ]\n"
		      "}\n");
}
