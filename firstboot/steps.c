/* SPDX-License-Identifier: MIT */
#include "firstboot/steps.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/fault.h"

#define NOT_YET INT64_MAX /* due when the foreground is through */

enum { FIRST_MS = 500, LAST_MS = 15000, SLOWEST_MS = 60000 };

static const char *const state_names[STEP_N_STATES] = {
	[STEP_PENDING] = "pending", [STEP_RUNNING] = "running", [STEP_WAITING] = "waiting",
	[STEP_FAILED] = "failed",   [STEP_DONE] = "done",
};

/* A step on its way: how often it was tried, since when, and what was told of it last. */
struct trial {
	const struct step *step;
	int64_t begin_ms;
	int64_t due_ms; /* of a step that nobody waits for: not before that */
	unsigned tries; /* since it was done last */
	bool done;
	bool settled; /* done, and nothing else was told since */
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

int step_say(struct fault *why, enum step_result result, const char *format, ...)
{
	va_list args;

	/* What a tolerated failure left behind has a code; this has none. */
	why->code = 0;
	va_start(args, format);
	vsnprintf(why->text, sizeof(why->text), format, args);
	va_end(args);
	return (int)result;
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

/* A later look that finds all as it was is no news. */
static void tell_done(const struct runner *r, struct trial *t, int result, const struct fault *why)
{
	bool says = why->code == 0 && why->text[0];
	const char *reason = says		      ? why->text
			     : result == STEP_CHANGED ? "changed"
						      : "as it must be";
	bool repeated =
		t->settled && result == STEP_SAME && (!says || strcmp(t->told, reason) == 0);

	tell(r, t, STEP_DONE, reason, repeated);
	snprintf(t->told, sizeof(t->told), "%s", reason);
	t->settled = true;
}

static bool time_is_up(const struct runner *r, const struct trial *t)
{
	int64_t passed_ms = r->now_ms(r->data) - t->begin_ms;

	return t->step->limit_s && passed_ms >= (int64_t)t->step->limit_s * 1000;
}

static void begin(const struct runner *r, struct trial *t)
{
	t->begin_ms = r->now_ms(r->data);
	if (!t->settled)
		tell(r, t, STEP_RUNNING, "", false);
}

/* One try: positive when done, 0 to try again, negative when its time is up. */
static int attempt(const struct runner *r, struct trial *t, struct fault *why)
{
	int result;

	if (r->turn)
		r->turn(r->data, t->step->name);
	if (t->tries == 0)
		begin(r, t);
	t->tries++;
	*why = (struct fault){ 0 };
	result = t->step->run(r->node, why);
	t->done = result >= 0;
	if (result >= 0) {
		tell_done(r, t, result, why);
		t->tries = 0;
		return 1;
	}
	if (why->code == ECANCELED)
		return 0; /* pause() will say stop */
	tell_trouble(r, t, why);
	t->settled = false;
	return time_is_up(r, t) ? -why->code : 0;
}

static bool is_over(const struct trial *t)
{
	return t->done && !t->step->again_s;
}

/*
 * When it is its turn next. What takes long to fail is asked of somebody who is busy, such as an
 * API server that just starts: at most a fifth of the time goes into asking.
 */
static int64_t due_after(const struct runner *r, const struct trial *t, int64_t begun_ms)
{
	int64_t now_ms = r->now_ms(r->data);
	int64_t wait_ms = step_delay_ms(t->tries ? t->tries - 1 : 0, random_u32());
	int64_t rest_ms = 4 * (now_ms - begun_ms);

	if (t->done)
		return now_ms + (int64_t)t->step->again_s * 1000;
	if (rest_ms > wait_ms)
		wait_ms = rest_ms < SLOWEST_MS ? rest_ms : SLOWEST_MS;
	return now_ms + wait_ms;
}

static bool is_blocked(const struct trial *trials, const struct trial *t)
{
	const char *after = t->step->after;

	for (; after && trials < t; trials++)
		if (strcmp(trials->step->name, after) == 0)
			return !trials->done;
	return false;
}

/* One try of each of the first n whose turn it is. */
static int run_due(const struct runner *r, struct trial *trials, size_t n, struct fault *why)
{
	size_t i;
	int done;

	for (i = 0; i < n; i++) {
		int64_t begun_ms = r->now_ms(r->data);

		if (is_over(&trials[i]) || is_blocked(trials, &trials[i]) ||
		    begun_ms < trials[i].due_ms)
			continue;
		done = attempt(r, &trials[i], why);
		if (done < 0)
			return fault_wrap(why, "%s", r->steps[i].name);
		trials[i].due_ms = due_after(r, &trials[i], begun_ms);
	}
	return 0;
}

/* The one whose turn is next, or NULL when there is nothing more to do. */
static const struct trial *find_next(const struct runner *r, const struct trial *trials)
{
	const struct trial *next = NULL;
	size_t i;

	for (i = 0; i < r->n; i++)
		if (!is_over(&trials[i]) && !is_blocked(trials, &trials[i]) &&
		    (!next || trials[i].due_ms < next->due_ms))
			next = &trials[i];
	return next;
}

/*
 * Somebody does not want to wait for the first n: STEPS_ASKED when only looking again is left to
 * do. The pace starts over; the time that one has waited does not.
 */
static int hurry(const struct runner *r, struct trial *trials, size_t n)
{
	int64_t now_ms = r->now_ms(r->data);
	int result = STEPS_ASKED;
	size_t i;

	for (i = 0; i < n; i++) {
		if (trials[i].due_ms == NOT_YET)
			continue;
		trials[i].due_ms = now_ms;
		if (trials[i].done)
			continue;
		trials[i].tries = trials[i].tries ? 1 : 0;
		result = STEPS_DONE;
	}
	return result;
}

/* Between two tries of one that the later ones wait for: those before it that yielded go on. */
static int pause_after(const struct runner *r, struct trial *trials, size_t i, struct fault *why)
{
	unsigned tries = trials[i].tries ? trials[i].tries - 1 : 0;

	switch (r->pause(r->data, step_delay_ms(tries, random_u32()))) {
	case STEP_PAUSE_RETRY:
		hurry(r, trials, i + 1);
		break;
	case STEP_PAUSE_OVER:
		break;
	case STEP_PAUSE_STOP:
		return fault_set(why, ECANCELED, "stopped");
	}
	return run_due(r, trials, i, why);
}

/* What was stopped must not pass: pause() is to say so. */
static bool may_pass(const struct runner *r, const struct trial *t, const struct fault *why)
{
	return why->code != ECANCELED && t->step->yields && t->step->yields(r->node);
}

/* Until it is done or yields. */
static int run_one(const struct runner *r, struct trial *trials, size_t i, struct fault *why)
{
	struct trial *t = &trials[i];
	int64_t begun_ms = r->now_ms(r->data);
	int done, stop;

	while ((done = attempt(r, t, why)) == 0 && !may_pass(r, t, why)) {
		stop = pause_after(r, trials, i, why);
		if (stop < 0)
			return stop;
		begun_ms = r->now_ms(r->data);
	}
	t->due_ms = due_after(r, t, begun_ms);
	return done < 0 ? fault_wrap(why, "%s", t->step->name) : 0;
}

static int run_foreground(const struct runner *r, struct trial *trials, struct fault *why)
{
	size_t i;
	int result = 0;

	for (i = 0; i < r->n && result == 0; i++)
		if (!r->steps[i].background && !is_blocked(trials, &trials[i]))
			result = run_one(r, trials, i, why);
	for (i = 0; i < r->n; i++)
		if (r->steps[i].background)
			trials[i].due_ms = 0;
	return result;
}

/* Runs those that nobody waits for until all are over. */
static int keep_on(const struct runner *r, struct trial *trials, struct fault *why)
{
	const struct trial *next;
	int64_t wait_ms;
	int result = STEPS_DONE;

	while (result == STEPS_DONE) {
		result = run_due(r, trials, r->n, why);
		next = find_next(r, trials);
		if (result < 0 || !next)
			break;
		wait_ms = next->due_ms - r->now_ms(r->data);
		switch (r->pause(r->data, wait_ms > 0 ? (unsigned)wait_ms : 0)) {
		case STEP_PAUSE_OVER:
			break;
		case STEP_PAUSE_RETRY:
			result = hurry(r, trials, r->n);
			break;
		case STEP_PAUSE_STOP:
			return fault_set(why, ECANCELED, "stopped");
		}
	}
	return result;
}

int steps_run(const struct runner *r, struct fault *why)
{
	struct trial trials[STEPS_MAX] = { 0 };
	size_t i;
	int result;

	assert(r->n <= STEPS_MAX);
	for (i = 0; i < r->n; i++) {
		trials[i].step = &r->steps[i];
		trials[i].due_ms = r->steps[i].background ? NOT_YET : 0;
		tell(r, &trials[i], STEP_PENDING, "", false);
	}
	result = run_foreground(r, trials, why);
	return result < 0 ? result : keep_on(r, trials, why);
}
