/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>
#include <pthread.h>
#include <sys/socket.h>

#include <systemd/sd-bus.h>

#include "base/macros.h"
#include "firstboot/units.h"

#define UNIT "rackseed-kubeadm-join.service"

/* systemd's manager with one unit: the states that it is seen in, one a look, the last for ever. */
struct manager {
	sd_bus *server, *client;
	pthread_t thread;
	volatile bool stop;
	const char *const *states; /* "": the bus has trouble */
	size_t looks;
};

static int get_load(sd_bus *bus, const char *path, const char *interface, const char *property,
		    sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const struct manager *m = userdata;

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	return sd_bus_message_append(reply, "s", m->states[0] ? "loaded" : "not-found");
}

static int get_active(sd_bus *bus, const char *path, const char *interface, const char *property,
		      sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	struct manager *m = userdata;
	const char *state = m->states[m->looks];

	(void)bus, (void)path, (void)interface, (void)property;
	if (state && m->states[m->looks + 1])
		m->looks++;
	if (state && !*state)
		return sd_bus_error_set(error, SD_BUS_ERROR_NO_REPLY, "nobody there");
	return sd_bus_message_append(reply, "s", state ? state : "inactive");
}

static int get_job(sd_bus *bus, const char *path, const char *interface, const char *property,
		   sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	(void)bus, (void)path, (void)interface, (void)property, (void)userdata, (void)error;
	return sd_bus_message_append(reply, "(uo)", 0, "/");
}

static int get_result(sd_bus *bus, const char *path, const char *interface, const char *property,
		      sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	(void)bus, (void)path, (void)interface, (void)property, (void)userdata, (void)error;
	return sd_bus_message_append(reply, "s", "timeout");
}

static const sd_bus_vtable unit_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("LoadState", "s", get_load, 0, 0),
	SD_BUS_PROPERTY("ActiveState", "s", get_active, 0, 0),
	SD_BUS_PROPERTY("Job", "(uo)", get_job, 0, 0),
	SD_BUS_VTABLE_END,
};

static const sd_bus_vtable service_vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Result", "s", get_result, 0, 0),
	SD_BUS_VTABLE_END,
};

static void *serve(void *data)
{
	struct manager *m = data;

	while (!m->stop) {
		while (sd_bus_process(m->server, NULL) > 0)
			;
		sd_bus_wait(m->server, 20000);
	}
	return NULL;
}

static void manager_open(struct manager *m, const char *const *states)
{
	sd_id128_t id = { .bytes = { 1 } };
	char *path = NULL;
	int fds[2];

	*m = (struct manager){ .states = states };
	assert_true(sd_bus_path_encode("/org/freedesktop/systemd1/unit", UNIT, &path) >= 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	assert_true(sd_bus_new(&m->server) >= 0 && sd_bus_new(&m->client) >= 0);
	assert_true(sd_bus_set_fd(m->server, fds[0], fds[0]) >= 0);
	assert_true(sd_bus_set_server(m->server, 1, id) >= 0);
	assert_true(sd_bus_set_anonymous(m->server, 1) >= 0);
	assert_true(sd_bus_set_fd(m->client, fds[1], fds[1]) >= 0);
	assert_true(sd_bus_set_anonymous(m->client, 1) >= 0);
	assert_true(sd_bus_add_object_vtable(m->server, NULL, path, "org.freedesktop.systemd1.Unit",
					     unit_vtable, m) >= 0);
	assert_true(sd_bus_add_object_vtable(m->server, NULL, path,
					     "org.freedesktop.systemd1.Service", service_vtable,
					     m) >= 0);
	assert_true(sd_bus_start(m->server) >= 0 && sd_bus_start(m->client) >= 0);
	assert_int_equal(pthread_create(&m->thread, NULL, serve, m), 0);
	free(path);
}

static void manager_close(struct manager *m)
{
	m->stop = true;
	pthread_join(m->thread, NULL);
	sd_bus_flush_close_unref(m->client);
	sd_bus_flush_close_unref(m->server);
}

static bool say(void *data)
{
	return *(const bool *)data;
}

/*
 * A bus in trouble says nothing of a program: taken for its failure, another kubeadm would be
 * started beside the one that runs.
 */
static void test_rejoining_what_was_left_running(void **s)
{
	static const struct {
		const char *states[5];
		int want; /* or -1: any fault */
		const char *why;
	} cases[] = {
		{ { NULL }, UNITS_NONE, "" },
		{ { "inactive" }, UNITS_NONE, "" },
		{ { "active" }, UNITS_SUCCEEDED, "" },
		{ { "failed" }, UNITS_FAILED, UNIT ": timeout" },
		{ { "activating", "activating", "active" }, UNITS_SUCCEEDED, "" },
		{ { "activating", "activating", "failed" }, UNITS_FAILED, UNIT ": timeout" },
		{ { "" }, -1, UNIT ": nobody there" },
		{ { "activating", "" }, -1, UNIT ": nobody there" },
		{ { "activating", "activating", "" }, -1, UNIT ": nobody there" },
	};

	(void)s;
	CASES (c, cases) {
		bool go_on = true;
		const struct units_tick tick = { say, &go_on };
		struct fault why = { 0 };
		struct manager m;
		int r;

		manager_open(&m, c->states);
		r = units_rejoin(m.client, UNIT, &tick, &why);
		manager_close(&m);
		if ((r < 0 ? -1 : r) != c->want)
			fail_msg("row %td: %d", c - cases, r);
		assert_string_equal(why.text, c->why);
	}
}

static void test_stopping_ends_the_wait_and_not_the_program(void **s)
{
	static const char *const states[] = { "activating", NULL };
	struct fault why = { 0 };
	bool go_on = false;
	const struct units_tick tick = { say, &go_on };
	struct manager m;

	(void)s;
	manager_open(&m, states);
	assert_int_equal(units_rejoin(m.client, UNIT, &tick, &why), -ECANCELED);
	manager_close(&m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rejoining_what_was_left_running),
		cmocka_unit_test(test_stopping_ends_the_wait_and_not_the_program),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
