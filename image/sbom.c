/* SPDX-License-Identifier: MIT */
#include "image/sbom.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/quote.h"
#include "base/text.h"
#include "image/digest.h"

#ifndef RACKSEED_VERSION
#define RACKSEED_VERSION "0"
#endif

enum { NAME, VERSION, ARCHITECTURE, SOURCE, SOURCE_VERSION, N_FIELDS };

/* The fields of one line, each with an end of its own. */
struct line {
	struct text fields[N_FIELDS];
};

static void line_done(struct line *l)
{
	size_t i;

	for (i = 0; i < N_FIELDS; i++)
		text_done(&l->fields[i]);
}

static const char *field(const struct line *l, size_t i)
{
	return text_str(&l->fields[i]);
}

static int split(const char *at, size_t len, struct line *ret)
{
	size_t i;

	for (i = 0; i < N_FIELDS; i++) {
		const char *end = memchr(at, '\t', len);
		size_t n = end ? (size_t)(end - at) : len;

		if (n == 0 || !end != (i + 1 == N_FIELDS))
			return -EBADMSG;
		text_add_n(&ret->fields[i], at, n);
		at += n + !!end;
		len -= n + !!end;
	}
	return 0;
}

static void member(struct text *out, const char *key, const char *value)
{
	text_addf(out, ", \"%s\": ", key);
	quote_json(out, value);
}

/* As the package URL specification wants it: what is not unreserved is a percent sign and hex. */
static void add_escaped(const char *s, struct text *out)
{
	for (; *s; s++)
		text_addf(out, isalnum((unsigned char)*s) || strchr(".-_~", *s) ? "%c" : "%%%02X",
			  (unsigned char)*s);
}

static void add_url(const struct sbom *b, const struct line *l, struct text *out)
{
	text_addf(out, "pkg:deb/%s/", b->distribution);
	add_escaped(field(l, NAME), out);
	text_add(out, "@");
	add_escaped(field(l, VERSION), out);
	text_add(out, "?arch=");
	add_escaped(field(l, ARCHITECTURE), out);
	text_add(out, "&distro=");
	add_escaped(b->release, out);
}

static int add_package(const struct sbom *b, const char *at, size_t len, unsigned number,
		       struct text *out)
{
	scoped(line_done) struct line l = { 0 };
	scoped(text_done) struct text url = { 0 };
	scoped(text_done) struct text source = { 0 };

	if (split(at, len, &l) < 0)
		return -EBADMSG;
	add_url(b, &l, &url);
	text_addf(&source, "built from the source package %s %s", field(&l, SOURCE),
		  field(&l, SOURCE_VERSION));
	text_addf(out, ",\n  {\"SPDXID\": \"SPDXRef-Package-%u\"", number);
	member(out, "name", field(&l, NAME));
	member(out, "versionInfo", field(&l, VERSION));
	member(out, "sourceInfo", text_str(&source));
	text_add(out, ", \"downloadLocation\": \"NOASSERTION\", \"filesAnalyzed\": false,\n"
		      "   \"externalRefs\": [{\"referenceCategory\": \"PACKAGE-MANAGER\", "
		      "\"referenceType\": \"purl\", \"referenceLocator\": ");
	quote_json(out, text_str(&url));
	text_add(out, "}]}");
	return 0;
}

static int add_image(const struct sbom *b, const char *at, size_t len, unsigned number,
		     struct text *out)
{
	scoped(text_done) struct text reference = { 0 };
	const char *space = memchr(at, ' ', len);

	(void)b;
	if (!space || space == at + len - 1)
		return -EBADMSG;
	text_add_n(&reference, space + 1, len - (size_t)(space + 1 - at));
	text_addf(out, ",\n  {\"SPDXID\": \"SPDXRef-Container-%u\"", number);
	member(out, "name", text_str(&reference));
	text_add(out, ", \"primaryPackagePurpose\": \"CONTAINER\", "
		      "\"downloadLocation\": \"NOASSERTION\", \"filesAnalyzed\": false}");
	return 0;
}

typedef int add_line(const struct sbom *b, const char *at, size_t len, unsigned number,
		     struct text *out);

static int add_lines(const struct sbom *b, const char *at, add_line *add, struct text *out,
		     unsigned *ret_n)
{
	int r = 0;

	for (; r == 0 && *at; at += strcspn(at, "\n"), at += *at == '\n')
		r = add(b, at, strcspn(at, "\n"), ++*ret_n, out);
	return r;
}

static int add_head(const struct sbom *b, struct text *out, struct fault *why)
{
	time_t epoch = (time_t)b->epoch;
	char id[DIGEST_UUID_LEN], when[32] = "";
	struct tm tm;
	int r = digest_uuid(b->key, "sbom", id, why);

	if (r < 0)
		return r;
	if (gmtime_r(&epoch, &tm))
		strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	text_add(out, "{\"spdxVersion\": \"SPDX-2.3\", \"dataLicense\": \"CC0-1.0\", "
		      "\"SPDXID\": \"SPDXRef-DOCUMENT\"");
	member(out, "name", b->name);
	text_addf(out, ",\n \"documentNamespace\": \"urn:uuid:%s\"", id);
	text_addf(out, ",\n \"creationInfo\": {\"created\": \"%s\", \"creators\": ", when);
	text_add(out, "[\"Tool: rackseed-" RACKSEED_VERSION "\"]}");
	text_add(out, ",\n \"packages\": [\n  {\"SPDXID\": \"SPDXRef-Image\"");
	member(out, "name", b->name);
	text_add(out, ", \"primaryPackagePurpose\": \"OPERATING-SYSTEM\", "
		      "\"downloadLocation\": \"NOASSERTION\", \"filesAnalyzed\": false}");
	return 0;
}

static void relate(const char *kind, unsigned n, struct text *out)
{
	unsigned i;

	for (i = 1; i <= n; i++)
		text_addf(out,
			  ",\n  {\"spdxElementId\": \"SPDXRef-Image\", "
			  "\"relationshipType\": \"CONTAINS\", "
			  "\"relatedSpdxElement\": \"SPDXRef-%s-%u\"}",
			  kind, i);
}

int sbom_render(const struct sbom *b, struct text *out, struct fault *why)
{
	unsigned n_packages = 0, n_images = 0;
	int r = add_head(b, out, why);

	if (r < 0)
		return r;
	if (add_lines(b, b->packages, add_package, out, &n_packages) < 0 || n_packages == 0)
		return fault_set(why, EBADMSG, "dpkg-query: unexpected list of packages");
	if (add_lines(b, b->images, add_image, out, &n_images) < 0)
		return fault_set(why, EBADMSG, "unexpected list of container images");
	text_add(out, "\n ],\n \"relationships\": [\n"
		      "  {\"spdxElementId\": \"SPDXRef-DOCUMENT\", "
		      "\"relationshipType\": \"DESCRIBES\", "
		      "\"relatedSpdxElement\": \"SPDXRef-Image\"}");
	relate("Package", n_packages, out);
	relate("Container", n_images, out);
	text_add(out, "\n ]}\n");
	return text_error(out) < 0 ? fault_errno(why, ENOMEM, "SBOM") : 0;
}
