/* SPDX-License-Identifier: MIT */
#include "cluster/api.h"

#include <errno.h>
#include <string.h>

#include <curl/curl.h>
#include <openssl/x509_vfy.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"

enum { TIMEOUT_MS = 10000, BODY_MAX = 64 << 20 };

DEFINE_DROP(curl, CURL *, curl_easy_cleanup)

static void drop_headers(struct curl_slist **list)
{
	struct curl_slist *h;

	for (h = *list; h; h = h->next) /* one of them is the token */
		explicit_bzero(h->data, strlen(h->data));
	curl_slist_free_all(*list);
}

static const struct method {
	const char *name, *verb, *content_type;
} methods[] = {
	{ "GET", "GET", NULL },
	{ "PUT", "PUT", "Content-Type: application/json" },
	{ "POST", "POST", "Content-Type: application/json" },
	{ "PATCH", "PATCH", "Content-Type: application/apply-patch+yaml" },
	{ "MERGE", "PATCH", "Content-Type: application/merge-patch+json" },
	{ "DELETE", "DELETE", "Content-Type: application/json" },
};

/* What libcurl's verdicts mean here; those that need a closer look have a case in explain(). */
static const struct {
	CURLcode curl;
	int code;
	const char *text;
} verdicts[] = {
	{ CURLE_COULDNT_RESOLVE_HOST, ENXIO, "unknown name" },
	{ CURLE_URL_MALFORMAT, EINVAL, "not the address of a server" },
	{ CURLE_SSL_CACERT_BADFILE, EINVAL, "the CA given is no certificate in PEM" },
	{ CURLE_SSL_CERTPROBLEM, EINVAL, "the client certificate and key given cannot be used" },
	{ CURLE_SSL_CONNECT_ERROR, EPROTO, "no TLS connection" },
	{ CURLE_WEIRD_SERVER_REPLY, EPROTO, "the answer is not HTTP" },
	{ CURLE_UNSUPPORTED_PROTOCOL, EPROTO, "the answer is not HTTP" },
	{ CURLE_GOT_NOTHING, ECONNRESET, "the connection was closed without an answer" },
	{ CURLE_PARTIAL_FILE, ECONNRESET, "the answer broke off in the middle" },
	{ CURLE_RECV_ERROR, ECONNRESET, "the answer broke off" },
	{ CURLE_SEND_ERROR, ECONNRESET, "the connection was closed" },
	{ CURLE_OUT_OF_MEMORY, ENOMEM, "out of memory" },
};

#define FOREIGN "is not from the cluster's CA"
#define FOREIGN_REGISTRY "is of an unknown CA"

static const struct {
	long verdict;
	int code;
	const char *text;
} certificates[] = {
	/* libcurl looks at the names before it asks OpenSSL, and leaves this. */
	{ X509_V_ERR_UNSPECIFIED, EADDRNOTAVAIL, "is for another name or address" },
	{ X509_V_ERR_CERT_HAS_EXPIRED, EKEYEXPIRED, "expired" },
	{ X509_V_ERR_CERT_NOT_YET_VALID, EKEYEXPIRED,
	  "is not valid yet (is the clock right?)" },
	{ X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, EKEYREJECTED, FOREIGN },
	{ X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, EKEYREJECTED, FOREIGN },
	{ X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, EKEYREJECTED, FOREIGN },
	{ X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE, EKEYREJECTED, FOREIGN },
	{ X509_V_ERR_CERT_SIGNATURE_FAILURE, EKEYREJECTED, FOREIGN },
};

struct answer {
	const struct api *api;
	struct text *out;
	struct text *head; /* or NULL */
	size_t len; /* bytes of this answer */
	bool has_head; /* the empty line behind the headers was seen */
};

/* libcurl takes a head that breaks off for a whole one. */
static size_t take_head(char *data, size_t one, size_t n, void *to)
{
	struct answer *answer = to;

	(void)one; /* always 1 */
	if (answer->head)
		text_add_n(answer->head, data, n);
	if (n >= 5 && memcmp(data, "HTTP/", 5) == 0)
		answer->has_head = false; /* another one, after "100 Continue" */
	else if (n == 2 && memcmp(data, "\r\n", 2) == 0)
		answer->has_head = true;
	return n;
}

static size_t take_body(char *data, size_t one, size_t n, void *to)
{
	struct answer *answer = to;

	(void)one; /* always 1 */
	if (answer->api->sink) {
		answer->len += n;
		return answer->api->sink(data, n, answer->api->sink_data) < 0 ? 0 : n;
	}
	if (n > BODY_MAX - answer->len)
		return 0;
	text_add_n(answer->out, data, n);
	answer->len += n;
	return text_error(answer->out) < 0 ? 0 : n;
}

