/* SPDX-License-Identifier: MIT */
#include "firstboot/gpu.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/macros.h"
#include "base/text.h"
#include "cluster/gpu.h"

/* What modprobe says, and what that means. */
static const struct {
	const char *words;
	enum gpu_verdict verdict;
} refusals[] = {
	{ "not found in directory", GPU_NO_MODULE },
	{ "Key was rejected", GPU_UNSIGNED },
	{ "Required key not available", GPU_UNSIGNED },
	{ "Operation not permitted", GPU_UNSIGNED },
};

static bool is_one_of(const char *name, const char *const *names)
{
	for (; *names; names++)
		if (strcmp(*names, name) == 0)
			return true;
	return false;
}

/* The first device of which something holds, or NULL. */
typedef bool device_is(const struct gpu_facts *f, const struct gpu_device *d);

static const struct gpu_device *find(const struct gpu_facts *f, device_is *is)
{
	size_t i;

	for (i = 0; i < f->n; i++)
		if (is(f, &f->devices[i]))
			return &f->devices[i];
	return NULL;
}

static bool is_silent(const struct gpu_facts *f, const struct gpu_device *d)
{
	(void)f;
	return d->silent;
}

static bool is_a_strangers(const struct gpu_facts *f, const struct gpu_device *d)
{
	return is_one_of(d->driver, f->vendor->strangers);
}

static bool is_unbound(const struct gpu_facts *f, const struct gpu_device *d)
{
	return !is_one_of(d->driver, f->vendor->drivers);
}

static bool is_unseen(const struct gpu_facts *f, const struct gpu_device *d)
{
	(void)f;
	return !d->seen;
}

static enum gpu_verdict judge_bus(const struct gpu_facts *f, struct text *reason)
{
	const struct gpu_device *d;

	if (f->n == 0) {
		text_addf(reason, "PCI shows no GPU of %s", f->vendor->name);
		return GPU_NONE;
	}
	d = find(f, is_silent);
	if (d) {
		text_addf(reason, "%s fell off the bus: it does not answer any more", d->address);
		return GPU_LOST;
	}
	if (f->n < f->wanted) {
		text_addf(reason, "PCI shows %zu of the %u GPUs that the file says", f->n,
			  f->wanted);
		return GPU_FEWER;
	}
	d = find(f, is_a_strangers);
	if (d) {
		text_addf(reason,
			  "%s is held by %s, which is kept off from the machine's next start on",
			  d->address, d->driver);
		return GPU_STRANGER;
	}
	return GPU_READY;
}

static enum gpu_verdict judge_refusal(const struct gpu_facts *f, struct text *reason)
{
	enum gpu_verdict verdict = GPU_REFUSED;
	size_t i;

	for (i = 0; i < COUNT(refusals) && verdict == GPU_REFUSED; i++)
		if (strstr(f->refusal, refusals[i].words))
			verdict = refusals[i].verdict;
	if (verdict == GPU_NO_MODULE)
		text_add(reason, "no driver for this kernel");
	else if (verdict == GPU_UNSIGNED)
		text_addf(reason,
			  "the driver's module is not signed by a key that is trusted here%s",
			  f->secure_boot ? ", and Secure Boot is on" : "");
	else
		text_add(reason, "the driver cannot be loaded");
	text_addf(reason, ": %s", f->refusal);
	return verdict;
}

static enum gpu_verdict judge_driver(const struct gpu_facts *f, struct text *reason)
{
	const struct gpu_device *d;

	if (!f->loaded && !f->refusal[0])
		return GPU_LOAD;
	if (!f->loaded)
		return judge_refusal(f, reason);
	d = find(f, is_unbound);
	if (d && d->driver[0])
		text_addf(reason, "%s is held by %s", d->address, d->driver);
	else if (d)
		text_addf(reason, "%s is taken by no driver, though that is loaded", d->address);
	return d ? GPU_UNBOUND : GPU_READY;
}

static enum gpu_verdict judge_use(const struct gpu_facts *f, struct text *reason)
{
	const struct gpu_device *d;

