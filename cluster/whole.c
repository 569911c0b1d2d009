/* SPDX-License-Identifier: MIT */
#include "cluster/whole.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "base/yaml.h"

bool whole_pem(const char *pem)
{
	static const char begin[] = "-----BEGIN ", end[] = "-----END ";
	const char *at = strstr(pem, end);

	at = at ? strstr(at + strlen(end), "-----") : NULL;
	return at && strcmp(at, "-----\n") == 0 && strncmp(pem, begin, strlen(begin)) == 0;
}

static size_t n_items(const struct yaml *list)
{
	return list && list->kind == YAML_SEQUENCE ? list->n_items : 0;
}

static bool has_volume(const struct yaml *volumes, const char *name)
{
	size_t i;

	for (i = 0; name && i < n_items(volumes); i++) {
		const char *is = yaml_text(yaml_get(&volumes->items[i], "name"));

		if (is && strcmp(is, name) == 0)
			return true;
	}
	return false;
}

static bool is_whole_pod(const struct yaml *pod)
{
	const struct yaml *spec = yaml_get(pod, "spec");
	const struct yaml *containers = yaml_get(spec, "containers");
	const struct yaml *volumes = yaml_get(spec, "volumes");
	size_t i, k;

	for (i = 0; i < n_items(containers); i++) {
		const struct yaml *mounts = yaml_get(&containers->items[i], "volumeMounts");

		for (k = 0; k < n_items(mounts); k++)
			if (!has_volume(volumes, yaml_text(yaml_get(&mounts->items[k], "name"))))
				return false;
	}
	return n_items(containers) > 0 && n_items(volumes) > 0;
}

/*
 * A PEM block in base64, as a kubeconfig holds it; or none at all. What memory does not suffice to
 * look at is not called broken, or it would be removed.
 */
static bool is_whole_data(const char *base64)
{
	size_t len = base64 ? strlen(base64) : 0;
	unsigned char *pem;
	bool is_whole;

	if (!base64)
		return true;
	if (len % 4 != 0)
		return false;
	pem = calloc(1, len + 1);
	if (!pem)
		return true;
	is_whole = EVP_DecodeBlock(pem, (const unsigned char *)base64, (int)len) >= 0 &&
		   whole_pem((const char *)pem);
	OPENSSL_clear_free(pem, len + 1);
	return is_whole;
}

static bool is_whole_user(const struct yaml *user)
{
	const char *crt = yaml_text(yaml_get(user, "client-certificate-data"));
	const char *key = yaml_text(yaml_get(user, "client-key-data"));
	size_t i;

	if (!user || user->kind != YAML_MAPPING)
		return false;
	for (i = 0; i < user->n_items; i++)
		if (user->items[i].kind == YAML_NULL)
			return false;
	return !crt == !key && is_whole_data(crt) && is_whole_data(key);
}

static bool is_whole_config(const struct yaml *config)
{
	const struct yaml *users = yaml_get(config, "users");
	size_t i;

	for (i = 0; i < n_items(users); i++)
		if (!is_whole_user(yaml_get(&users->items[i], "user")))
			return false;
	return users && users->kind == YAML_SEQUENCE;
}

bool whole_object(const char *bytes, size_t len, const char *kind)
{
	static const struct {
		const char *kind;
		bool (*is_whole)(const struct yaml *);
	} kinds[] = { { "Pod", is_whole_pod }, { "Config", is_whole_config } };
	scoped(yaml_done) struct yaml tree = { 0 };
	struct yaml_error error = { 0 };
	const char *is;
	size_t i;
	int r = len == 0 ? -EBADMSG : yaml_parse(bytes, len, &tree, &error);

	if (r == -ENOMEM)
		return true;
	if (r < 0 || tree.kind != YAML_MAPPING)
		return false;
	is = yaml_text(yaml_get(&tree, "kind"));
	if (kind[0] && (!is || strcmp(is, kind) != 0))
		return false;
	for (i = 0; i < COUNT(kinds); i++)
		if (strcmp(kind, kinds[i].kind) == 0)
			return kinds[i].is_whole(&tree);
	return true;
}
