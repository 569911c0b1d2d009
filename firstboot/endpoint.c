/* SPDX-License-Identifier: MIT */
#include "firstboot/endpoint.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include <microhttpd.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "firstboot/visitor.h"

enum {
	CONNECTIONS_MAX = 64,
	PER_ADDRESS_MAX = 16,
	REQUEST_MAX = 16 << 10,
	IDLE_S = 5,
	LIFE_S = 10, /* of a connection, from its begin to its end */
	BACKLOG = 64,
};

/* TLS 1.2 at least. */
#define PRIORITIES "SECURE256:SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

struct endpoint {
	struct endpoint_options options;
	struct MHD_Daemon *daemon;
	pthread_t reaper;
	bool has_reaper;
	pthread_mutex_t lock;
	pthread_cond_t wake;
	struct {
		int fd; /* -1: free */
		int64_t begin_s;
	} open[CONNECTIONS_MAX]; /* locked, as is the next */
	bool stop;
};

static int64_t now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/*
 * The library ends who is idle, but not who sends a byte now and then. A socket is closed only
 * after the notice of its end, so what is in the table is that very connection still.
 */
static void *reap(void *data)
{
	struct endpoint *e = data;
	struct timespec next;
	size_t i;

	pthread_mutex_lock(&e->lock);
	while (!e->stop) {
		for (i = 0; i < COUNT(e->open); i++)
			if (e->open[i].fd >= 0 && now_s() - e->open[i].begin_s >= LIFE_S)
				shutdown(e->open[i].fd, SHUT_RDWR);
		clock_gettime(CLOCK_MONOTONIC, &next);
		next.tv_sec += IDLE_S;
		pthread_cond_timedwait(&e->wake, &e->lock, &next);
	}
	pthread_mutex_unlock(&e->lock);
	return NULL;
}

static void notice(void *data, struct MHD_Connection *connection, void **context,
		   enum MHD_ConnectionNotificationCode code)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
	struct endpoint *e = data;
	int fd = info ? info->connect_fd : -1;
	bool begins = code == MHD_CONNECTION_NOTIFY_STARTED;
	size_t i;

	(void)context;
	pthread_mutex_lock(&e->lock);
	for (i = 0; fd >= 0 && i < COUNT(e->open); i++) {
		if (e->open[i].fd != (begins ? -1 : fd))
			continue;
		e->open[i].fd = begins ? fd : -1;
		e->open[i].begin_s = now_s();
		break;
	}
	pthread_mutex_unlock(&e->lock);
}

static enum MHD_Result answer(struct MHD_Connection *connection, unsigned status,
			      const struct text *body)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		body->len, (void *)text_str(body), MHD_RESPMEM_MUST_COPY);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	MHD_add_response_header(response, "Content-Type", "application/json");
	MHD_add_response_header(response, "Cache-Control", "no-store");
	MHD_add_response_header(response, "Connection", "close");
	if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, "Allow", "GET");
	result = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status, const char *text)
{
	scoped(text_done) struct text body = { 0 };

	text_addf(&body, "{\"error\":\"%s\"}\n", text);
	return text_error(&body) < 0 ? MHD_NO : answer(connection, status, &body);
}

static const struct endpoint_page *find_page(const struct endpoint_options *o, const char *path)
{
	size_t i;

	for (i = 0; i < o->n_pages; i++)
		if (strcmp(o->pages[i].path, path) == 0)
			return &o->pages[i];
	return NULL;
}

static enum MHD_Result show(const struct endpoint *e, const struct endpoint_page *page,
			    struct MHD_Connection *connection)
{
	scoped(text_done) struct text body = { 0 };
	bool there = page->describe(e->options.data, &body);

	text_add(&body, there ? "\n" : "");
	if (text_error(&body) < 0)
		return MHD_NO;
	return there ? answer(connection, MHD_HTTP_OK, &body)
		     : refuse(connection, MHD_HTTP_NOT_FOUND, text_str(&body));
}

/* The certificate comes first: who has none learns nothing, not even what there is. */
static enum MHD_Result serve(void *data, struct MHD_Connection *connection, const char *url,
			     const char *method, const char *version, const char *upload,
			     size_t *upload_size, void **context)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(connection, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	enum visitor visitor = visitor_judge(info ? info->tls_session : NULL);
	const struct endpoint *e = data;
	const struct endpoint_page *page;

	(void)version, (void)upload, (void)upload_size, (void)context;
	switch (visitor) {
	case VISITOR_UNKNOWN:
		return refuse(connection, MHD_HTTP_UNAUTHORIZED,
			      "a client certificate of this cluster's CA is wanted");
	case VISITOR_STRANGER:
		return refuse(connection, MHD_HTTP_FORBIDDEN,
			      "for administrators and nodes of this cluster only");
	case VISITOR_NODE:
	case VISITOR_ADMINISTRATOR:
		break;
	}
	page = find_page(&e->options, url);
	if (!page)
		return refuse(connection, MHD_HTTP_NOT_FOUND, "there is no such page");
	if (visitor == VISITOR_NODE && !page->for_nodes)
		return refuse(connection, MHD_HTTP_FORBIDDEN,
			      "for administrators of this cluster only");
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0)
		return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "there is only GET");
	return show(e, page, connection);
}

