/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cluster/model.h"
#include "image/domain.h"
#include "image/machine.h"
#include "image/virt.h"

/* libvirt's own test driver: a hypervisor inside this process, with real define, start and list. */

static struct model_node node = {
	.name = (char *)"master",
	.roles = MODEL_CONTROL_PLANE,
	.address = { AF_INET, { 192, 168, 10, 50 } },
	.mac = { { 0x52, 0x54, 0x00, 0x00, 0x00, 0x32 } },
	.has_mac = true,
	.vm = { 2, 1ULL << 30, 4ULL << 30, { 30, 3 } },
};

static struct model lab(void)
{
	struct model m = { .name = (char *)"lab", .nodes = &node, .n_nodes = 1 };

	assert_int_equal(net_cidr_parse("192.168.10.0/24", &m.network.subnet), 0);
	assert_int_equal(net_ip_parse("192.168.10.1", &m.network.gateway), 0);
	return m;
}

static int open_test(void **state)
{
	struct fault why = { 0 };
	virConnectPtr connect = NULL;

	if (virt_open("test:///default", &connect, &why) < 0) {
		fprintf(stderr, "# %s\n", why.text);
		return -1;
	}
	*state = connect;
	return 0;
}

static int close_test(void **state)
{
	virConnectClose(*state);
	return 0;
}

static enum domain_state state_of(virConnectPtr connect, const struct model *m)
{
	struct domain_facts facts = { 0 };
	struct fault why = { 0 };

	if (domain_look(connect, m, &node, &facts, &why) < 0)
		fail_msg("%s", why.text);
	if (facts.state == DOMAIN_RUNNING)
		assert_true(strlen(facts.since) >= 19);
	return facts.state;
}

static struct machine machine_of(const struct model *m, const char *file)
{
	return (struct machine){ .model = m,
				 .node = &node,
				 .accel = MODEL_ACCEL_TCG,
				 .file = file,
				 .disk = "/nonexistent/master.qcow2",
				 .format = "qcow2",
				 .log = "/nonexistent/master.log" };
}

/* The test driver knows one kind of domain only, its own. */
static int define_as_test(virConnectPtr connect, const struct machine *machine)
{
	struct text xml = { 0 };
	virDomainPtr domain;
	char *at;

	machine_render(machine, &xml);
	at = strstr(xml.data, "type='qemu'");
	memcpy(at, "type='test'", 11);
	domain = virDomainDefineXML(connect, xml.data);
	text_done(&xml);
	if (!domain)
		return -1;
	virDomainFree(domain);
	return 0;
}

static void test_a_machine_is_started_shut_down_cut_and_forgotten(void **state)
{
	virConnectPtr connect = *state;
	struct model m = lab();
	struct machine machine = machine_of(&m, "/nonexistent/cluster.yaml");
	struct fault why = { 0 };
	char uuid[MACHINE_UUID_LEN];
	virDomainPtr domain;

	assert_int_equal(state_of(connect, &m), DOMAIN_ABSENT);
	assert_int_equal(domain_cut(connect, &m, &node, &why), 0);
	assert_int_equal(domain_forget(connect, &m, &node, &why), 0);
	if (define_as_test(connect, &machine) < 0)
		fail_msg("%s", virGetLastErrorMessage());
	assert_int_equal(state_of(connect, &m), DOMAIN_OFF);
	assert_int_equal(domain_shutdown(connect, &m, &node, &why), 0);

	machine_uuid("lab", "master", uuid);
	domain = virDomainLookupByUUIDString(connect, uuid);
	assert_non_null(domain);
	assert_string_equal(virDomainGetName(domain), "lab-master");
	assert_int_equal(virDomainCreate(domain), 0);
	/* What runs is left alone, and the file is not asked for again. */
	assert_int_equal(domain_up(connect, &machine, &why), 0);
	assert_int_equal(virDomainSuspend(domain), 0);
	assert_int_equal(domain_up(connect, &machine, &why), 1);
	assert_int_equal(virDomainGetState(domain, &(int){ 0 }, NULL, 0), 0);
	assert_int_equal(domain_shutdown(connect, &m, &node, &why), 1);
	assert_int_equal(state_of(connect, &m), DOMAIN_OFF);
	assert_int_equal(virDomainCreate(domain), 0);
	assert_int_equal(domain_cut(connect, &m, &node, &why), 1);
	assert_int_equal(domain_cut(connect, &m, &node, &why), 0);
	assert_int_equal(state_of(connect, &m), DOMAIN_OFF);
	virDomainFree(domain);
	assert_int_equal(domain_forget(connect, &m, &node, &why), 1);
	assert_int_equal(state_of(connect, &m), DOMAIN_ABSENT);
}

