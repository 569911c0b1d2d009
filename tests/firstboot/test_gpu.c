/* SPDX-License-Identifier: MIT */
#include "tests/firstboot/root.h"

#include "base/macros.h"
#include "cluster/gpu.h"
#include "firstboot/gpu.h"

/* Two devices of nvidia's at work, from which each row of the table departs. */
static struct gpu_facts at_work(void)
{
	return (struct gpu_facts){
		.vendor = gpu_vendor(MODEL_GPU_NVIDIA),
		.wanted = 2,
		.devices = { { .address = "0000:17:00.0",
			       .device = 0x2330,
			       .driver = "nvidia",
			       .seen = true,
			       .product = "NVIDIA H100 80GB HBM3",
			       .memory_mib = 81559 },
			     { .address = "0000:ca:00.0",
			       .device = 0x2330,
			       .driver = "nvidia",
			       .seen = true,
			       .product = "NVIDIA H100 80GB HBM3",
			       .memory_mib = 81550 } },
		.n = 2,
		.driver = "580.95.05",
		.loaded = true,
		.spec_is_fresh = true,
		.tested = true,
	};
}

enum change {
	NOTHING,
	NO_DEVICE,
	ONE_DEVICE,
	ONE_DEVICE_WILL_DO,
	SILENT,
	NOUVEAU,
	VFIO,
	UNBOUND,
	NOT_LOADED,
	NO_SUCH_MODULE,
	KEY_REJECTED,
	KEY_REJECTED_IN_SECURE_BOOT,
	LOCKED_DOWN,
	NO_SUCH_DEVICE,
	SWITCHES,
	SWITCHES_ALONE,
	SWITCHES_SERVED,
	STALE,
	UNTESTED,
	UNSEEN,
	SILENT_AND_UNTESTED,
	NOUVEAU_AND_NOT_LOADED,
};

static void set(char *buf, size_t size, const char *value)
{
	snprintf(buf, size, "%s", value);
}
#define SET(field, value) set(field, sizeof(field), value)

static void change(struct gpu_facts *f, enum change what)
{
	struct gpu_device *second = &f->devices[1];

	switch (what) {
	case NOTHING:
		break;
	case NO_DEVICE:
		f->n = 0;
		break;
	case ONE_DEVICE_WILL_DO:
		f->wanted = 0;
		f->n = 1;
		break;
	case ONE_DEVICE:
		f->n = 1;
		break;
	case SILENT_AND_UNTESTED:
		f->tested = false;
		second->silent = true;
		break;
	case SILENT:
		second->silent = true;
		break;
	case NOUVEAU_AND_NOT_LOADED:
		f->loaded = false;
		SET(second->driver, "nouveau");
		break;
	case NOUVEAU:
		SET(second->driver, "nouveau");
		break;
	case VFIO:
		SET(second->driver, "vfio-pci");
		break;
	case UNBOUND:
		SET(second->driver, "");
		break;
	case NOT_LOADED:
		f->loaded = false;
		break;
	case NO_SUCH_MODULE:
		f->loaded = false;
		SET(f->refusal, "modprobe: FATAL: Module nvidia not found in directory "
				"/lib/modules/6.8.0-90-generic");
		break;
	case KEY_REJECTED_IN_SECURE_BOOT:
		f->secure_boot = true;
		f->loaded = false;
		SET(f->refusal, "could not insert 'nvidia': Key was rejected by service");
		break;
	case KEY_REJECTED:
		f->loaded = false;
		SET(f->refusal, "could not insert 'nvidia': Key was rejected by service");
		break;
	case LOCKED_DOWN:
		f->loaded = false;
		SET(f->refusal, "could not insert 'nvidia': Operation not permitted");
		break;
	case NO_SUCH_DEVICE:
		f->secure_boot = true;
		f->loaded = false;
		SET(f->refusal, "could not insert 'nvidia': No such device");
		break;
	case SWITCHES:
		f->switches = true;
		break;
	case SWITCHES_ALONE:
		f->switches = true;
		SET(f->fabric_refusal, "nvidia-fabricmanager.service is not installed");
		break;
	case SWITCHES_SERVED:
		f->switches = f->fabric = true;
		break;
	case STALE:
		f->spec_is_fresh = false;
		f->tested = false;
		break;
	case UNTESTED:
		f->tested = false;
		second->seen = false;
		break;
	case UNSEEN:
		second->seen = false;
		break;
	}
}

