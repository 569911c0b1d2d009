/* SPDX-License-Identifier: MIT */
#include "registry/registry.h"

#include <string.h>

#include "base/macros.h"
#include "base/quote.h"
#include "base/text.h"

const char *registry_real_host(const char *host)
{
	return strcmp(host, "docker.io") == 0 ? "registry-1.docker.io" : host;
}

static void url(const struct registry_host *h, struct text *out)
{
	scoped(text_done) struct text whole = { 0 };

	text_addf(&whole, "%s://%s%s", h->insecure ? "http" : "https", registry_real_host(h->host),
		  h->path ? h->path : "");
	text_inherit(out, &whole);
	quote_toml(out, text_str(&whole));
}

/* Base64, or a template's place for it: nothing that TOML would want escaped. */
static void login(const struct registry_host *h, struct text *out)
{
	text_add(out, "[host.");
	url(h, out);
	text_addf(out, ".header]\nauthorization = \"Basic %s\"\n", h->basic);
}

static void host_table(const struct registry_host *h, struct text *out)
{
	text_add(out, "\n[host.");
	url(h, out);
	text_add(out, "]\ncapabilities = [\"pull\", \"resolve\"]\n");
	if (h->path)
		text_add(out, "override_path = true\n");
	if (h->ca) {
		text_add(out, "ca = ");
		quote_toml(out, h->ca);
		text_add(out, "\n");
	}
	if (h->client_cert) {
		text_add(out, "client = [[");
		quote_toml(out, h->client_cert);
		text_add(out, ", ");
		quote_toml(out, h->client_key);
		text_add(out, "]]\n");
	}
	if (h->basic)
		login(h, out);
}

void registry_hosts(const struct registry_host *server, const struct registry_host *mirrors,
		    size_t n_mirrors, struct text *out)
{
	size_t i;

	text_add(out, REGISTRY_HOSTS_HEAD);
	if (server) {
		text_add(out, "server = ");
		url(server, out);
		text_add(out, "\n");
	}
	for (i = 0; i < n_mirrors; i++)
		host_table(&mirrors[i], out);
	/*
	 * The server as a table of its own where more than its name has to be said: 1.6 takes no
	 * CA, no certificate, no header and not even http at the top of the file, though its manual
	 * has them there.
	 */
	if (server && (server->ca || server->client_cert || server->basic || server->insecure))
		host_table(server, out);
}
