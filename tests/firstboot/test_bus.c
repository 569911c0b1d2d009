/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <pthread.h>
#include <sys/socket.h>

#include <systemd/sd-bus.h>

#include "firstboot/bus.h"

/* A bus of two peers: the object on one end of a socket pair, the test on the other. */

struct peer {
	sd_bus *server, *client;
	struct bus_object object;
	pthread_t thread;
	int retries;
	volatile bool stop;
};

static const struct step steps[] = { { .name = "swap" }, { .name = "cluster" } };

static void count_retry(void *data)
{
	struct peer *p = data;

	p->retries++;
}

static void *serve(void *data)
{
	struct peer *p = data;

	while (!p->stop) {
		while (sd_bus_process(p->server, NULL) > 0)
			;
		sd_bus_wait(p->server, 20000);
	}
	return NULL;
}

static void peer_open(struct peer *p)
{
	struct fault why = { 0 };
	struct status status;
	sd_id128_t id = { .bytes = { 1 } };
	int fds[2];

	*p = (struct peer){ .object = { .retry = count_retry } };
	p->object.data = p;
	status_init(&status, steps, 2);
	snprintf(status.name, sizeof(status.name), "w1");
	status_take(&status, &(struct step_event){ "swap", STEP_DONE, "changed", false }, 17);
	status_take(&status, &(struct step_event){ "cluster", STEP_FAILED, "no luck\xff", false },
		    18);
	assert_int_equal(bus_show(NULL, &p->object, &status), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_true(sd_bus_new(&p->server) >= 0 && sd_bus_new(&p->client) >= 0);
	assert_true(sd_bus_set_fd(p->server, fds[0], fds[0]) >= 0);
	assert_true(sd_bus_set_server(p->server, 1, id) >= 0);
	assert_true(sd_bus_set_anonymous(p->server, 1) >= 0);
	assert_true(sd_bus_set_trusted(p->server, 1) >= 0);
	assert_true(sd_bus_set_fd(p->client, fds[1], fds[1]) >= 0);
	assert_true(sd_bus_set_anonymous(p->client, 1) >= 0);
	assert_int_equal(bus_add(p->server, &p->object, &why), 0);
	assert_true(sd_bus_start(p->server) >= 0 && sd_bus_start(p->client) >= 0);
}

static void peer_serve(struct peer *p)
{
	assert_int_equal(pthread_create(&p->thread, NULL, serve, p), 0);
}

static void peer_halt(struct peer *p)
{
	p->stop = true;
	pthread_join(p->thread, NULL);
	p->stop = false;
}

static void peer_close(struct peer *p)
{
	peer_halt(p);
	sd_bus_flush_close_unref(p->client);
	sd_bus_flush_close_unref(p->server);
}

static void assert_property(struct peer *p, const char *name, const char *want)
{
	char *got = NULL;

	assert_true(sd_bus_get_property_string(p->client, NULL, BUS_PATH, BUS_NAME, name, NULL,
					       &got) >= 0);
	assert_string_equal(got, want);
	free(got);
}

static void test_properties(void **s)
{
	sd_bus_message *reply = NULL;
	const char *name, *state, *reason;
	uint64_t since;
	struct peer p;

	(void)s;
	peer_open(&p);
	peer_serve(&p);
	assert_property(&p, "Name", "w1");
	assert_property(&p, "Phase", "failing");
	assert_property(&p, "Step", "cluster");
	assert_true(sd_bus_get_property(p.client, NULL, BUS_PATH, BUS_NAME, "Steps", NULL, &reply,
					"a(ssst)") >= 0);
	assert_true(sd_bus_message_enter_container(reply, 'a', "(ssst)") > 0);
	assert_true(sd_bus_message_read(reply, "(ssst)", &name, &state, &reason, &since) > 0);
	assert_string_equal(name, "swap");
	assert_string_equal(state, "done");
	assert_int_equal(since, 17);
	assert_true(sd_bus_message_read(reply, "(ssst)", &name, &state, &reason, &since) > 0);
	assert_string_equal(reason, "no luck?"); /* with another byte all would be refused */
	assert_true(sd_bus_message_at_end(reply, 0) > 0);
	sd_bus_message_unref(reply);
	peer_close(&p);
}

static void test_describe_is_the_status_as_json(void **s)
{
	sd_bus_message *reply = NULL;
	struct text want = { 0 };
	const char *json;
	struct peer p;

	(void)s;
	peer_open(&p);
	peer_serve(&p);
	assert_true(sd_bus_call_method(p.client, NULL, BUS_PATH, BUS_NAME, "Describe", NULL, &reply,
				       NULL) >= 0);
	assert_true(sd_bus_message_read(reply, "s", &json) > 0);
	status_json(&p.object.shown, &want);
	assert_string_equal(json, text_str(&want));
	text_done(&want);
	sd_bus_message_unref(reply);
	peer_close(&p);
}

static void test_retry_reaches_the_service(void **s)
{
	struct peer p;

	(void)s;
	peer_open(&p);
	peer_serve(&p);
	assert_true(sd_bus_call_method(p.client, NULL, BUS_PATH, BUS_NAME, "Retry", NULL, NULL,
				       NULL) >= 0);
	assert_int_equal(p.retries, 1);
	peer_close(&p);
}

static void test_unknown_members_are_refused(void **s)
{
	char *got = NULL;
	struct peer p;

	(void)s;
	peer_open(&p);
	peer_serve(&p);
	assert_true(sd_bus_call_method(p.client, NULL, BUS_PATH, BUS_NAME, "Format", NULL, NULL,
				       NULL) < 0);
	assert_true(sd_bus_get_property_string(p.client, NULL, BUS_PATH, BUS_NAME, "Nonsense", NULL,
					       &got) < 0);
	assert_true(sd_bus_set_property(p.client, NULL, BUS_PATH, BUS_NAME, "Name", NULL, "s",
					"x") < 0);
	peer_close(&p);
}

/* The value of the next attribute behind at, up to the end of the tag. */
static void attribute(const char *tag, const char *name, struct text *out)
{
	const char *end = strchr(tag, '>');
	char key[32];
	const char *at;

	snprintf(key, sizeof(key), " %s=\"", name);
	at = strstr(tag, key);
	if (at && at < end)
		text_add_n(out, at + strlen(key), strcspn(at + strlen(key), "\""));
	text_add(out, " ");
}

/* Our interface in short: a line per member and argument, as both XML texts give them. */
static void members(const char *xml, struct text *out)
{
	static const char *const tags[] = { "<property", "<method", "<arg", "<signal" };
	static const char *const names[] = { "name", "type", "access", "direction" };
	const char *at = strstr(xml, "<interface name=\"org.rackseed.Node1\"");
	const char *end = at ? strstr(at, "</interface>") : NULL;

	assert_non_null(end);
	for (; at < end; at++) {
		CASES (tag, tags) {
			if (strncmp(at, *tag, strlen(*tag)) != 0)
				continue;
			text_addf(out, "%s ", *tag + 1);
			CASES (name, names)
				attribute(at, *name, out);
			text_add(out, "\n");
		}
	}
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* sd-bus lists members in its own order; arguments stay behind their method as there is but one. */
static void sorted(struct text *t, struct text *out)
{
	char *lines[32];
	size_t n = 0, i;
	char *at = t->data;

	while (at && *at && n < 32) {
		lines[n++] = at;
		at = strchr(at, '\n');
		*at++ = '\0';
	}
	qsort(lines, n, sizeof(*lines), compare_lines);
	for (i = 0; i < n; i++)
		text_addf(out, "%s\n", lines[i]);
}

static void test_introspects_as_the_xml_says(void **s)
{
	sd_bus_message *reply = NULL;
	struct text file = { 0 }, have = { 0 }, want = { 0 }, have_sorted = { 0 },
		    want_sorted = { 0 };
	struct fault why = { 0 };
	const char *xml;
	struct peer p;

	(void)s;
	peer_open(&p);
	peer_serve(&p);
	assert_true(sd_bus_call_method(p.client, NULL, BUS_PATH,
				       "org.freedesktop.DBus.Introspectable", "Introspect", NULL,
				       &reply, NULL) >= 0);
	assert_true(sd_bus_message_read(reply, "s", &xml) > 0);
	assert_int_equal(
		fs_read(AT_FDCWD, "firstboot/org.rackseed.Node1.xml", 1 << 20, &file, &why), 0);
	members(xml, &have);
	members(text_str(&file), &want);
	sorted(&have, &have_sorted);
	sorted(&want, &want_sorted);
	assert_true(have_sorted.len > 0);
	assert_string_equal(text_str(&have_sorted), text_str(&want_sorted));
	text_done(&file);
	text_done(&have);
	text_done(&want);
	text_done(&have_sorted);
	text_done(&want_sorted);
	sd_bus_message_unref(reply);
	peer_close(&p);
}

static int note_signal(sd_bus_message *m, void *data, sd_bus_error *error)
{
	struct text *seen = data;
	const char *interface, *name;

	(void)error;
	assert_true(sd_bus_message_read(m, "s", &interface) > 0);
	assert_string_equal(interface, BUS_NAME);
	assert_true(sd_bus_message_enter_container(m, 'a', "{sv}") > 0);
	while (sd_bus_message_enter_container(m, 'e', "sv") > 0) {
		assert_true(sd_bus_message_read(m, "s", &name) > 0);
		text_addf(seen, "%s ", name);
		assert_true(sd_bus_message_skip(m, "v") >= 0);
		assert_true(sd_bus_message_exit_container(m) >= 0);
	}
	return 0;
}

static void test_a_change_names_what_moved(void **s)
{
	struct text seen = { 0 };
	struct status next;
	struct peer p;
	int i;

	(void)s;
	peer_open(&p);
	peer_serve(&p);
	assert_property(&p, "Name", "w1"); /* connected */
	assert_true(sd_bus_match_signal(p.client, NULL, NULL, BUS_PATH,
					"org.freedesktop.DBus.Properties", "PropertiesChanged",
					note_signal, &seen) >= 0);
	peer_halt(&p);
	next = p.object.shown;
	assert_int_equal(bus_show(p.server, &p.object, &next), 0); /* nothing moved: no signal */
	status_take(&next, &(struct step_event){ "cluster", STEP_DONE, "", false }, 19);
	assert_true(bus_show(p.server, &p.object, &next) >= 0);
	assert_true(sd_bus_flush(p.server) >= 0);
	for (i = 0; i < 50 && seen.len == 0; i++) {
		while (sd_bus_process(p.client, NULL) > 0)
			;
		sd_bus_wait(p.client, 20000);
	}
	assert_string_equal(text_str(&seen), "Phase Step Steps ");
	text_done(&seen);
	peer_serve(&p);
	peer_close(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_properties),
		cmocka_unit_test(test_describe_is_the_status_as_json),
		cmocka_unit_test(test_retry_reaches_the_service),
		cmocka_unit_test(test_unknown_members_are_refused),
		cmocka_unit_test(test_introspects_as_the_xml_says),
		cmocka_unit_test(test_a_change_names_what_moved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
