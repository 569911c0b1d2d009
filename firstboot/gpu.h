/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fault;
struct gpu_vendor;
struct node;
struct text;

/* The GPUs of this machine: what is found of them, what follows from it, and who acts. */

enum { GPU_DEVICES_MAX = 32, GPU_LABEL_LEN = 64 };

/* What the node tells of itself as labels; empty values are not known. */
struct gpu_found {
	bool tested; /* its self-test passed, and nothing speaks against it since */
	unsigned count;
	uint64_t memory_mib; /* of the smallest */
	char product[GPU_LABEL_LEN], driver[GPU_LABEL_LEN];
};

struct gpu_device {
	char address[24]; /* "0000:65:00.0" */
	unsigned device;  /* PCI's number for what it is */
	char driver[32];  /* that holds it; "": none */
	bool silent;	  /* its registers read as ones: it is gone from the bus */
	bool seen;	  /* by the vendor's tool, or as a node of /dev/dri where there is none */
	char product[GPU_LABEL_LEN];
	uint64_t memory_mib; /* 0: not known */
};

/* Of one look. What was tried belongs to it, so that nothing is tried twice in vain. */
struct gpu_facts {
	const struct gpu_vendor *vendor;
	unsigned wanted; /* as many as the file says; 0: any number */
	struct gpu_device devices[GPU_DEVICES_MAX];
	size_t n;
	char driver[GPU_LABEL_LEN]; /* its version, "" while it is not loaded */
	bool loaded;		    /* all modules are */
	char refusal[512];	    /* why loading them failed, "" when it was not tried */
	bool secure_boot;
	char alias[160];	  /* by which the kernel knows the driver of the first one */
	bool switches;		  /* there are NVSwitches, which want a fabric manager */
	bool fabric;		  /* it runs */
	char fabric_refusal[512]; /* why it does not start */
	bool spec_is_fresh; /* the specification for CDI is of this driver and these devices */
	bool tested;	    /* seen, product and memory of the devices are filled in */
};

enum gpu_verdict {
	GPU_READY,
	/* There is something to do, and then to look again. */
	GPU_LOAD,
	GPU_START_FABRIC,
	GPU_MAKE_SPEC,
	GPU_TEST,
	/* A person has to know. */
	GPU_NONE,
	GPU_FEWER,
	GPU_LOST,
	GPU_STRANGER,
	GPU_NO_MODULE,
	GPU_UNSIGNED,
	GPU_REFUSED,
	GPU_UNBOUND,
	GPU_NO_FABRIC,
	GPU_UNSEEN,
	GPU_N_VERDICTS
};

/* Pure. Adds the reason of a verdict that a person has to know, or what is ready. */
enum gpu_verdict gpu_decide(const struct gpu_facts *facts, struct text *reason)
	__attribute__((nonnull));

/* Whether gpu_decide() wants something done. */
bool gpu_is_action(enum gpu_verdict verdict) __attribute__((const));

/* Pure. All that a specification for CDI follows from. */
void gpu_fingerprint(const struct gpu_facts *facts, struct text *out) __attribute__((nonnull));

/*
 * Pure. Takes what nvidia-smi says, a line "BUS ID, NAME, MEMORY IN MIB, DRIVER" each; what is not
 * such a line is passed over.
 */
void gpu_read_smi(const char *csv, struct gpu_facts *facts) __attribute__((nonnull));

/* Pure. The labels of facts that are ready. */
void gpu_tell(const struct gpu_facts *facts, struct gpu_found *ret) __attribute__((nonnull));

/* Looks below root, at /sys and at what an earlier look left; what was tried stays as it is. */
int gpu_probe(int root, struct gpu_facts *facts, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

/* How foreign programs are run; with the node's own bus for the step, without one for tests. */
struct gpu_hands {
	/* Runs a program to its end; a fault carries its last words. */
	int (*run)(void *data, const char *const *argv, struct fault *why);
	/* Makes a unit active: 0, -ENOENT where there is no such unit, or its fault. */
	int (*start)(void *data, const char *unit, struct fault *why);
	void *data;
};

/* The whole step over these hands: as a step of tasks.h. */
int gpu_settle(struct node *node, const struct gpu_hands *hands, struct fault *why)
	__attribute__((nonnull, warn_unused_result));

#define GPU_STATE_PATH "/var/lib/rackseed/gpu" /* the fingerprint of GPU_SPEC_PATH */
#define GPU_RUN_D "/run/rackseed/gpu"
