/* SPDX-License-Identifier: MIT */
#include "cluster/depot_page.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/yaml.h"

static int add(struct depot_names *names, const char *name)
{
	size_t size = names->size ? 2 * names->size : 32;
	char **list = names->list;

	if (names->n == names->size) {
		list = reallocarray(names->list, size, sizeof(*list));
		if (!list)
			return -ENOMEM;
		names->list = list;
		names->size = size;
	}
	list[names->n] = strdup(name);
	return list[names->n] ? (void)names->n++, 0 : -ENOMEM;
}

void depot_names_done(struct depot_names *names)
{
	size_t i;

	for (i = 0; i < names->n; i++)
		free(names->list[i]);
	free(names->list);
	*names = (struct depot_names){ 0 };
}

int depot_page_names(const char *json, size_t len, const char *key, struct depot_names *names,
		     struct fault *why)
{
	scoped(yaml_done) struct yaml tree = { 0 };
	struct yaml_error error = { 0 };
	const struct yaml *list;
	size_t i;
	int r = yaml_parse(json, len, &tree, &error);

	if (r == -ENOMEM)
		return fault_errno(why, ENOMEM, "registry");
	if (r < 0)
		return fault_set(why, EPROTO, "the answer is not JSON: %s", error.message);
	list = yaml_get(&tree, key);
	if (tree.kind != YAML_MAPPING || !list)
		return fault_set(why, EPROTO, "the answer has no '%s'", key);
	/* A repository whose tags were all deleted has null. */
	for (i = 0; list->kind == YAML_SEQUENCE && i < list->n_items && r == 0; i++)
		if (yaml_text(&list->items[i]))
			r = add(names, yaml_text(&list->items[i]));
	return r < 0 ? fault_errno(why, r, "list of '%s'", key) : 0;
}

/* The value of the first header with the name, up to its line's end; NULL. */
static const char *header(const char *head, const char *name, size_t *ret_len)
{
	size_t n = strlen(name);
	const char *value;

	for (; *head; head += strcspn(head, "\n"), head += *head == '\n') {
		if (strncasecmp(head, name, n) != 0 || head[n] != ':')
			continue;
		value = head + n + 1;
		value += strspn(value, " \t");
		*ret_len = strcspn(value, "\r\n");
		return value;
	}
	return NULL;
}

bool depot_page_next(const char *head, struct text *path)
{
	size_t len = 0;
	const char *link = header(head, "Link", &len);
	const char *end = link ? memchr(link, '>', len) : NULL;

	if (!end || link[0] != '<' || link[1] != '/' || link[2] == '/' ||
	    !memmem(end, len - (size_t)(end - link), "next", 4))
		return false;
	text_add_n(path, link + 1, (size_t)(end - link) - 1);
	return true;
}

bool depot_page_location(const char *head, struct text *path)
{
	size_t len = 0, n = 0;
	const char *place = header(head, "Location", &len);

	if (!place)
		return false;
	if (strncasecmp(place, "https://", 8) == 0 || strncasecmp(place, "http://", 7) == 0)
		n = (size_t)(strchr(place, '/') - place) + 2;
	while (n > 0 && n < len && place[n] != '/')
		n++;
	if (len - n < 2 || place[n] != '/' || place[n + 1] == '/')
		return false;
	text_add_n(path, place + n, len - n);
	return true;
}

bool depot_page_wants_token(const char *head)
{
	size_t len = 0;
	const char *challenge = header(head, "WWW-Authenticate", &len);

	return challenge && len >= 7 && strncasecmp(challenge, "Bearer ", 7) == 0;
}
