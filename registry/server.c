/* SPDX-License-Identifier: MIT */
#include "registry/server.h"

#include "base/quote.h"
#include "base/text.h"

static const char head[] = "# Written by rackseed from cluster.yaml; changes here do not last.\n";

static void proxy(const struct registry_server *s, struct text *out)
{
	text_add(out, "proxy:\n  remoteurl: ");
	quote_yaml(out, s->upstream);
	text_add(out, "\n");
	if (!s->upstream_user || !s->upstream_password)
		return;
	text_add(out, "  username: ");
	quote_yaml(out, s->upstream_user);
	text_addf(out, "\n  password: %s\n", s->upstream_password);
}

void registry_server_config(const struct registry_server *s, struct text *out)
{
	text_add(out, head);
	text_add(out, "version: 0.1\n"
		      "log:\n"
		      "  level: info\n"
		      "  formatter: text\n"
		      "storage:\n"
		      "  filesystem:\n"
		      "    rootdirectory: ");
	quote_yaml(out, s->folder);
	/* No cache of what there is: garbage collection would not be seen by it. */
	text_add(out, "\n  delete:\n    enabled: true\n");
	text_addf(out, "http:\n  addr: \":%u\"\n  draintimeout: 20s\n", s->port);
	if (s->tls)
		text_addf(out,
			  "  tls:\n"
			  "    certificate: " REGISTRY_CREDENTIALS "/tls.crt\n"
			  "    key: " REGISTRY_CREDENTIALS "/tls.key\n"
			  "    minimumtls: tls1.2\n",
			  s->port, s->port);
	text_add(out, "  headers:\n    X-Content-Type-Options: [nosniff]\n");
	if (s->login)
		text_addf(out,
			  "auth:\n"
			  "  htpasswd:\n"
			  "    realm: rackseed\n"
			  "    path: " REGISTRY_CREDENTIALS "/%u.htpasswd\n",
			  s->port, s->port);
	if (s->upstream)
		proxy(s, out);
}
