/* SPDX-License-Identifier: MIT */
#include "cluster/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/fault.h"
#include "base/macros.h"
#include "base/text.h"
#include "base/yaml.h"
#include "cluster/kubeadm.h"

enum { MAX_PART = 100000 };

/* "1.20.2" or "1.6.20~ds1": up to n numbers with dots between; how many there were. */
static int numbers(const char *s, int *ret, int n)
{
	int i;

	for (i = 0; i < n && s && *s >= '0' && *s <= '9'; i++) {
		char *end = NULL;
		long value = strtol(s, &end, 10);

		if (value > MAX_PART)
			return i;
		ret[i] = (int)value;
		s = *end == '.' ? end + 1 : NULL;
	}
	return i;
}

int plan_facts_parse(const char *json, size_t len, struct plan_facts *facts, struct fault *why)
{
	scoped(yaml_done) struct yaml tree = { 0 };
	struct yaml_error error = { 0 };
	const char *pause;
	int v[3] = { 0 };
	int r = yaml_parse(json, len, &tree, &error);

	if (r == -ENOMEM)
		return fault_errno(why, ENOMEM, "facts");
	if (r < 0)
		return fault_set(why, EBADMSG, "line %u: %s", error.line, error.message);
	if (tree.kind != YAML_MAPPING)
		return fault_set(why, EBADMSG, "this is no mapping");
	if (numbers(yaml_text(yaml_get(&tree, "kubernetes")), v, 3) == 3)
		facts->kubernetes = (struct model_version){ v[0], v[1], v[2] };
	if (numbers(yaml_text(yaml_get(&tree, "containerd")), v, 2) == 2) {
		facts->containerd_major = v[0];
		facts->containerd_minor = v[1];
	}
	pause = yaml_text(yaml_get(&tree, "pause"));
	if (pause && strlen(pause) >= sizeof(facts->pause))
		return fault_set(why, EBADMSG, "the name of the pause image is too long");
	if (pause)
		memcpy(facts->pause, pause, strlen(pause) + 1);
	return 0;
}

/* What the distributions ship; newer ones have containerd 2. */
static const struct {
	const char *release;
	int major, minor;
} releases[] = {
	{ "bullseye", 1, 4 }, { "bookworm", 1, 6 }, { "trixie", 1, 7 },
	{ "focal", 1, 7 },    { "jammy", 1, 7 },    { "noble", 1, 7 },
};

static void assume_containerd(const struct model *m, struct plan_facts *facts)
{
	size_t i;

	facts->containerd_major = 2;
	facts->containerd_minor = 1;
	for (i = 0; m->os.release && i < COUNT(releases); i++) {
		if (strcmp(m->os.release, releases[i].release) != 0)
			continue;
		facts->containerd_major = releases[i].major;
		facts->containerd_minor = releases[i].minor;
	}
}

void plan_facts_assume(const struct model *m, struct plan_facts *facts)
{
	scoped(text_done) struct text pause = { 0 };

	if (facts->kubernetes.major == 0)
		facts->kubernetes = m->kubernetes;
	if (facts->kubernetes.patch < 0)
		facts->kubernetes.patch = 0;
	if (facts->containerd_major == 0)
		assume_containerd(m, facts);
	if (facts->pause[0])
		return;
	kubeadm_pause_image(m, &facts->kubernetes, &pause);
	snprintf(facts->pause, sizeof(facts->pause), "%s", text_str(&pause));
}