static void test_a_machine_of_another_file_is_not_taken(void **state)
{
	virConnectPtr connect = *state;
	struct model m = lab();
	struct machine theirs = machine_of(&m, "/etc/passwd"); /* a file that is there */
	struct machine ours = machine_of(&m, "/nonexistent/cluster.yaml");
	struct fault why = { 0 };

	assert_int_equal(define_as_test(connect, &theirs), 0);
	assert_int_equal(domain_up(connect, &ours, &why), -EEXIST);
	assert_non_null(strstr(why.text, "'/etc/passwd'"));
	assert_int_equal(domain_forget(connect, &m, &node, &why), 1);
}

static void test_a_name_of_a_stranger_is_not_taken(void **state)
{
	static const char xml[] = "<domain type='test'><name>lab-master</name><memory>1024</memory>"
				  "<os><type>hvm</type></os></domain>";
	virConnectPtr connect = *state;
	struct model m = lab();
	struct machine machine = machine_of(&m, "/nonexistent/cluster.yaml");
	virDomainPtr domain = virDomainDefineXML(connect, xml);
	struct fault why = { 0 };

	assert_non_null(domain);
	assert_int_equal(domain_up(connect, &machine, &why), -EEXIST);
	assert_non_null(strstr(why.text, "'lab-master' that is not ours"));
	virDomainUndefine(domain);
	virDomainFree(domain);
}

static void test_the_network_is_made_once_and_removed(void **state)
{
	virConnectPtr connect = *state;
	struct model m = lab();
	struct fault why = { 0 };
	virNetworkPtr network;

	if (virt_network_up(connect, &m, "/nonexistent/cluster.yaml", &why) < 0)
		fail_msg("%s", why.text);
	assert_int_equal(virt_network_up(connect, &m, "/nonexistent/cluster.yaml", &why), 0);
	network = virNetworkLookupByName(connect, "lab");
	assert_non_null(network);
	assert_int_equal(virNetworkIsActive(network), 1);
	assert_int_equal(virNetworkDestroy(network), 0);
	virNetworkFree(network);
	assert_int_equal(virt_network_up(connect, &m, "/nonexistent/cluster.yaml", &why), 1);
	assert_int_equal(virt_network_remove(connect, &m, &why), 1);
	assert_int_equal(virt_network_remove(connect, &m, &why), 0);
}

static void test_a_network_of_a_stranger_is_not_taken(void **state)
{
	virConnectPtr connect = *state;
	struct model m = lab();
	struct fault why = { 0 };

	m.name = (char *)"default"; /* the test driver brings one */
	assert_int_equal(virt_network_up(connect, &m, "/nonexistent/c", &why), -EEXIST);
	assert_non_null(strstr(why.text, "network 'default' that is not ours"));
	assert_int_equal(virt_network_remove(connect, &m, &why), -EEXIST);
}

static void test_no_daemon_is_explained(void **state)
{
	virConnectPtr connect = NULL;
	struct fault why = { 0 };

	(void)state;
	assert_int_equal(virt_open("qemu+unix:///system?socket=/nonexistent/sock", &connect, &why),
			 -ENOENT);
	assert_non_null(strstr(why.text, "cannot reach libvirt at 'qemu+unix:"));
	assert_non_null(strstr(why.text, "systemctl start libvirtd"));
}

