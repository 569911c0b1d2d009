/* SPDX-License-Identifier: MIT */
#include "image/flash_source.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/run.h"
#include "base/text.h"
#include "base/yaml.h"

enum { TIMEOUT_MS = 120000 };

/* A verb of qemu-img that answers with a JSON array. */
static int ask(const char *const *argv, struct yaml *ret, struct fault *why)
{
	scoped(text_done) struct text out = { 0 };
	struct yaml_error error;
	int r = run(&(struct run){ .argv = argv, .out = &out, .timeout_ms = TIMEOUT_MS }, why);

	if (r < 0)
		return r;
	r = yaml_parse(text_str(&out), out.len, ret, &error);
	if (r == -EBADMSG)
		return fault_set(why, EBADMSG, "qemu-img: %s", error.message);
	if (r < 0)
		return fault_errno(why, r, "qemu-img");
	if (ret->kind != YAML_SEQUENCE || ret->n_items == 0) {
		yaml_done(ret);
		return fault_set(why, EBADMSG, "qemu-img gave no list");
	}
	return 0;
}

static bool number(const struct yaml *row, const char *key, uint64_t *ret)
{
	const char *s = yaml_text(yaml_get(row, key));
	char *end;

	if (!s || *s < '0' || *s > '9')
		return false;
	errno = 0;
	*ret = strtoull(s, &end, 10);
	return *end == '\0' && errno == 0;
}

static bool is_true(const struct yaml *row, const char *key)
{
	const char *s = yaml_text(yaml_get(row, key));

	return s && strcmp(s, "true") == 0;
}

/* Opens the files of the chain in order: depth 0 is the image itself, which is open already. */
static int open_chain(const struct yaml *chain, struct flash_source *s, struct fault *why)
{
	size_t i;

	if (chain->n_items > FLASH_MAX_FILES)
		return fault_set(why, E2BIG, "it stands on more than %d other files",
				 FLASH_MAX_FILES - 1);
	if (!number(&chain->items[0], "virtual-size", &s->size))
		return fault_set(why, EBADMSG, "qemu-img did not tell its size");
	for (i = 1; i < chain->n_items; i++) {
		const char *name = yaml_text(yaml_get(&chain->items[i], "filename"));
		int fd = name ? open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;

		if (fd < 0)
			return fault_errno(why, name ? errno : EBADMSG, "backing file '%s'",
					   name ? name : "");
		s->fds[s->n_fds++] = fd;
	}
	return 0;
}

static int add_row(const struct yaml *row, struct flash_source *s, struct fault *why)
{
	struct flash_extent e = { 0 };
	uint64_t depth;

	if (!number(row, "start", &e.start) || !number(row, "length", &e.length) ||
	    !number(row, "depth", &depth) || depth >= s->n_fds || e.length > s->size ||
	    e.start > s->size - e.length)
		return fault_set(why, EBADMSG, "qemu-img's map is not understood");
	if (!is_true(row, "data") || is_true(row, "zero") || e.length == 0)
		return 0;
	if (!number(row, "offset", &e.offset) || is_true(row, "compressed"))
		return fault_set(why, ENOTSUP,
				 "it is compressed or encrypted: make it plain with qemu-img "
				 "convert -O qcow2 and give that with --image");
	e.fd = s->fds[depth];
	return flash_source_add(s, &e, why);
}

int flash_source_open_qcow(const char *path, struct flash_source *s, struct fault *why)
{
	/* "file:" keeps a name with a colon from being taken for a protocol. */
	scoped(text_done) struct text name = { 0 };
	scoped(yaml_done) struct yaml chain = { 0 };
	scoped(yaml_done) struct yaml map = { 0 };
	size_t i;
	int r;

	text_addf(&name, "file:%s", path);
	if (text_error(&name) < 0)
		return fault_errno(why, ENOMEM, "qcow2");
	r = ask((const char *[]){ "qemu-img", "info", "-f", "qcow2", "--backing-chain",
				  "--output=json", text_str(&name), NULL },
		&chain, why);
	if (r == 0)
		r = open_chain(&chain, s, why);
	if (r == 0)
		r = ask((const char *[]){ "qemu-img", "map", "-f", "qcow2", "--output=json",
					  text_str(&name), NULL },
			&map, why);
	for (i = 0; r == 0 && i < map.n_items; i++)
		r = add_row(&map.items[i], s, why);
	return r;
}
