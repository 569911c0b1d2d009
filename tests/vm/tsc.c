/* SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <x86intrin.h>

/*
 * Prints how fast this machine's TSC counts, in kHz, to the MHz: what it is told is part of what a
 * disk is made from. An emulated guest reads this very counter, and
 * what it makes of it at boot, against a timer that comes late on a busy host, may be ten times
 * off.
 */

enum { TRIES = 100 };

struct sample {
	uint64_t ticks;
	int64_t ns;
};

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC_RAW, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

/* Of many looks at both clocks the one that nothing came between. */
static struct sample take(void)
{
	struct sample best = { 0 };
	int64_t least = INT64_MAX;
	int i;

	for (i = 0; i < TRIES; i++) {
		int64_t before = now_ns();
		uint64_t ticks = __rdtsc();
		int64_t after = now_ns();

		if (after - before >= least)
			continue;
		least = after - before;
		best = (struct sample){ ticks, before + least / 2 };
	}
	return best;
}

int main(void)
{
	const struct timespec pause = { .tv_nsec = 500000000 };
	struct sample first = take(), last;

	nanosleep(&pause, NULL);
	last = take();
	printf("%.0f000\n",
	       (double)(last.ticks - first.ticks) * 1e3 / (double)(last.ns - first.ns));
	return 0;
}
