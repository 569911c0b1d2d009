/* SPDX-License-Identifier: MIT */
/* endpoint_serve ADDRESS PORT CRT KEY CA JSON: the status endpoint of a node that says what is in
 * JSON. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/fs.h"
#include "base/text.h"
#include "firstboot/endpoint.h"

static bool describe(void *data, struct text *out)
{
	struct fault why = { 0 };

	if (fs_read(AT_FDCWD, data, 1 << 20, out, &why) < 0)
		text_add(out, "{}");
	return true;
}

/* JSON.audit beside it, where it is there. */
static bool describe_audit(void *data, struct text *out)
{
	struct fault why = { 0 };
	char path[4096];

	snprintf(path, sizeof(path), "%s.audit", (const char *)data);
	if (fs_read(AT_FDCWD, path, 1 << 20, out, &why) == 0)
		return true;
	text_add(out, "not judged yet");
	return false;
}

int main(int argc, char **argv)
{
	static const struct endpoint_page pages[] = {
		{ "/v1/status", true, describe },
		{ "/v1/audit", false, describe_audit },
	};
	struct endpoint_options options = { .pages = pages, .n_pages = 2 };
	struct text pem[3] = { { 0 } };
	struct endpoint *endpoint = NULL;
	struct fault why = { 0 };
	int i;

	if (argc != 7)
		return 2;
	for (i = 0; i < 3; i++)
		if (fs_read(AT_FDCWD, argv[3 + i], 1 << 20, &pem[i], &why) < 0) {
			fprintf(stderr, "%s\n", why.text);
			return 1;
		}
	options.address = argv[1];
	options.port = (unsigned)strtoul(argv[2], NULL, 10);
	options.crt = text_str(&pem[0]);
	options.key = text_str(&pem[1]);
	options.ca = text_str(&pem[2]);
	options.data = argv[6];
	if (endpoint_start(&options, &endpoint, &why) < 0) {
		fprintf(stderr, "%s\n", why.text);
		return 1;
	}
	for (;;)
		pause();
}
