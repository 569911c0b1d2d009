/* SPDX-License-Identifier: MIT */
#include "firstboot/units.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <systemd/sd-bus.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "firstboot/journal.h"

#define MANAGER                                                                                    \
	"org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"

enum { TICK_MIN_MS = 50, TICK_MAX_MS = 2000, CALL_USEC = 25000000, LINES = 6 };

DEFINE_DROP(message, sd_bus_message *, sd_bus_message_unref)
DEFINE_DROP(string, char *, free)

int units_open(struct sd_bus **ret_bus, struct fault *why)
{
	int r = sd_bus_open_system(ret_bus);

	if (r < 0)
		return fault_errno(why, r, "cannot reach the system bus");
	sd_bus_set_method_call_timeout(*ret_bus, CALL_USEC);
	return 0;
}

void units_close(struct sd_bus *bus)
{
	sd_bus_flush_close_unref(bus);
}

/* An error of the bus into the fault; frees the error. */
static int bus_fault(struct fault *why, int r, sd_bus_error *error, const char *subject)
{
	if (error->message)
		fault_set(why, r, "%s: %s", subject, error->message);
	else
		fault_errno(why, r, "%s", subject);
	sd_bus_error_free(error);
	return r;
}

static int unit_path(const char *unit, char **ret_path, struct fault *why)
{
	int r = sd_bus_path_encode("/org/freedesktop/systemd1/unit", unit, ret_path);

	return r < 0 ? fault_errno(why, r, "%s", unit) : 0;
}

/* A string property of a unit; the unit need not be loaded. */
static int unit_property(struct sd_bus *bus, const char *unit, const char *interface,
			 const char *name, char **ret_value, struct fault *why)
{
	scoped(drop_string) char *path = NULL;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = unit_path(unit, &path, why);

	if (r < 0)
		return r;
	r = sd_bus_get_property_string(bus, "org.freedesktop.systemd1", path, interface, name,
				       &error, ret_value);
	return r < 0 ? bus_fault(why, r, &error, unit) : 0;
}

int units_state(struct sd_bus *bus, const char *unit, char ret_state[static 32], struct fault *why)
{
	scoped(drop_string) char *load = NULL;
	scoped(drop_string) char *active = NULL;
	int r = unit_property(bus, unit, "org.freedesktop.systemd1.Unit", "LoadState", &load, why);

	if (r >= 0)
		r = unit_property(bus, unit, "org.freedesktop.systemd1.Unit", "ActiveState",
				  &active, why);
	if (r < 0)
		return r;
	if (strcmp(load, "not-found") == 0 && strcmp(active, "inactive") == 0)
		active[0] = '\0';
	snprintf(ret_state, 32, "%s", active);
	return 0;
}

int units_since(struct sd_bus *bus, const char *unit, uint64_t *ret_us, struct fault *why)
{
	scoped(drop_string) char *path = NULL;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = unit_path(unit, &path, why);

	if (r < 0)
		return r;
	r = sd_bus_get_property_trivial(bus, "org.freedesktop.systemd1", path,
					"org.freedesktop.systemd1.Unit", "ActiveEnterTimestamp",
					&error, 't', ret_us);
	return r < 0 ? bus_fault(why, r, &error, unit) : 0;
}

/* A method of the manager that takes a unit and a mode, and answers with a job or nothing. */
static int call(struct sd_bus *bus, const char *method, const char *unit, const char *mode,
		struct fault *why)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r;

	if (mode)
		r = sd_bus_call_method(bus, MANAGER, method, &error, NULL, "ss", unit, mode);
	else if (unit)
		r = sd_bus_call_method(bus, MANAGER, method, &error, NULL, "s", unit);
	else
		r = sd_bus_call_method(bus, MANAGER, method, &error, NULL, NULL);
	return r < 0 ? bus_fault(why, r, &error, unit ? unit : method) : 0;
}