static int explain_certificate(CURL *curl, const struct api *api, struct fault *why)
{
	const char *server = api->server;
	const char *text;
	long verdict = 0;
	size_t i;

	curl_easy_getinfo(curl, CURLINFO_SSL_VERIFYRESULT, &verdict);
	for (i = 0; i < COUNT(certificates); i++) {
		if (certificates[i].verdict != verdict)
			continue;
		text = certificates[i].text;
		if (api->registry && certificates[i].code == EKEYREJECTED)
			text = FOREIGN_REGISTRY;
		return fault_set(why, certificates[i].code, "%s: its certificate %s", server, text);
	}
	return fault_set(why, EKEYREJECTED, "%s: its certificate is not good: %s", server,
			 X509_verify_cert_error_string(verdict));
}

static int explain_connect(CURL *curl, const char *server, struct fault *why)
{
	long error = 0;

	curl_easy_getinfo(curl, CURLINFO_OS_ERRNO, &error);
	if (error == ECONNREFUSED)
		return fault_set(why, ECONNREFUSED, "%s: connection refused", server);
	return fault_errno(why, error ? (int)error : EHOSTUNREACH, "%s", server);
}

static int explain_timeout(const struct api *api, const struct answer *answer, struct fault *why)
{
	int limit_ms = api->timeout_ms > 0 ? api->timeout_ms : TIMEOUT_MS;

	return fault_set(why, ETIMEDOUT, "%s: no %sanswer within %g s", api->server,
			 answer->len ? "whole " : "", limit_ms / 1000.0);
}

static int explain(CURL *curl, CURLcode result, const struct api *api,
		   const struct answer *answer, const char *detail, struct fault *why)
{
	size_t i;

	if (result == CURLE_COULDNT_CONNECT)
		return explain_connect(curl, api->server, why);
	if (result == CURLE_PEER_FAILED_VERIFICATION)
		return explain_certificate(curl, api, why);
	if (result == CURLE_OPERATION_TIMEDOUT)
		return explain_timeout(api, answer, why);
	if (result == CURLE_WRITE_ERROR && api->sink)
		return fault_set(why, EIO, "%s: the answer could not be taken", api->server);
	if (result == CURLE_WRITE_ERROR || result == CURLE_FILESIZE_EXCEEDED)
		return fault_set(why, text_error(answer->out) < 0 ? ENOMEM : EFBIG,
				 "%s: the answer is larger than %d MiB", api->server,
				 BODY_MAX >> 20);
	for (i = 0; i < COUNT(verdicts); i++)
		if (verdicts[i].curl == result)
			return fault_set(why, verdicts[i].code, "%s: %s%s%s%s", api->server,
					 verdicts[i].text, *detail ? " (" : "", detail,
					 *detail ? ")" : "");
	return fault_set(why, EIO, "%s: %s", api->server,
			 *detail ? detail : curl_easy_strerror(result));
}

static struct curl_blob blob(const char *pem)
{
	return (struct curl_blob){
		.data = (void *)pem,
		.len = strlen(pem),
		.flags = CURL_BLOB_NOCOPY,
	};
}

/* Trust: this CA and no other. Without CAPATH's NULL, libcurl would add the system's folder. */
static bool set_trust(CURL *curl, const struct api *api)
{
	struct curl_blob ca = blob(api->ca ? api->ca : "");
	struct curl_blob crt = blob(api->crt ? api->crt : "");
	struct curl_blob key = blob(api->key ? api->key : "");

	if (api->ca && (curl_easy_setopt(curl, CURLOPT_CAINFO, NULL) ||
			curl_easy_setopt(curl, CURLOPT_CAPATH, NULL) ||
			curl_easy_setopt(curl, CURLOPT_CAINFO_BLOB, &ca)))
		return false;
	if (curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L) ||
	    curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L) ||
	    curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2))
		return false;
	if (!api->crt || !api->key)
		return true;
	return !curl_easy_setopt(curl, CURLOPT_SSLCERT_BLOB, &crt) &&
	       !curl_easy_setopt(curl, CURLOPT_SSLKEY_BLOB, &key);
}

static bool set_manners(CURL *curl, const struct api *api)
{
	long limit_ms = api->timeout_ms > 0 ? api->timeout_ms : TIMEOUT_MS;

	if (api->login && (curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC) ||
			   curl_easy_setopt(curl, CURLOPT_USERPWD, api->login)))
		return false;
	return !curl_easy_setopt(curl, CURLOPT_PROXY, "") &&
	       !curl_easy_setopt(curl, CURLOPT_NOPROXY, "*") &&
	       !curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) &&
	       !curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, limit_ms) &&
	       !curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, limit_ms) &&
	       !curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
	       !curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE,
				 api->sink ? (curl_off_t)0 : (curl_off_t)BODY_MAX) &&
	       !curl_easy_setopt(curl, CURLOPT_USERAGENT, "rackseed");
}

