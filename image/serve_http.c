/* SPDX-License-Identifier: MIT */
#include "image/serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <microhttpd.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"

enum { CONNECTIONS = 256, PER_ADDRESS = 8, SILENCE_S = 60, BLOCK = 256 << 10 };

/* How far a machine is: one thread answers all, so nothing of it is locked. */
struct client {
	uint32_t address;
	int percent; /* last told */
};

struct serve_http {
	struct MHD_Daemon *daemon;
	const struct serve_files *files;
	bool json;
	struct client clients[SERVE_MAX_CLIENTS];
	size_t n;
};

/* What one answer reads from. */
struct reading {
	struct serve_http *http;
	const struct serve_file *file;
	struct client *client; /* NULL: nothing is told */
	struct in_addr address;
	uint64_t from;
};

static void tell(const struct serve_http *h, struct in_addr address, const char *path, int percent)
{
	char shown[INET_ADDRSTRLEN];

	inet_ntop(AF_INET, &address, shown, sizeof(shown));
	if (h->json)
		printf("{\"address\": \"%s\", \"file\": \"%s\", \"percent\": %d}\n", shown, path,
		       percent);
	else
		printf("%s: %s %d %%\n", shown, path, percent);
	fflush(stdout);
}

static struct client *find_client(struct serve_http *h, struct in_addr address)
{
	size_t i;

	for (i = 0; i < h->n; i++)
		if (h->clients[i].address == address.s_addr)
			return &h->clients[i];
	if (h->n == SERVE_MAX_CLIENTS)
		return NULL;
	h->clients[h->n] = (struct client){ .address = address.s_addr, .percent = -1 };
	return &h->clients[h->n++];
}

/* Each tenth once; a machine that begins anew is told anew. */
static void progress(struct reading *r, uint64_t at)
{
	int percent = (int)(at * 10 / (r->file->size ? r->file->size : 1)) * 10;

	if (!r->client || r->client->percent == percent)
		return;
	r->client->percent = percent;
	tell(r->http, r->address, r->file->path, percent);
}

static ssize_t give(void *data, uint64_t pos, char *buf, size_t max)
{
	struct reading *r = data;
	ssize_t n = pread(r->file->fd, buf, max, (off_t)(r->from + pos));

	if (n <= 0)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	progress(r, r->from + pos + (uint64_t)n);
	return n;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status, const char *name,
			      const char *value)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(0, NULL, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	if (name)
		MHD_add_response_header(response, name, value);
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result answer(struct serve_http *h, struct MHD_Connection *connection,
			      const struct serve_file *file, struct in_addr address, bool head)
{
	const char *asked =
		MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_RANGE);
	struct MHD_Response *response;
	struct reading *reading;
	uint64_t from, len;
	char content[96];
	enum serve_range range = serve_range(asked, file->size, &from, &len);
	enum MHD_Result result;

	if (range == SERVE_BEYOND) {
		snprintf(content, sizeof(content), "bytes */%" PRIu64, file->size);
		return refuse(connection, MHD_HTTP_RANGE_NOT_SATISFIABLE,
			      MHD_HTTP_HEADER_CONTENT_RANGE, content);
	}
	reading = malloc(sizeof(*reading));
	if (!reading)
		return MHD_NO;
	*reading = (struct reading){ h, file, NULL, address, from };
	if (file->image && !head)
		reading->client = find_client(h, address);
	response = MHD_create_response_from_callback(len, BLOCK, give, reading, free);
	if (!response) {
		free(reading);
		return MHD_NO;
	}
	MHD_add_response_header(response, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
	MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/octet-stream");
	if (range == SERVE_PART) {
		snprintf(content, sizeof(content), "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, from,
			 from + len - 1, file->size);
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_RANGE, content);
	}
	result = MHD_queue_response(
		connection, range == SERVE_PART ? MHD_HTTP_PARTIAL_CONTENT : MHD_HTTP_OK, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result serve(void *data, struct MHD_Connection *connection, const char *url,
			     const char *method, const char *version, const char *body,
			     size_t *body_len, void **context)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
	struct serve_http *h = data;
	const struct serve_file *file = serve_find(h->files, url);
	bool head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
	struct sockaddr_in at = { 0 };

	(void)version, (void)body, (void)context;
	if (!info || !info->client_addr || *body_len > 0)
		return MHD_NO;
	if (!head && strcmp(method, MHD_HTTP_METHOD_GET) != 0)
		return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, MHD_HTTP_HEADER_ALLOW,
			      "GET, HEAD");
	if (!file)
		return refuse(connection, MHD_HTTP_NOT_FOUND, NULL, NULL);
	memcpy(&at, info->client_addr, sizeof(at));
	return answer(h, connection, file, at.sin_addr, head);
}

static void ignore(void *data, const char *format, va_list args)
{
	(void)data, (void)format, (void)args;
}

int serve_http_start(const struct serve_files *files, const struct serve_net *net, bool json,
		     struct serve_http **ret, struct fault *why)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons((uint16_t)net->port) };
	struct serve_http *h = calloc(1, sizeof(*h));

	if (!h)
		return fault_errno(why, ENOMEM, "HTTP");
	h->files = files;
	h->json = json;
	if (inet_pton(AF_INET, net->address, &at.sin_addr) == 1) {
		errno = 0;
		h->daemon = MHD_start_daemon(
			MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC | MHD_USE_ERROR_LOG,
			(uint16_t)net->port, NULL, NULL, serve, h, MHD_OPTION_EXTERNAL_LOGGER,
			ignore, NULL, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&at,
			MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS,
			MHD_OPTION_PER_IP_CONNECTION_LIMIT, (unsigned)PER_ADDRESS,
			MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)SILENCE_S, MHD_OPTION_END);
	}
	if (!h->daemon) {
		free(h);
		return fault_errno(why, errno ? errno : EINVAL,
				   "cannot serve HTTP on %s port %u (--port takes another)",
				   net->address, net->port);
	}
	*ret = h;
	return 0;
}

void serve_http_stop(struct serve_http *http)
{
	if (!http)
		return;
	MHD_stop_daemon(http->daemon);
	free(http);
}