/* What it has to say is about clients, who are nobody's business: the journal stays quiet. */
static void ignore(void *data, const char *format, va_list args)
{
	(void)data, (void)format, (void)args;
}

static int address(const struct endpoint_options *o, struct sockaddr_storage *ret,
		   struct fault *why)
{
	struct sockaddr_in6 *ip6 = (struct sockaddr_in6 *)ret;
	struct sockaddr_in *ip = (struct sockaddr_in *)ret;
	const char *text = o->address ? o->address : "0.0.0.0";

	*ret = (struct sockaddr_storage){ 0 };
	if (inet_pton(AF_INET, text, &ip->sin_addr) == 1) {
		ip->sin_family = AF_INET;
		ip->sin_port = htons((uint16_t)o->port);
		return AF_INET;
	}
	if (inet_pton(AF_INET6, text, &ip6->sin6_addr) == 1) {
		ip6->sin6_family = AF_INET6;
		ip6->sin6_port = htons((uint16_t)o->port);
		return AF_INET6;
	}
	return fault_set(why, EINVAL, "'%s' is no address", text);
}

static int start_daemon(struct endpoint *e, struct fault *why)
{
	const struct endpoint_options *o = &e->options;
	struct sockaddr_storage at;
	int family = address(o, &at, why);
	unsigned flags = MHD_USE_TLS | MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ITC |
			 MHD_USE_ERROR_LOG | (family == AF_INET6 ? MHD_USE_DUAL_STACK : 0);

	if (family < 0)
		return family;
	errno = 0;
	e->daemon = MHD_start_daemon(
		flags, (uint16_t)o->port, NULL, NULL, serve, e, MHD_OPTION_EXTERNAL_LOGGER, ignore,
		NULL, MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&at, MHD_OPTION_HTTPS_MEM_CERT,
		o->crt, MHD_OPTION_HTTPS_MEM_KEY, o->key, MHD_OPTION_HTTPS_MEM_TRUST, o->ca,
		MHD_OPTION_HTTPS_PRIORITIES, PRIORITIES, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)CONNECTIONS_MAX, MHD_OPTION_PER_IP_CONNECTION_LIMIT,
		(unsigned)PER_ADDRESS_MAX, MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)IDLE_S,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_MAX,
		MHD_OPTION_LISTEN_BACKLOG_SIZE, (unsigned)BACKLOG, MHD_OPTION_NOTIFY_CONNECTION,
		notice, e, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
	if (e->daemon)
		return 0;
	if (errno)
		return fault_errno(why, errno, "status endpoint, port %u", o->port);
	return fault_set(why, EINVAL, "status endpoint: certificate, key and CA cannot be used");
}

int endpoint_start(const struct endpoint_options *options, struct endpoint **ret, struct fault *why)
{
	struct endpoint *e = calloc(1, sizeof(*e));
	pthread_condattr_t attributes;
	size_t i;
	int r;

	if (!e)
		return fault_errno(why, ENOMEM, "status endpoint");
	e->options = *options;
	for (i = 0; i < COUNT(e->open); i++)
		e->open[i].fd = -1;
	pthread_mutex_init(&e->lock, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&e->wake, &attributes);
	pthread_condattr_destroy(&attributes);
	r = start_daemon(e, why);
	if (r >= 0) {
		r = pthread_create(&e->reaper, NULL, reap, e);
		e->has_reaper = r == 0;
		r = r ? fault_errno(why, r, "status endpoint") : 0;
	}
	if (r < 0) {
		endpoint_stop(e);
		return r;
	}
	*ret = e;
	return 0;
}

unsigned endpoint_port(const struct endpoint *e)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(e->daemon, MHD_DAEMON_INFO_BIND_PORT);

	return info ? info->port : 0;
}

void endpoint_stop(struct endpoint *e)
{
	if (!e)
		return;
	if (e->daemon)
		MHD_stop_daemon(e->daemon);
	if (e->has_reaper) {
		pthread_mutex_lock(&e->lock);
		e->stop = true;
		pthread_cond_signal(&e->wake);
		pthread_mutex_unlock(&e->lock);
		pthread_join(e->reaper, NULL);
	}
	pthread_cond_destroy(&e->wake);
	pthread_mutex_destroy(&e->lock);
	free(e);
}