/* What is wrong with the machine is told before what is wrong with its software. */
static void test_each_fact_has_its_verdict(void **state)
{
	static const struct {
		enum change change;
		enum gpu_verdict verdict;
		const char *reason;
	} cases[] = {
		{ NOTHING, GPU_READY, "2 x NVIDIA H100 80GB HBM3, driver 580.95.05" },
		{ NO_DEVICE, GPU_NONE, "PCI shows no GPU of nvidia" },
		{ ONE_DEVICE, GPU_FEWER, "PCI shows 1 of the 2 GPUs that the file says" },
		{ ONE_DEVICE_WILL_DO, GPU_READY, "1 x NVIDIA H100 80GB HBM3, driver 580.95.05" },
		{ SILENT, GPU_LOST, "0000:ca:00.0 fell off the bus: it does not answer any more" },
		{ SILENT_AND_UNTESTED, GPU_LOST,
		  "0000:ca:00.0 fell off the bus: it does not answer any more" },
		{ NOUVEAU, GPU_STRANGER,
		  "0000:ca:00.0 is held by nouveau, which is kept off from the machine's next "
		  "start on" },
		{ NOUVEAU_AND_NOT_LOADED, GPU_STRANGER,
		  "0000:ca:00.0 is held by nouveau, which is kept off from the machine's next "
		  "start on" },
		{ VFIO, GPU_UNBOUND, "0000:ca:00.0 is held by vfio-pci" },
		{ UNBOUND, GPU_UNBOUND,
		  "0000:ca:00.0 is taken by no driver, though that is loaded" },
		{ NOT_LOADED, GPU_LOAD, "" },
		{ NO_SUCH_MODULE, GPU_NO_MODULE,
		  "no driver for this kernel: modprobe: FATAL: Module nvidia not found in "
		  "directory /lib/modules/6.8.0-90-generic" },
		{ KEY_REJECTED, GPU_UNSIGNED,
		  "the driver's module is not signed by a key that is trusted here: could not "
		  "insert 'nvidia': Key was rejected by service" },
		{ KEY_REJECTED_IN_SECURE_BOOT, GPU_UNSIGNED,
		  "the driver's module is not signed by a key that is trusted here, and Secure "
		  "Boot is on: could not insert 'nvidia': Key was rejected by service" },
		{ LOCKED_DOWN, GPU_UNSIGNED,
		  "the driver's module is not signed by a key that is trusted here: could not "
		  "insert 'nvidia': Operation not permitted" },
		{ NO_SUCH_DEVICE, GPU_REFUSED,
		  "the driver cannot be loaded: could not insert 'nvidia': No such device" },
		{ SWITCHES, GPU_START_FABRIC, "" },
		{ SWITCHES_ALONE, GPU_NO_FABRIC,
		  "there are NVSwitches and no fabric manager: nvidia-fabricmanager.service is "
		  "not installed" },
		{ SWITCHES_SERVED, GPU_READY, "2 x NVIDIA H100 80GB HBM3, driver 580.95.05" },
		{ STALE, GPU_MAKE_SPEC, "" },
		{ UNTESTED, GPU_TEST, "" },
		{ UNSEEN, GPU_UNSEEN,
		  "0000:ca:00.0 is on the bus, and /usr/bin/nvidia-smi does not see it" },
	};
	bool met[GPU_N_VERDICTS] = { false };
	size_t i;

	(void)state;
	CASES (c, cases) {
		struct gpu_facts f = at_work();
		struct text reason = { 0 };
		enum gpu_verdict verdict;

		change(&f, c->change);
		verdict = gpu_decide(&f, &reason);
		if (verdict != c->verdict || strcmp(text_str(&reason), c->reason) != 0)
			fail_msg("case %zd: verdict %d: %s", c - cases, (int)verdict,
				 text_str(&reason));
		assert_int_equal(gpu_is_action(verdict), verdict != GPU_READY && !reason.len);
		met[verdict] = true;
		text_done(&reason);
	}
	for (i = 0; i < GPU_N_VERDICTS; i++)
		assert_true(met[i]);
}

/* Other vendors have no tools here: nothing is to be made for them, and the kernel's word counts.
 */
static void test_vendors_without_tools_need_none(void **state)
{
	struct gpu_facts f = at_work();
	struct text reason = { 0 };

	(void)state;
	f.vendor = gpu_vendor(MODEL_GPU_AMD);
	f.spec_is_fresh = false;
	SET(f.devices[0].driver, "amdgpu");
	SET(f.devices[1].driver, "amdgpu");
	assert_int_equal(gpu_decide(&f, &reason), GPU_READY);
	text_done(&reason);
	f.devices[0].seen = false;
	assert_int_equal(gpu_decide(&f, &reason), GPU_UNSEEN);
	assert_string_equal(text_str(&reason), "0000:17:00.0 is on the bus, and /dev/dri does not "
					       "see it");
	text_done(&reason);
}