int units_reload(struct sd_bus *bus, struct fault *why)
{
	return call(bus, "Reload", NULL, NULL, why);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static bool is_passing(const char *state)
{
	return strcmp(state, "activating") == 0 || strcmp(state, "deactivating") == 0 ||
	       strcmp(state, "reloading") == 0;
}

/* Whether a job for the unit is still queued or running. */
static bool has_job(struct sd_bus *bus, const char *unit)
{
	scoped(drop_string) char *path = NULL;
	scoped(drop_message) sd_bus_message *reply = NULL;
	struct fault ignored = { 0 };
	uint32_t id = 0;

	if (unit_path(unit, &path, &ignored) < 0 ||
	    sd_bus_get_property(bus, "org.freedesktop.systemd1", path,
				"org.freedesktop.systemd1.Unit", "Job", NULL, &reply, "(uo)") < 0 ||
	    sd_bus_message_read(reply, "(uo)", &id, NULL) < 0)
		return false;
	return id != 0;
}

/* An eighth of what was waited already: a look is work for systemd and the bus, too. */
static void rest(int64_t waited_ms)
{
	int64_t ms = waited_ms / 8 < TICK_MIN_MS   ? TICK_MIN_MS
		     : waited_ms / 8 > TICK_MAX_MS ? TICK_MAX_MS
						   : waited_ms / 8;
	const struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&pause, NULL);
}

/*
 * Waits until no job of the unit is left and it is on its way nowhere; its state is then in
 * ret_state. We ask instead of listening for JobRemoved: a signal can be missed, a state cannot.
 */
static int settle(struct sd_bus *bus, const char *unit, unsigned limit_s,
		  const struct units_tick *tick, char ret_state[static 32], struct fault *why)
{
	int64_t begin_ms = now_ms();
	int r;

	for (;;) {
		r = units_state(bus, unit, ret_state, why);
		if (r < 0)
			return r;
		if (!is_passing(ret_state) && !has_job(bus, unit))
			return 0;
		if (limit_s && now_ms() - begin_ms >= (int64_t)limit_s * 1000)
			return fault_set(why, ETIMEDOUT, "%s: still %s after %u s", unit, ret_state,
					 limit_s);
		if (!tick->alive(tick->data))
			return fault_set(why, ECANCELED, "stopped");
		rest(now_ms() - begin_ms);
	}
}

/* The last words of the unit's last run. */
static void last_words(struct sd_bus *bus, const char *unit, struct text *out)
{
	scoped(drop_string) char *path = NULL;
	struct fault ignored = { 0 };
	uint64_t since_usec;

	if (unit_path(unit, &path, &ignored) < 0 ||
	    sd_bus_get_property_trivial(bus, "org.freedesktop.systemd1", path,
					"org.freedesktop.systemd1.Unit", "InactiveExitTimestamp",
					NULL, 't', &since_usec) < 0)
		return;
	journal_last_lines(unit, since_usec, LINES, out);
}

static int reach_active(struct sd_bus *bus, const char *method, const char *unit, unsigned limit_s,
			const struct units_tick *tick, struct fault *why)
{
	scoped(text_done) struct text words = { 0 };
	char state[32];
	int r = call(bus, method, unit, "replace", why);

	if (r >= 0)
		r = settle(bus, unit, limit_s, tick, state, why);
	if (r < 0)
		return r;
	if (strcmp(state, "active") == 0)
		return 0;
	last_words(bus, unit, &words);
	return fault_set(why, EREMOTEIO, "%s did not start: it is %s%s%s (journalctl -u %s)", unit,
			 state[0] ? state : "not there", words.len ? ": " : "", text_str(&words),
			 unit);
}

int units_start(struct sd_bus *bus, const char *unit, unsigned limit_s,
		const struct units_tick *tick, struct fault *why)
{
	return reach_active(bus, "StartUnit", unit, limit_s, tick, why);
}

int units_restart(struct sd_bus *bus, const char *unit, unsigned limit_s,
		  const struct units_tick *tick, struct fault *why)
{
	return reach_active(bus, "RestartUnit", unit, limit_s, tick, why);
}

int units_stop(struct sd_bus *bus, const char *unit, unsigned limit_s,
	       const struct units_tick *tick, struct fault *why)
{
	char state[32];
	int r = units_state(bus, unit, state, why);

	if (r < 0 || !state[0] || strcmp(state, "inactive") == 0)
		return r;
	r = call(bus, "StopUnit", unit, "replace", why);
	return r < 0 ? r : settle(bus, unit, limit_s, tick, state, why);
}

/* ExecStart, as a(sasb): path, argv, whether failure is ignored. */
static int append_exec(sd_bus_message *m, const char *const *argv)
{
	int r = sd_bus_message_open_container(m, 'r', "sv");

	if (r >= 0)
		r = sd_bus_message_append(m, "s", "ExecStart");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'v', "a(sasb)");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(sasb)");
	if (r >= 0)
		r = sd_bus_message_open_container(m, 'r', "sasb");
	if (r >= 0)
		r = sd_bus_message_append(m, "s", argv[0]);
	if (r >= 0)
		r = sd_bus_message_append_strv(m, (char **)argv);
	if (r >= 0)
		r = sd_bus_message_append(m, "b", 0);
	for (int depth = 0; r >= 0 && depth < 4; depth++)
		r = sd_bus_message_close_container(m);
	return r;
}

