/* SPDX-License-Identifier: MIT */
#include "firstboot/visitor.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

#include "base/macros.h"

enum { ORGANIZATIONS_MAX = 16 };

DEFINE_DROP(crt, gnutls_x509_crt_t, gnutls_x509_crt_deinit)

/* Kubernetes' own groups of who may see everything, and of its kubelets. */
static const struct {
	const char *name;
	enum visitor visitor;
} groups[] = {
	{ "system:masters", VISITOR_ADMINISTRATOR },
	{ "system:nodes", VISITOR_NODE },
};

static bool is_good(gnutls_session_t session)
{
	gnutls_typed_vdata_st purpose = {
		.type = GNUTLS_DT_KEY_PURPOSE_OID,
		.data = (unsigned char *)GNUTLS_KP_TLS_WWW_CLIENT,
	};
	unsigned status = 1;

	return gnutls_certificate_type_get(session) == GNUTLS_CRT_X509 &&
	       gnutls_certificate_verify_peers(session, &purpose, 1, &status) == 0 && status == 0;
}

/* The most that one of its groups makes of it. */
static enum visitor look_up(gnutls_x509_crt_t crt)
{
	enum visitor found = VISITOR_STRANGER;
	char name[256];
	unsigned i;
	size_t k, size;

	for (i = 0; i < ORGANIZATIONS_MAX; i++) {
		size = sizeof(name);
		if (gnutls_x509_crt_get_dn_by_oid(crt, GNUTLS_OID_X520_ORGANIZATION_NAME, i, 0,
						  name, &size) < 0)
			break;
		for (k = 0; k < COUNT(groups); k++)
			if (size == strlen(groups[k].name) &&
			    memcmp(name, groups[k].name, size) == 0 && groups[k].visitor > found)
				found = groups[k].visitor;
	}
	return found;
}

enum visitor visitor_judge(void *session)
{
	scoped(drop_crt) gnutls_x509_crt_t crt = NULL;
	const gnutls_datum_t *list;
	unsigned n = 0;

	if (!session || !is_good(session))
		return VISITOR_UNKNOWN;
	list = gnutls_certificate_get_peers(session, &n);
	if (!list || n == 0 || gnutls_x509_crt_init(&crt) < 0 ||
	    gnutls_x509_crt_import(crt, &list[0], GNUTLS_X509_FMT_DER) < 0)
		return VISITOR_UNKNOWN;
	return look_up(crt);
}