static void test_errors_are_explained(void **state)
{
	static const struct {
		int code, os_error;
		const char *message;
		int as;
		const char *remedy;
	} cases[] = {
		{ VIR_ERR_SYSTEM_ERROR, ENOENT,
		  "Failed to connect socket to '/var/run/libvirt/libvirt-sock': No such file or "
		  "directory",
		  ENOENT, "systemctl start libvirtd" },
		{ VIR_ERR_SYSTEM_ERROR, EACCES,
		  "Failed to connect socket to '/var/run/libvirt/libvirt-sock': Permission denied",
		  EACCES, "usermod -aG libvirt" },
		{ VIR_ERR_AUTH_UNAVAILABLE, 0,
		  "authentication unavailable: no polkit agent available to authenticate action",
		  EACCES, "group 'libvirt'" },
		{ VIR_ERR_SYSTEM_ERROR, ENODEV, "Cannot get interface MTU on 'br9': No such device",
		  ENODEV, "vm.bridge" },
		{ VIR_ERR_OPERATION_FAILED, 0,
		  "operation failed: domain 'lab-master' already exists with uuid x", EEXIST,
		  "cluster.name" },
		{ VIR_ERR_INTERNAL_ERROR, 0,
		  "internal error: qemu unexpectedly closed the monitor: cannot set up guest "
		  "memory 'pc.ram': Cannot allocate memory",
		  ENOMEM, "vm.memory" },
		{ VIR_ERR_INTERNAL_ERROR, 0,
		  "internal error: Network is already in use by interface eth0", EADDRINUSE,
		  "network.subnet" },
		{ VIR_ERR_OPERATION_FAILED, 0,
		  "operation failed: Unable to find 'efi' firmware that is compatible with the "
		  "current configuration",
		  ENOENT, "package ovmf" },
		{ VIR_ERR_INTERNAL_ERROR, 0,
		  "internal error: process exited: Failed to get \"write\" lock", EBUSY,
		  "another program" },
		{ VIR_ERR_CONFIG_UNSUPPORTED, 0,
		  "unsupported configuration: Emulator '/usr/bin/qemu-system-x86_64' does not "
		  "support virt type 'kvm'",
		  ENODEV, "accel: tcg" },
		{ VIR_ERR_SYSTEM_ERROR, EACCES,
		  "Cannot access storage file '/home/u/out/master.qcow2' (as uid:64055, "
		  "gid:106): Permission denied",
		  EACCES, "chmod o+x" },
		{ VIR_ERR_RPC, 0, "internal error: client socket is closed", EIO, "closed" },
		{ VIR_ERR_SYSTEM_ERROR, ENOSPC, "cannot write: No space left on device", ENOSPC,
		  "No space" },
	};

	(void)state;
	CASES (c, cases) {
		struct fault why = { 0 };

		assert_int_equal(virt_explain(c->code, c->os_error, c->message, &why), -c->as);
		assert_int_equal(strncmp(why.text, c->message, strlen(c->message)), 0);
		if (!strstr(why.text, c->remedy))
			fail_msg("no '%s' in: %s", c->remedy, why.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_machine_is_started_shut_down_cut_and_forgotten),
		cmocka_unit_test(test_a_machine_of_another_file_is_not_taken),
		cmocka_unit_test(test_a_name_of_a_stranger_is_not_taken),
		cmocka_unit_test(test_the_network_is_made_once_and_removed),
		cmocka_unit_test(test_a_network_of_a_stranger_is_not_taken),
		cmocka_unit_test(test_no_daemon_is_explained),
		cmocka_unit_test(test_errors_are_explained),
	};

	return cmocka_run_group_tests(tests, open_test, close_test);
}
