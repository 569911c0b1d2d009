/* SPDX-License-Identifier: MIT */
#include "firstboot/show.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <systemd/sd-bus.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "firstboot/bus.h"
#include "firstboot/units.h"

DEFINE_DROP(bus, struct sd_bus *, units_close)
DEFINE_DROP(message, sd_bus_message *, sd_bus_message_unref)
DEFINE_DROP(string, char *, free)

static int ask_fault(struct fault *why, int r, sd_bus_error *error)
{
	if (sd_bus_error_has_name(error, SD_BUS_ERROR_SERVICE_UNKNOWN))
		fault_set(why, ESRCH,
			  "rackseed-firstboot does not run (systemctl status rackseed-early "
			  "rackseed-firstboot)");
	else
		fault_set(why, r, "%s: %s", BUS_NAME,
			  error->message ? error->message : "no answer");
	sd_bus_error_free(error);
	return r;
}

static int show_json(struct sd_bus *bus, struct text *out, struct fault *why)
{
	scoped(drop_message) sd_bus_message *reply = NULL;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	const char *json = NULL;
	int r = sd_bus_call_method(bus, BUS_NAME, BUS_PATH, BUS_NAME, "Describe", &error, &reply,
				   NULL);

	if (r < 0)
		return ask_fault(why, r, &error);
	r = sd_bus_message_read(reply, "s", &json);
	if (r < 0)
		return fault_errno(why, r, "%s: Describe", BUS_NAME);
	text_addf(out, "%s\n", json);
	return 0;
}

static void age(uint64_t since_usec, struct text *out)
{
	struct timespec now;
	int64_t s;

	clock_gettime(CLOCK_REALTIME, &now);
	s = now.tv_sec - (int64_t)(since_usec / 1000000);
	s = s < 0 ? 0 : s; /* the clock was set back */
	if (since_usec == 0)
		text_addf(out, "%8s", "-");
	else if (s < 120)
		text_addf(out, "%6" PRId64 " s", s);
	else if (s < 7200)
		text_addf(out, "%4" PRId64 " min", s / 60);
	else
		text_addf(out, "%6" PRId64 " h", s / 3600);
}

static int get_string(struct sd_bus *bus, const char *property, char **ret, struct fault *why)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	int r = sd_bus_get_property_string(bus, BUS_NAME, BUS_PATH, BUS_NAME, property, &error,
					   ret);

	return r < 0 ? ask_fault(why, r, &error) : 0;
}

static int show_rows(struct sd_bus *bus, struct text *out, struct fault *why)
{
	scoped(drop_message) sd_bus_message *reply = NULL;
	sd_bus_error error = SD_BUS_ERROR_NULL;
	const char *name, *state, *reason;
	uint64_t since;
	int r = sd_bus_get_property(bus, BUS_NAME, BUS_PATH, BUS_NAME, "Steps", &error, &reply,
				    "a(ssst)");

	if (r < 0)
		return ask_fault(why, r, &error);
	r = sd_bus_message_enter_container(reply, 'a', "(ssst)");
	while (r > 0) {
		r = sd_bus_message_read(reply, "(ssst)", &name, &state, &reason, &since);
		if (r <= 0)
			break;
		text_addf(out, "%-12s %-8s ", name, state);
		age(since, out);
		text_addf(out, "%s%s\n", reason[0] ? "  " : "", reason);
	}
	return r < 0 ? fault_errno(why, r, "%s: Steps", BUS_NAME) : 0;
}

int show_status(bool json, struct text *out, struct fault *why)
{
	scoped(drop_bus) struct sd_bus *bus = NULL;
	scoped(drop_string) char *name = NULL;
	scoped(drop_string) char *phase = NULL;
	int r = units_open(&bus, why);

	if (r < 0 || json)
		return r < 0 ? r : show_json(bus, out, why);
	r = get_string(bus, "Name", &name, why);
	if (r >= 0)
		r = get_string(bus, "Phase", &phase, why);
	if (r < 0)
		return r;
	text_addf(out, "node '%s': %s\n\n", name, phase);
	return show_rows(bus, out, why);
}