/*
 * oneshot, because its start job ends with the program; RemainAfterExit, so that success can still
 * be seen by a service that was started anew meanwhile.
 */
static int fill_transient(sd_bus_message *m, const struct units_transient *what)
{
	int r = sd_bus_message_append(m, "ss", what->unit, "fail");

	if (r >= 0)
		r = sd_bus_message_open_container(m, 'a', "(sv)");
	if (r >= 0)
		r = sd_bus_message_append(
			m, "(sv)(sv)(sv)(sv)(sv)", "Description", "s", what->description, "Type",
			"s", "oneshot", "RemainAfterExit", "b", 1, "TimeoutStartUSec", "t",
			(uint64_t)what->limit_s * 1000000, "After", "as", 1, "containerd.service");
	/* kubeadm leaves the modes of what it writes to the umask. */
	if (r >= 0)
		r = sd_bus_message_append(m, "(sv)", "UMask", "u", 0077);
	if (r >= 0)
		r = append_exec(m, what->argv);
	if (r >= 0)
		r = sd_bus_message_close_container(m);
	return r < 0 ? r : sd_bus_message_append(m, "a(sa(sv))", 0);
}

static int start_transient(struct sd_bus *bus, const struct units_transient *what,
			   struct fault *why)
{
	scoped(drop_message) sd_bus_message *m = NULL;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = sd_bus_message_new_method_call(bus, &m, MANAGER, "StartTransientUnit");

	if (r >= 0)
		r = fill_transient(m, what);
	if (r >= 0)
		r = sd_bus_call(bus, m, 0, &error, NULL);
	return r < 0 ? bus_fault(why, r, &error, what->unit) : 0;
}

/* How a failed unit ended, with its last words. */
static void end_fault(struct sd_bus *bus, const char *unit, struct fault *why)
{
	scoped(drop_string) char *result = NULL;
	scoped(text_done) struct text lines = { 0 };
	struct fault ignored = { 0 };

	if (unit_property(bus, unit, "org.freedesktop.systemd1.Service", "Result", &result,
			  &ignored) < 0) {
		(void)fault_set(why, EREMOTEIO, "%s failed", unit);
		return;
	}
	last_words(bus, unit, &lines);
	(void)fault_set(why, strcmp(result, "timeout") == 0 ? ETIMEDOUT : EREMOTEIO, "%s: %s%s%s",
			unit, result, lines.len ? ": " : "", text_str(&lines));
}

/* From a settled state to an outcome. */
static int judge(struct sd_bus *bus, const char *unit, const char *state, struct fault *why)
{
	if (strcmp(state, "active") == 0)
		return UNITS_SUCCEEDED;
	if (strcmp(state, "failed") != 0)
		return UNITS_NONE;
	end_fault(bus, unit, why);
	return UNITS_FAILED;
}

int units_rejoin(struct sd_bus *bus, const char *unit, const struct units_tick *tick,
		 struct fault *why)
{
	char state[32];
	int r = units_state(bus, unit, state, why);

	if (r < 0 || !state[0])
		return r < 0 ? r : UNITS_NONE;
	/* Its own time limit ends it. */
	r = settle(bus, unit, 0, tick, state, why);
	return r < 0 ? r : judge(bus, unit, state, why);
}

static int clear_away(struct sd_bus *bus, const char *unit, const struct units_tick *tick,
		      struct fault *why)
{
	struct fault ignored = { 0 };
	int r = units_stop(bus, unit, 120, tick, why);

	/* A failed unit stays loaded under its name until told otherwise; another one is not there.
	 */
	if (r >= 0 && call(bus, "ResetFailedUnit", unit, NULL, &ignored) < 0)
		return 0;
	return r;
}

int units_run(struct sd_bus *bus, const struct units_transient *what, const struct units_tick *tick,
	      struct fault *why)
{
	char state[32];
	int r = clear_away(bus, what->unit, tick, why);

	if (r >= 0)
		r = start_transient(bus, what, why);
	if (r >= 0)
		r = settle(bus, what->unit, what->limit_s + 120, tick, state, why);
	if (r < 0)
		return r;
	r = judge(bus, what->unit, state, why);
	if (r == UNITS_NONE)
		return fault_set(why, EREMOTEIO, "%s was stopped by somebody", what->unit);
	return r == UNITS_FAILED ? -why->code : 0;
}