	if (f->switches && !f->fabric && !f->fabric_refusal[0])
		return GPU_START_FABRIC;
	if (f->switches && !f->fabric) {
		text_addf(reason, "there are NVSwitches and no fabric manager: %s",
			  f->fabric_refusal);
		return GPU_NO_FABRIC;
	}
	if (f->vendor->spec_program && !f->spec_is_fresh)
		return GPU_MAKE_SPEC;
	if (!f->tested)
		return GPU_TEST;
	d = find(f, is_unseen);
	if (d)
		text_addf(reason, "%s is on the bus, and %s does not see it", d->address,
			  f->vendor->test_program ? f->vendor->test_program : "/dev/dri");
	return d ? GPU_UNSEEN : GPU_READY;
}

enum gpu_verdict gpu_decide(const struct gpu_facts *f, struct text *reason)
{
	enum gpu_verdict verdict = judge_bus(f, reason);

	if (verdict == GPU_READY)
		verdict = judge_driver(f, reason);
	if (verdict == GPU_READY)
		verdict = judge_use(f, reason);
	if (verdict == GPU_READY)
		text_addf(reason, "%zu x %s, driver %s", f->n, f->devices[0].product, f->driver);
	return verdict;
}

bool gpu_is_action(enum gpu_verdict verdict)
{
	return verdict > GPU_READY && verdict <= GPU_TEST;
}

void gpu_fingerprint(const struct gpu_facts *f, struct text *out)
{
	size_t i;

	text_addf(out, "driver %s\n", f->driver);
	for (i = 0; i < f->n; i++)
		text_addf(out, "%s %04x\n", f->devices[i].address, f->devices[i].device);
}

/* A column without the spaces around it; *at moves behind its comma. */
static void column(const char **at, const char *end, char *buf, size_t size)
{
	const char *s = *at;
	size_t n = 0;

	while (s + n < end && s[n] != ',')
		n++;
	*at = s + n + (s + n < end);
	while (n > 0 && isspace((unsigned char)*s)) {
		s++;
		n--;
	}
	while (n > 0 && isspace((unsigned char)s[n - 1]))
		n--;
	snprintf(buf, size, "%.*s", (int)n, s);
}

/* "00000000:CA:00.0" there is "0000:ca:00.0" in /sys. */
static struct gpu_device *by_bus_id(struct gpu_facts *f, const char *id)
{
	size_t n = strlen(id), i;

	for (i = 0; i < f->n; i++) {
		size_t k = strlen(f->devices[i].address);

		if (n >= k && strcasecmp(id + n - k, f->devices[i].address) == 0 &&
		    strspn(id, "0") >= n - k)
			return &f->devices[i];
	}
	return NULL;
}

void gpu_read_smi(const char *csv, struct gpu_facts *f)
{
	while (*csv) {
		const char *end = csv + strcspn(csv, "\n"), *at = csv;
		char id[32], memory[32];
		struct gpu_device *d;

		column(&at, end, id, sizeof(id));
		d = by_bus_id(f, id);
		if (d) {
			d->seen = true;
			column(&at, end, d->product, sizeof(d->product));
			column(&at, end, memory, sizeof(memory));
			d->memory_mib = strtoull(memory, NULL, 10);
		}
		csv = end + (*end == '\n');
	}
}

/* As a label's value may be: other signs become one '-', and none stands at an end. */
static void to_label(const char *s, char buf[static GPU_LABEL_LEN])
{
	size_t n = 0;

	for (; *s && n + 1 < GPU_LABEL_LEN; s++) {
		if (isalnum((unsigned char)*s) || (n > 0 && strchr("._", *s)))
			buf[n++] = *s;
		else if (n > 0 && buf[n - 1] != '-')
			buf[n++] = '-';
	}
	while (n > 0 && !isalnum((unsigned char)buf[n - 1]))
		n--;
	buf[n] = '\0';
}

void gpu_tell(const struct gpu_facts *f, struct gpu_found *ret)
{
	size_t i;

	*ret = (struct gpu_found){ .tested = true, .count = (unsigned)f->n };
	for (i = 0; i < f->n; i++)
		if (i == 0 || f->devices[i].memory_mib < ret->memory_mib)
			ret->memory_mib = f->devices[i].memory_mib;
	to_label(f->devices[0].product, ret->product);
	to_label(f->driver, ret->driver);
}
