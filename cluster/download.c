/* SPDX-License-Identifier: MIT */
#include "cluster/download.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <curl/curl.h>

#include "base/fault.h"
#include "base/macros.h"

enum { CONNECT_MS = 30000, STALL_MS = 60000, REDIRECTS = 10 };
enum { WHOLE = 200, PART = 206, NOT_THERE = 404, BEYOND = 416 };

DEFINE_DROP(curl, CURL *, curl_easy_cleanup)

struct transfer {
	const struct download *what;
	CURL *curl;
	uint64_t at, total; /* of Content-Range */
	bool has_range, begun, ended_here;
};

/* "Content-Range: bytes 5-9/10"; the size may be an asterisk. */
static void learn_range(struct transfer *t, const char *line)
{
	char *end = NULL;

	line += strspn(line, " \t");
	if (strncasecmp(line, "bytes ", 6) != 0)
		return;
	t->at = strtoull(line + 6, &end, 10);
	t->has_range = end != line + 6 && *end == '-';
	end = strchr(line, '/');
	t->total = end ? strtoull(end + 1, NULL, 10) : 0;
}

static size_t take_head(char *data, size_t one, size_t n, void *to)
{
	static const char name[] = "Content-Range:";
	struct transfer *t = to;
	char line[128];

	(void)one; /* always 1 */
	if (n >= 5 && memcmp(data, "HTTP/", 5) == 0)
		t->has_range = false; /* another head, after a redirect */
	if (n > strlen(name) && n < sizeof(line) && strncasecmp(data, name, strlen(name)) == 0) {
		memcpy(line, data, n);
		line[n] = '\0';
		learn_range(t, line + strlen(name));
	}
	return n;
}

static long status_of(const struct transfer *t)
{
	long status = 0;

	curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

/* Before the first byte, or at the end of a file that has none. */
static int begin(struct transfer *t)
{
	const struct download *what = t->what;
	curl_off_t length = -1;
	bool part = status_of(t) == PART;

	if (part && (!t->has_range || t->at != what->from))
		return -EPROTO;
	curl_easy_getinfo(t->curl, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
	t->begun = true;
	if (!part)
		t->at = 0;
	if (!part || !t->total)
		t->total = length > 0 ? t->at + (uint64_t)length : 0;
	return what->begin(t->at, t->total, what->data);
}

static bool brings_file(long status)
{
	return status == WHOLE || status == PART;
}

static size_t take_body(char *data, size_t one, size_t n, void *to)
{
	struct transfer *t = to;

	(void)one; /* always 1 */
	if (!brings_file(status_of(t)))
		return n; /* the words beside an error, which no one reads */
	if (!t->begun && begin(t) < 0) {
		t->ended_here = t->begun;
		return 0;
	}
	t->ended_here = t->what->sink(data, n, t->what->data) < 0;
	return t->ended_here ? 0 : n;
}

static bool set_manners(CURL *curl, const struct download *what)
{
	long stall_s = (what->stall_ms > 0 ? what->stall_ms : STALL_MS) / 1000;

	return !curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 1L) &&
	       !curl_easy_setopt(curl, CURLOPT_MAXREDIRS, (long)REDIRECTS) &&
	       !curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) &&
	       !curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS) &&
	       !curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L) &&
	       !curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, stall_s > 0 ? stall_s : 1L) &&
	       !curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) &&
	       !curl_easy_setopt(curl, CURLOPT_USERAGENT, "rackseed");
}

static bool set_request(struct transfer *t, char *range, size_t size)
{
	CURL *curl = t->curl;

	snprintf(range, size, "%" PRIu64 "-", t->what->from);
	if (t->what->from > 0 && curl_easy_setopt(curl, CURLOPT_RANGE, range))
		return false;
	return !curl_easy_setopt(curl, CURLOPT_URL, t->what->url) &&
	       !curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_head) &&
	       !curl_easy_setopt(curl, CURLOPT_HEADERDATA, t) &&
	       !curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body) &&
	       !curl_easy_setopt(curl, CURLOPT_WRITEDATA, t);
}

static int explain(const struct transfer *t, CURLcode result, const char *detail, struct fault *why)
{
	static const struct {
		CURLcode curl;
		int code;
	} codes[] = {
		{ CURLE_COULDNT_RESOLVE_HOST, ENXIO },
		{ CURLE_COULDNT_RESOLVE_PROXY, ENXIO },
		{ CURLE_COULDNT_CONNECT, ECONNREFUSED },
		{ CURLE_PARTIAL_FILE, ECONNRESET },
		{ CURLE_RECV_ERROR, ECONNRESET },
		{ CURLE_GOT_NOTHING, ECONNRESET },
		{ CURLE_OPERATION_TIMEDOUT, ETIMEDOUT },
		{ CURLE_OUT_OF_MEMORY, ENOMEM },
		{ CURLE_PEER_FAILED_VERIFICATION, EKEYREJECTED },
	};
	const char *words = *detail ? detail : curl_easy_strerror(result);
	size_t i;

	if (result == CURLE_WRITE_ERROR && t->ended_here)
		return fault_set(why, ECANCELED, "%s: it could not be kept", t->what->url);
	if (result == CURLE_WRITE_ERROR)
		return fault_set(why, EPROTO,
				 "%s: the server sends another part than was asked for",
				 t->what->url);
	for (i = 0; i < COUNT(codes); i++)
		if (codes[i].curl == result)
			return fault_set(why, codes[i].code, "%s: %s", t->what->url, words);
	return fault_set(why, EIO, "%s: %s", t->what->url, words);
}

static int judge(struct transfer *t, struct fault *why)
{
	long status = status_of(t);

	if (status == BEYOND && t->what->from > 0)
		return fault_set(why, ERANGE, "%s: nothing is beyond byte %" PRIu64, t->what->url,
				 t->what->from);
	if (status == NOT_THERE)
		return fault_set(why, EPROTO, "%s: no such file is there (HTTP status 404)",
				 t->what->url);
	if (!brings_file(status))
		return fault_set(why, EPROTO, "%s: HTTP status %ld", t->what->url, status);
	if (!t->begun && begin(t) < 0)
		return fault_set(why, ECANCELED, "%s: it could not be kept", t->what->url);
	return 0;
}

int download(const struct download *what, struct fault *why)
{
	scoped(drop_curl) CURL *curl = curl_easy_init();
	struct transfer t = { .what = what, .curl = curl };
	char detail[CURL_ERROR_SIZE] = "";
	char range[32];
	CURLcode result;

	if (!curl || !set_manners(curl, what) || !set_request(&t, range, sizeof(range)) ||
	    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, detail))
		return fault_errno(why, ENOMEM, "%s", what->url);
	result = curl_easy_perform(curl);
	if (result)
		return explain(&t, result, detail, why);
	return judge(&t, why);
}