static void test_the_words_of_nvidia_smi(void **state)
{
	struct gpu_facts f = at_work();
	size_t i;

	(void)state;
	for (i = 0; i < f.n; i++)
		f.devices[i] = (struct gpu_device){ .address = "" };
	SET(f.devices[0].address, "0000:17:00.0");
	SET(f.devices[1].address, "0000:ca:00.0");
	gpu_read_smi("No devices were found\n"
		     "00000001:17:00.0, another domain, 1, 1\n"
		     "00000000:18:00.0, another slot, 1, 1\n"
		     "\n,,,\n"
		     "00000000:CA:00.0,  NVIDIA GB10 , [N/A], 580.95.05",
		     &f);
	assert_false(f.devices[0].seen);
	assert_true(f.devices[1].seen);
	assert_string_equal(f.devices[1].product, "NVIDIA GB10");
	assert_int_equal(f.devices[1].memory_mib, 0);
	gpu_read_smi("00000000:17:00.0, NVIDIA L4, 23034, 580.95.05\r\n", &f);
	assert_true(f.devices[0].seen);
	assert_string_equal(f.devices[0].product, "NVIDIA L4");
	assert_int_equal(f.devices[0].memory_mib, 23034);
}

static void test_labels_are_such_as_kubernetes_takes(void **state)
{
	static const struct {
		const char *product, *label;
	} cases[] = {
		{ "NVIDIA H100 80GB HBM3", "NVIDIA-H100-80GB-HBM3" },
		{ "Tesla T4", "Tesla-T4" },
		{ "  (odd) / name_1.2 ...", "odd-name_1.2" },
		{ "", "" },
		{ "---", "" },
		{ "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa bcd",
		  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" },
	};
	struct gpu_found found;

	(void)state;
	CASES (c, cases) {
		struct gpu_facts f = at_work();

		set(f.devices[0].product, GPU_LABEL_LEN, c->product);
		gpu_tell(&f, &found);
		assert_string_equal(found.product, c->label);
		assert_true(found.tested);
		assert_int_equal(found.count, 2);
		assert_int_equal(found.memory_mib, 81550);
		assert_string_equal(found.driver, "580.95.05");
	}
}

/* ---- what is read from a tree ---- */

static void put_device(const struct tree *t, const char *address, const char *vendor,
		       const char *class, const char *driver)
{
	char path[128], target[64];
	struct fault why = { 0 };

	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/vendor", address);
	tree_put(t, path, vendor);
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/class", address);
	tree_put(t, path, class);
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/device", address);
	tree_put(t, path, "0x2330\n");
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/config", address);
	tree_put(t, path, "\x10\x10\x10\x10rest");
	snprintf(path, sizeof(path), "sys/bus/pci/devices/%s/driver", address);
	snprintf(target, sizeof(target), "../../../bus/pci/drivers/%s", driver);
	if (driver[0])
		assert_true(fs_link(t->fd, path, target, &why) >= 0);
}

static void probe(const struct tree *t, struct gpu_facts *f)
{
	struct fault why = { 0 };

	if (gpu_probe(t->fd, f, &why) < 0)
		fail_msg("%s", why.text);
}

static void test_the_machine_is_looked_at(void **state)
{
	struct gpu_facts f = { .vendor = gpu_vendor(MODEL_GPU_NVIDIA) };
	struct tree t;

	(void)state;
	tree_make(&t);
	probe(&t, &f); /* a machine without PCI */
	assert_int_equal(f.n, 0);
	put_device(&t, "0000:ca:00.0", "0x10de\n", "0x030200\n", "");
	put_device(&t, "0000:17:00.0", "0x10de\n", "0x030000\n", "nouveau");
	put_device(&t, "0000:17:00.1", "0x10de\n", "0x040300\n", "snd_hda_intel");
	put_device(&t, "0000:03:00.0", "0x1a03\n", "0x030000\n", "ast");
	put_device(&t, "0000:04:00.0", "0x10de\n", "0x120000\n", "");
	probe(&t, &f);
	assert_int_equal(f.n, 2);
	assert_string_equal(f.devices[0].address, "0000:17:00.0");
	assert_string_equal(f.devices[0].driver, "nouveau");
	assert_int_equal(f.devices[0].device, 0x2330);
	assert_string_equal(f.devices[1].address, "0000:ca:00.0");
	assert_string_equal(f.devices[1].driver, "");
	assert_false(f.devices[0].silent || f.loaded || f.secure_boot || f.switches || f.tested);
	tree_put(&t, "sys/bus/pci/devices/0000:ca:00.0/config", "\xff\xff\xff\xff\xff");
	put_device(&t, "0000:05:00.0", "0x10de\n", "0x068000\n", "nvidia-nvswitch");
	tree_put(&t, "sys/module/nvidia/version", "580.95.05\n");
	probe(&t, &f);
	assert_true(f.devices[1].silent && f.switches);
	assert_false(f.loaded); /* nvidia_uvm is missing */
	tree_put(&t, "sys/module/nvidia_uvm/initstate", "live\n");
	tree_put(&t, "sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
		 "\x06\x01\x01\x01\x01");
	probe(&t, &f);
	assert_true(f.loaded && f.secure_boot);
	assert_string_equal(f.driver, "580.95.05");
	tree_done(&t);
}

static void test_amd_and_intel_are_told_by_the_kernel(void **state)
{
	struct gpu_facts amd = { .vendor = gpu_vendor(MODEL_GPU_AMD) };
	struct gpu_facts intel = { .vendor = gpu_vendor(MODEL_GPU_INTEL) };
	struct tree t;

	(void)state;
	tree_make(&t);
	tree_put(&t, "proc/sys/kernel/osrelease", "6.12.1-amd64\n");
	tree_put(&t, "sys/module/amdgpu/initstate", "live\n");
	tree_put(&t, "sys/module/i915/initstate", "live\n");
	put_device(&t, "0000:41:00.0", "0x1002\n", "0x120000\n", "amdgpu");
	put_device(&t, "0000:00:02.0", "0x8086\n", "0x030000\n", "i915");
	put_device(&t, "0000:00:0b.0", "0x8086\n", "0x120000\n", "intel_vpu");
	tree_put(&t, "sys/bus/pci/devices/0000:41:00.0/mem_info_vram_total", "206141652992\n");
	tree_put(&t, "sys/bus/pci/devices/0000:41:00.0/drm/renderD128/dev", "226:128\n");
	probe(&t, &amd);
	probe(&t, &intel);
	assert_int_equal(amd.n, 1);
	assert_int_equal(intel.n, 1);
	assert_true(amd.loaded && amd.tested && amd.devices[0].seen);
	assert_int_equal(amd.devices[0].memory_mib, 196592);
	assert_string_equal(amd.devices[0].product, "1002-2330");
	assert_string_equal(amd.driver, "6.12.1-amd64");
	assert_true(intel.loaded && intel.tested);
	assert_false(intel.devices[0].seen);
	tree_done(&t);
}

/* A specification is as fresh as the driver and the devices that it was made of. */
static void test_a_specification_is_of_its_driver_and_devices(void **state)
{
	struct gpu_facts f = { .vendor = gpu_vendor(MODEL_GPU_NVIDIA) };
	struct text print = { 0 };
	struct tree t;

	(void)state;
	tree_make(&t);
	put_device(&t, "0000:17:00.0", "0x10de\n", "0x030200\n", "nvidia");
	tree_put(&t, "sys/module/nvidia/version", "580.95.05\n");
	tree_put(&t, "sys/module/nvidia_uvm/initstate", "live\n");
	probe(&t, &f);
	gpu_fingerprint(&f, &print);
	assert_string_equal(text_str(&print), "driver 580.95.05\n0000:17:00.0 2330\n");
	tree_put(&t, &GPU_STATE_PATH[1], text_str(&print));
	probe(&t, &f);
	assert_false(f.spec_is_fresh); /* it is vouched for and not there */
	tree_put(&t, &GPU_SPEC_PATH[1], "devices: []\n");
	f.tested = f.devices[0].seen = true;
	probe(&t, &f);
	assert_true(f.spec_is_fresh && f.tested && f.devices[0].seen);
	tree_put(&t, "sys/module/nvidia/version", "580.105.08\n");
	probe(&t, &f);
	assert_false(f.spec_is_fresh || f.tested);
	tree_put(&t, "sys/module/nvidia/version", "580.95.05\n");
	f.tested = true;
	put_device(&t, "0000:18:00.0", "0x10de\n", "0x030200\n", "nvidia");
	probe(&t, &f);
	assert_false(f.spec_is_fresh || f.tested);
	text_done(&print);
	tree_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_fact_has_its_verdict),
		cmocka_unit_test(test_vendors_without_tools_need_none),
		cmocka_unit_test(test_the_words_of_nvidia_smi),
		cmocka_unit_test(test_labels_are_such_as_kubernetes_takes),
		cmocka_unit_test(test_the_machine_is_looked_at),
		cmocka_unit_test(test_amd_and_intel_are_told_by_the_kernel),
		cmocka_unit_test(test_a_specification_is_of_its_driver_and_devices),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
