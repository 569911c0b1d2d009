/* SPDX-License-Identifier: MIT */
#include "firstboot/steps.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/fault.h"

enum { FIRST_MS = 500, LAST_MS = 15000 };

static const char *const state_names[STEP_N_STATES] = {
	[STEP_PENDING] = "pending", [STEP_RUNNING] = "running", [STEP_WAITING] = "waiting",
	[STEP_FAILED] = "failed",   [STEP_DONE] = "done",
};

/* A step on its way: how often it was tried, since when, and the cause that was told last. */
struct trial {
	const struct step *step;
	int64_t begin_ms;
	unsigned tries;
	bool done;
	char told[sizeof(((struct fault *)0)->text)];
};

const char *step_state_name(enum step_state state)
{
	return state_names[state];
}

int step_wait(struct fault *why, const char *format, ...)
{
	char cause[sizeof(why->text)];
	size_t n;
	va_list args;

	snprintf(cause, sizeof(cause), "%s", why->text);
	why->code = EAGAIN;
	va_start(args, format);
	vsnprintf(why->text, sizeof(why->text), format, args);
	va_end(args);
	n = strlen(why->text);
	snprintf(why->text + n, sizeof(why->text) - n, "\n%s", cause);
	return -EAGAIN;
}

unsigned step_delay_ms(unsigned tries, uint32_t random)
{
	unsigned ms = tries < 5 ? (unsigned)FIRST_MS << tries : (unsigned)LAST_MS;

	return ms - (unsigned)((uint64_t)ms * random / 4 / UINT32_MAX);
}

static uint32_t random_u32(void)
{
	uint32_t n = 0;

	/* Without entropy there is no jitter, which does no harm this early. */
	return getrandom(&n, sizeof(n), GRND_NONBLOCK) == (ssize_t)sizeof(n) ? n : 0;
}

static void tell(const struct runner *r, const struct trial *t, enum step_state state,
		 const char *reason, bool repeated)
{
	const struct step_event event = {
		.name = t->step->name, .state = state, .reason = reason, .repeated = repeated
	};

	r->announce(r->data, &event);
}

/* The fault of one try, as people shall read it. */
static void tell_trouble(const struct runner *r, struct trial *t, const struct fault *why)
{
	long long waited_s = (r->now_ms(r->data) - t->begin_ms) / 1000;
	bool repeated = strcmp(t->told, why->text) == 0;
	const char *cause = strchr(why->text, '\n');
	char reason[sizeof(why->text) + 64];

	if (why->code != EAGAIN || !cause)
		snprintf(reason, sizeof(reason), "%s", why->text);
	else
		snprintf(reason, sizeof(reason), "waiting for %.*s, %lld s%s%s",
			 (int)(cause - why->text), why->text, waited_s, cause[1] ? ": " : "",
			 cause + 1);
	tell(r, t, why->code == EAGAIN ? STEP_WAITING : STEP_FAILED, reason, repeated);
	snprintf(t->told, sizeof(t->told), "%s", why->text);
}

static bool time_is_up(const struct runner *r, const struct trial *t)
{
	int64_t passed_ms = r->now_ms(r->data) - t->begin_ms;

	return t->step->limit_s && passed_ms >= (int64_t)t->step->limit_s * 1000;
}

/* One try: positive when done, 0 to try again, negative when its time is up. */
static int attempt(const struct runner *r, struct trial *t, struct fault *why)
{
	int result;

	if (t->tries == 0) {
		t->begin_ms = r->now_ms(r->data);
		tell(r, t, STEP_RUNNING, "", false);
	}
	t->tries++;
	*why = (struct fault){ 0 };
	result = t->step->run(r->node, why);
	if (result >= 0) {
		tell(r, t, STEP_DONE, result == STEP_CHANGED ? "changed" : "as it must be", false);
		t->done = true;
		return 1;
	}
	if (why->code == ECANCELED)
		return 0; /* pause() will say stop */
	tell_trouble(r, t, why);
	return time_is_up(r, t) ? -why->code : 0;
}

static int pause_after(const struct runner *r, struct trial *t, struct fault *why)
{
	unsigned tries = t->tries ? t->tries - 1 : 0;

	switch (r->pause(r->data, step_delay_ms(tries, random_u32()))) {
	case STEP_PAUSE_OVER:
		return 0;
	case STEP_PAUSE_RETRY:
		t->tries = 1; /* the pace starts over; the time it has waited does not */
		return 0;
	case STEP_PAUSE_STOP:
		break;
	}
	return fault_set(why, ECANCELED, "stopped");
}

static int run_foreground(const struct runner *r, struct trial *trials, struct fault *why)
{
	size_t i;
	int done, stop;

	for (i = 0; i < r->n; i++) {
		if (r->steps[i].background)
			continue;
		while ((done = attempt(r, &trials[i], why)) == 0) {
			stop = pause_after(r, &trials[i], why);
			if (stop < 0)
				return stop;
		}
		if (done < 0)
			return fault_wrap(why, "%s", r->steps[i].name);
	}
	return 0;
}

/* One try of each that is not done; *ret_slowest is the one that was tried most, or NULL. */
static int run_background(const struct runner *r, struct trial *trials, struct trial **ret_slowest,
			  struct fault *why)
{
	size_t i;
	int done;

	*ret_slowest = NULL;
	for (i = 0; i < r->n; i++) {
		if (!r->steps[i].background || trials[i].done)
			continue;
		done = attempt(r, &trials[i], why);
		if (done < 0)
			return fault_wrap(why, "%s", r->steps[i].name);
		if (done == 0 && (!*ret_slowest || trials[i].tries > (*ret_slowest)->tries))
			*ret_slowest = &trials[i];
	}
	return 0;
}

int steps_run(const struct runner *r, struct fault *why)
{
	struct trial trials[STEPS_MAX] = { 0 };
	struct trial *slowest;
	size_t i;
	int result;

	assert(r->n <= STEPS_MAX);
	for (i = 0; i < r->n; i++)
		trials[i].step = &r->steps[i];
	for (i = 0; i < r->n; i++)
		tell(r, &trials[i], STEP_PENDING, "", false);
	result = run_foreground(r, trials, why);
	while (result == 0) {
		result = run_background(r, trials, &slowest, why);
		if (result == 0 && !slowest)
			return 0;
		if (result == 0)
			result = pause_after(r, slowest, why);
	}
	return result;
}
