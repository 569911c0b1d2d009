/* SPDX-License-Identifier: MIT */
#include "image/drill.h"

#include <stdlib.h>

#include "base/macros.h"
#include "base/text.h"
#include "cluster/model.h"

static const struct {
	const char *name, *since;
	bool starts;
	unsigned from_s, to_s; /* of the delay */
} moments[DRILL_N_MOMENTS] = {
	[DRILL_BOOTING] = { "while booting", "after power on", true, 2, 40 },
	[DRILL_ASSEMBLING] = { "while assembling", "after power on", true, 40, 400 },
	[DRILL_STEADY] = { "while all are Ready", "after the last was Ready", false, 1, 90 },
	[DRILL_WRITING] = { "while etcd is written to", "after the last was Ready", false, 1, 20 },
	[DRILL_FIRST_BOOT] = { "in its first boot", "after power on", true, 5, 400 },
};

const char *drill_moment_name(enum drill_moment moment)
{
	return moments[moment].name;
}

bool drill_starts(enum drill_moment moment)
{
	return moments[moment].starts;
}

/* SplitMix64: any seed will do, 0 too. */
static uint64_t next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static unsigned between(uint64_t *state, unsigned from, unsigned to)
{
	return from + (unsigned)(next(state) % (to - from + 1));
}

/* The machine of that number; expendable: of the workers, which hold nothing of their own. */
static const struct model_node *machine(const struct model *m, bool expendable, size_t number)
{
	size_t i;

	for (i = 0; i < m->n_nodes; i++)
		if (m->nodes[i].vm.mark.line != 0 &&
		    (!expendable || m->nodes[i].roles == MODEL_WORKER) && number-- == 0)
			return &m->nodes[i];
	return NULL;
}

static size_t count_machines(const struct model *m, bool expendable)
{
	size_t n = 0;

	while (machine(m, expendable, n))
		n++;
	return n;
}

/* A round holds each pair of moment and reach once, in an order of its own. */
static void shuffle(uint64_t *state, unsigned *round, unsigned n)
{
	unsigned i, j, swap;

	for (i = 0; i < n; i++)
		round[i] = i;
	for (i = n - 1; i > 0; i--) {
		j = between(state, 0, i);
		swap = round[i];
		round[i] = round[j];
		round[j] = swap;
	}
}

size_t drill_plan(const struct model *m, uint64_t seed, bool anew, struct drill_cut *cuts, size_t n)
{
	enum { OFF_S = 15 };
	const size_t n_machines = count_machines(m, false), n_expendable = count_machines(m, true);
	unsigned round[DRILL_N_MOMENTS * DRILL_N_REACHES];
	unsigned n_round = (anew ? DRILL_N_MOMENTS : DRILL_FIRST_BOOT) * DRILL_N_REACHES;
	size_t i;

	for (i = 0; n_machines > 0 && i < n; i++) {
		struct drill_cut *cut = &cuts[i];
		bool expendable;
		size_t n_choices;
		unsigned kind;

		if (i % n_round == 0)
			shuffle(&seed, round, n_round);
		kind = round[i % n_round];
		*cut = (struct drill_cut){ .moment = kind / DRILL_N_REACHES,
					   .reach = kind % DRILL_N_REACHES };
		cut->delay_s =
			between(&seed, moments[cut->moment].from_s, moments[cut->moment].to_s);
		cut->off_s = between(&seed, 1, OFF_S);
		expendable = cut->moment == DRILL_FIRST_BOOT;
		n_choices = expendable ? n_expendable : n_machines;
		if (n_choices == 0)
			cut->reach = DRILL_RACK;
		if (cut->reach == DRILL_NODE)
			cut->node = machine(m, expendable, next(&seed) % n_choices);
	}
	return n_machines;
}

void drill_tell(const struct drill_cut *cut, size_t number, size_t n, struct text *out)
{
	text_addf(out, "cut %zu/%zu: %s%s%s %s, %u s %s, off for %u s", number, n,
		  cut->reach == DRILL_RACK ? "the whole rack" : "node '",
		  cut->node ? cut->node->name : "", cut->node ? "'" : "", moments[cut->moment].name,
		  cut->delay_s, moments[cut->moment].since, cut->off_s);
}

static int ascending(const void *a, const void *b)
{
	unsigned x = *(const unsigned *)a, y = *(const unsigned *)b;

	return (x > y) - (x < y);
}

struct drill_summary drill_sum_up(unsigned *seconds, size_t n)
{
	qsort(seconds, n, sizeof(*seconds), ascending);
	/* Of an even number the upper of the two in the middle: a time that did occur. */
	return (struct drill_summary){ seconds[0], seconds[n / 2], seconds[n - 1] };
}
