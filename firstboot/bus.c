/* SPDX-License-Identifier: MIT */
#include "firstboot/bus.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <systemd/sd-bus.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"

static int get_chars(sd_bus *bus, const char *path, const char *interface, const char *property,
		     sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	return sd_bus_message_append(reply, "s", (const char *)userdata);
}

static int get_phase(sd_bus *bus, const char *path, const char *interface, const char *property,
		     sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const enum status_phase *phase = userdata;

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	return sd_bus_message_append(reply, "s", status_phase_name(*phase));
}

static int get_steps(sd_bus *bus, const char *path, const char *interface, const char *property,
		     sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	const struct bus_object *object = userdata;
	const struct status_row *row = object->shown.rows;
	const struct status_row *end = row + object->shown.n_rows;
	int r = sd_bus_message_open_container(reply, 'a', "(ssst)");

	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	for (; r >= 0 && row < end; row++)
		r = sd_bus_message_append(reply, "(ssst)", row->name, step_state_name(row->state),
					  row->reason, row->since_usec);
	return r < 0 ? r : sd_bus_message_close_container(reply);
}

static int retry(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct bus_object *object = userdata;

	(void)error;
	object->retry(object->data);
	return sd_bus_reply_method_return(m, NULL);
}

static int describe(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	const struct bus_object *object = userdata;
	scoped(text_done) struct text json = { 0 };

	(void)error;
	status_json(&object->shown, &json);
	if (text_error(&json) < 0)
		return text_error(&json);
	return sd_bus_reply_method_return(m, "s", text_str(&json));
}

#define SHOWN(field) offsetof(struct bus_object, shown.field)

static const sd_bus_vtable vtable[] = {
	SD_BUS_VTABLE_START(0),
	SD_BUS_PROPERTY("Name", "s", get_chars, SHOWN(name), SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Phase", "s", get_phase, SHOWN(phase), SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Step", "s", get_chars, SHOWN(step), SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	SD_BUS_PROPERTY("Steps", "a(ssst)", get_steps, 0, SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE),
	/* Without the unprivileged mark sd-bus lets root only call it, whatever the policy says. */
	SD_BUS_METHOD("Retry", NULL, NULL, retry, 0),
	SD_BUS_METHOD_WITH_NAMES("Describe", NULL, , "s", SD_BUS_PARAM(json), describe,
				 SD_BUS_VTABLE_UNPRIVILEGED),
	SD_BUS_VTABLE_END,
};

int bus_add(struct sd_bus *bus, struct bus_object *object, struct fault *why)
{
	int r = sd_bus_add_object_vtable(bus, NULL, BUS_PATH, BUS_NAME, vtable, object);

	return r < 0 ? fault_errno(why, r, "%s", BUS_PATH) : 0;
}

static bool same_rows(const struct status *a, const struct status *b)
{
	size_t i;

	if (a->n_rows != b->n_rows)
		return false;
	for (i = 0; i < a->n_rows; i++)
		if (a->rows[i].state != b->rows[i].state ||
		    a->rows[i].since_usec != b->rows[i].since_usec ||
		    strcmp(a->rows[i].name, b->rows[i].name) != 0 ||
		    strcmp(a->rows[i].reason, b->rows[i].reason) != 0)
			return false;
	return true;
}

int bus_show(struct sd_bus *bus, struct bus_object *object, const struct status *status)
{
	const struct status before = object->shown;
	const char *moved[5] = { 0 };
	size_t n = 0;

	object->shown = *status;
	if (strcmp(before.name, status->name) != 0)
		moved[n++] = "Name";
	if (before.phase != status->phase)
		moved[n++] = "Phase";
	if (strcmp(before.step, status->step) != 0)
		moved[n++] = "Step";
	if (!same_rows(&before, status))
		moved[n++] = "Steps";
	if (n == 0 || !bus)
		return 0;
	return sd_bus_emit_properties_changed_strv(bus, BUS_PATH, BUS_NAME, (char **)moved);
}