/* No "Expect: 100-continue": it would cost a second on servers that do not know it. */
static bool set_headers(CURL *curl, const struct api *api, const struct method *method,
			const char *body, struct curl_slist **list)
{
	scoped(text_wipe) struct text bearer = { 0 };
	const char *lines[4] = { api->accept ? api->accept : "Accept: application/json",
				 "Expect:" };
	size_t n = 2;
	size_t i;

	if (body && (api->content_type || method->content_type))
		lines[n++] = api->content_type ? api->content_type : method->content_type;
	if (api->token) {
		text_addf(&bearer, "Authorization: Bearer %s", api->token);
		lines[n++] = text_str(&bearer);
	}
	for (i = 0; i < n; i++) {
		struct curl_slist *longer = curl_slist_append(*list, lines[i]);

		if (!longer)
			return false;
		*list = longer;
	}
	return text_error(&bearer) == 0 && !curl_easy_setopt(curl, CURLOPT_HTTPHEADER, *list);
}

static bool set_request(CURL *curl, const char *url, const struct method *method, const char *body,
			struct answer *answer)
{
	size_t given = answer->api->body_len;
	curl_off_t len = (curl_off_t)(given || !body ? given : strlen(body));

	if (body && (curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body) ||
		     curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, len)))
		return false;
	return !curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method->verb) &&
	       !curl_easy_setopt(curl, CURLOPT_URL, url) &&
	       !curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_head) &&
	       !curl_easy_setopt(curl, CURLOPT_HEADERDATA, answer) &&
	       !curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body) &&
	       !curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
}

static int perform(CURL *curl, const struct api *api, struct answer *answer, struct fault *why)
{
	char detail[CURL_ERROR_SIZE] = "";
	long status = 0;
	CURLcode result;

	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail);
	result = curl_easy_perform(curl);
	curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, NULL);
	if (result)
		return explain(curl, result, api, answer, detail, why);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
	if (!answer->has_head)
		return fault_set(why, ECONNRESET, "%s: the answer broke off in its head",
				 api->server);
	if (status < 100 || status > 599)
		return fault_set(why, EPROTO, "%s: HTTP status %ld", api->server, status);
	return (int)status;
}

static const struct method *find_method(const char *name)
{
	size_t i;

	for (i = 0; i < COUNT(methods); i++)
		if (strcmp(methods[i].name, name) == 0)
			return &methods[i];
	return NULL;
}

static bool is_address(const struct api *api)
{
	if (!api->server)
		return false;
	if (api->registry && strncmp(api->server, "http://", 7) == 0)
		return true;
	return strncmp(api->server, "https://", 8) == 0 && (api->ca || api->registry);
}

int api_keep(struct api *api, struct fault *why)
{
	api_close(api);
	api->kept = curl_easy_init();
	return api->kept ? 0 : fault_errno(why, ENOMEM, "%s", api->server ? api->server : "curl");
}

void api_close(struct api *api)
{
	curl_easy_cleanup(api->kept);
	api->kept = NULL;
}

/* The rest of a call, for a handle that knows nothing yet. */
static int call(CURL *curl, const struct api *api, const struct method *method, const char *path,
		const char *body, struct answer *answer, struct fault *why)
{
	scoped(text_done) struct text url = { 0 };
	scoped(drop_headers) struct curl_slist *headers = NULL;
	int r;

	text_addf(&url, "%s%s", api->server, path);
	if (text_error(&url) == 0 && set_trust(curl, api) && set_manners(curl, api) &&
	    set_headers(curl, api, method, body, &headers) &&
	    set_request(curl, text_str(&url), method, body, answer))
		r = perform(curl, api, answer, why);
	else
		r = fault_set(why, ENOMEM, "%s: the call could not be made up", api->server);
	curl_easy_reset(curl); /* what it was told goes with this frame; its connection stays */
	return r;
}

int api_call(const struct api *api, const char *method, const char *path, const char *body,
	     struct text *out, struct fault *why)
{
	const struct method *how = find_method(method);
	scoped(drop_curl) CURL *own = NULL;
	CURL *curl = api->kept;
	struct answer answer = { .api = api, .out = out, .head = api->head };
	size_t start = out->len;
	int r;

	if (!how || path[0] != '/')
		return fault_set(why, EINVAL, "'%s %s' is no call", method, path);
	if (!is_address(api))
		return fault_set(why, EINVAL, "an API server needs an https:// address and a CA");
	if (!curl)
		curl = own = curl_easy_init();
	r = curl ? call(curl, api, how, path, body, &answer, why)
		 : fault_set(why, ENOMEM, "%s: the call could not be made up", api->server);
	if (r < 0 && out->data && text_error(out) == 0) {
		out->len = start;
		out->data[start] = '\0';
	}
	return r;
}
