/* SPDX-License-Identifier: MIT */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "cluster/audit.h"
#include "cluster/plan.h"
#include "firstboot/state.h"
#include "image/lease.h"
#include "image/record.h"
#include "image/sums.h"

/*
 * What other machines and earlier versions of us told or noted: the first byte says which. What is
 * understood comes out the same when it is written and read once more.
 */

/* libfyaml 0.7 loses some bytes over quoted texts of many lines; not ours to free. */
const char *__lsan_default_suppressions(void);

const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml.so";
}

static void must(bool holds)
{
	if (!holds)
		__builtin_trap();
}

/* r, after a look at whether a failure says why. */
static int told(int r, const struct fault *why)
{
	must(r >= 0 || (why->code != 0 && why->text[0]));
	return r;
}

static void must_be_same(const struct text *a, const struct text *b)
{
	must(a->len == b->len && memcmp(text_str(a), text_str(b), a->len) == 0);
}

static void audit(const char *data, size_t len)
{
	scoped(audit_done) struct audit a = { 0 };
	scoped(audit_done) struct audit again = { 0 };
	scoped(text_done) struct text once = { 0 };
	scoped(text_done) struct text twice = { 0 };
	scoped(text_done) struct text shown = { 0 };
	struct fault why = { 0 };
	const char *c;

	if (told(audit_parse(data, len, &a, &why), &why) < 0)
		return;
	must(a.n > 0);
	audit_print(&a, "what", &shown);
	for (c = text_str(&shown); *c; c++)
		must((unsigned char)*c >= 0x20 || *c == '\n');
	audit_junit(&a, "what", &shown);
	audit_json(&a, "what", &once);
	must(audit_parse(text_str(&once), once.len, &again, &why) == 0);
	audit_json(&again, "what", &twice);
	must_be_same(&once, &twice);
}

static void leases(const char *data, size_t len)
{
	scoped(leases_done) struct leases l = { 0 };
	struct fault why = { 0 };
	size_t i;

	if (told(leases_parse(data, len, &l, &why), &why) < 0)
		return;
	for (i = 0; i < l.n; i++) {
		must(l.list[i].renewed <= l.newest);
		must(!l.list[i].node || leases_lag(&l, l.list[i].node) >= 0);
	}
}

static void facts(const char *data, size_t len)
{
	struct plan_facts f = { 0 };
	struct root_facts root;
	struct fault why = { 0 };

	(void)told(plan_facts_parse(data, len, &f, &why), &why);
	must(memchr(f.pause, '\0', sizeof(f.pause)) && f.containerd_major >= 0);
	why = (struct fault){ 0 };
	(void)told(record_facts(data, len, &root, &why), &why);
}

static void record(const char *data, size_t len)
{
	scoped(record_done) struct record r = { 0 };
	scoped(record_done) struct record again = { 0 };
	scoped(text_done) struct text once = { 0 };
	scoped(text_done) struct text twice = { 0 };
	struct fault why = { 0 };

	if (told(record_parse(data, len, &r, &why), &why) < 0)
		return;
	record_render(&r, &once);
	must(record_parse(text_str(&once), once.len, &again, &why) == 0);
	must(again.n_nodes == r.n_nodes);
	record_render(&again, &twice);
	must_be_same(&once, &twice);
}

static void sums(const char *data, size_t len)
{
	scoped(sums_done) struct sums s = { 0 };
	scoped(sums_done) struct sums again = { 0 };
	scoped(text_done) struct text once = { 0 };
	scoped(text_done) struct text twice = { 0 };
	struct fault why = { 0 };
	size_t i;

	if (told(sums_parse(data, len, &s, &why), &why) < 0)
		return;
	for (i = 0; i < s.n; i++)
		must(sums_find(&s, s.lines[i].name) == &s.lines[i] &&
		     !strchr(s.lines[i].name, '/'));
	sums_render(&s, &once);
	must(once.len == len && sums_parse(text_str(&once), once.len, &again, &why) == 0);
	sums_render(&again, &twice);
	must_be_same(&once, &twice);
}

static void state(const char *data, size_t len)
{
	scoped(text_done) struct text once = { 0 };
	scoped(text_done) struct text whole = { 0 };
	struct state s, again;

	if (state_parse(data, len, &s) != STATE_READ)
		return;
	state_render(&s, &once);
	must(state_parse(text_str(&once), once.len, &again) == STATE_READ);
	must(memcmp(&s, &again, sizeof(s)) == 0);
	state_tell_beginning(&s, &whole);
}

/* By its sum hardly anything would get in. */
static void summed_state(const char *data, size_t len)
{
	scoped(text_done) struct text text = { 0 };
	uint64_t sum = UINT64_C(0xcbf29ce484222325);
	size_t i;

	for (i = 0; i < len; i++)
		sum = (sum ^ (unsigned char)data[i]) * UINT64_C(0x100000001b3);
	text_add_n(&text, data, len);
	text_addf(&text, "sum %016llx\n", (unsigned long long)sum);
	state(text_str(&text), text.len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static void (*const parsers[])(const char *data, size_t len) = {
		audit, leases, facts, record, sums, state, summed_state,
	};

	if (size > 1)
		parsers[data[0] % COUNT(parsers)]((const char *)data + 1, size - 1);
	return 0;
}
