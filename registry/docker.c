/* SPDX-License-Identifier: MIT */
#include "registry/registry.h"

#include <string.h>

#include "base/quote.h"
#include "base/text.h"

/* The key under which docker.io's credentials are looked for is older than its name. */
static const char *key_of(const char *host)
{
	return strcmp(host, "docker.io") == 0 ? "https://index.docker.io/v1/" : host;
}

void registry_docker_config(const struct registry_auth *auths, size_t n, struct text *out)
{
	size_t i;

	text_add(out, "{\"auths\":{");
	for (i = 0; i < n; i++) {
		text_add(out, i ? "," : "");
		quote_json(out, key_of(auths[i].host));
		/* Base64, or a template's place for it: nothing that JSON would want escaped. */
		text_addf(out, ":{\"auth\":\"%s\"}", auths[i].basic);
	}
	text_add(out, "}}");
}
