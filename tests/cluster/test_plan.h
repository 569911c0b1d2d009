/* SPDX-License-Identifier: MIT */
#pragma once

/* What the tests of plan and kubeadm share: documents, and the way from one to a model. */

#include "tests/test.h"

#include "cluster/complaint.h"
#include "cluster/document.h"
#include "cluster/model.h"
#include "cluster/plan.h"

/* Two machines on Debian 12, as the end-to-end test has them, with a static token. */
static const char lab_document[] =
	"apiVersion: rackseed/v1\n"
	"cluster:\n"
	"  name: lab\n"
	"  kubernetes: {version: \"1.20.2\", skipPhases: [addon/coredns]}\n"
	"  endpoint: k8s.lab:6443\n"
	"  token: abcdef.0123456789abcdef\n"
	"os: {distribution: debian, release: bookworm}\n"
	"network: {subnet: 192.168.10.0/24}\n"
	"nodes:\n"
	"  cp1:\n"
	"    role: control-plane\n"
	"    address: 192.168.10.50\n"
	"    mac: \"52:54:00:00:00:32\"\n"
	"  w1:\n"
	"    role: worker\n"
	"    address: 192.168.10.101\n"
	"    mac: \"52:54:00:00:00:65\"\n"
	"    labels: {tier: gpu, node-role.kubernetes.io/gpu: \"\"}\n"
	"    taints: [\"gpu=yes:NoSchedule\"]\n";

/* Three control planes, one of them a worker too; IPv6; a bond; registries with logins. */
static const char rich_document[] =
	"apiVersion: rackseed/v1\n"
	"cluster:\n"
	"  name: rich\n"
	"  kubernetes: {version: \"1.31\", imageRepository: registry.lab/k8s}\n"
	"  endpoint: 192.168.10.40:8443\n"
	"os: {distribution: ubuntu, release: noble}\n"
	"network:\n"
	"  subnet: 192.168.10.0/24\n"
	"  gateway: 192.168.10.1\n"
	"  nameservers: [192.168.10.1, 192.168.10.2]\n"
	"  ntp: [192.168.10.1, ntp.lab]\n"
	"admin: {user: ops, sshKeys: [\"ssh-ed25519 "
	"AAAAC3NzaC1lZDI1NTE5AAAAIJdgkGqBFTMhe0vZ+gHkEk4mQBM0m2EfL7zZ9s3DjPpF ops@lab\"]}\n"
	"registries:\n"
	"  registry.lab:5000: {node: reg, user: puller, passwordFile: secrets/registry}\n"
	"  docker.io: {mirrors: [\"registry.lab:5000/hub\"]}\n"
	"shares:\n"
	"  models: {server: //nas/models, mount: /mnt/models, guest: true, uid: 1000, gid: 100}\n"
	"nodes:\n"
	"  a: {role: control-plane, address: 192.168.10.11, mac: \"52:54:00:00:00:11\"}\n"
	"  b: {role: control-plane, address: 192.168.10.12, mac: \"52:54:00:00:00:12\"}\n"
	"  c:\n"
	"    role: [control-plane, worker]\n"
	"    address: 192.168.10.13\n"
	"    mac: \"52:54:00:00:00:13\"\n"
	"    network:\n"
	"      ethernets:\n"
	"        nic0: {match: {macaddress: \"52:54:00:00:00:13\"}}\n"
	"        nic1: {match: {macaddress: \"52:54:00:00:00:14\"}}\n"
	"      bonds:\n"
	"        bond0: {interfaces: [nic0, nic1], addresses: [192.168.10.13/24]}\n"
	"  reg: {role: registry, address: 192.168.10.60, mac: \"52:54:00:00:00:60\"}\n";

/* A document that must be without errors. */
static inline void load_document(const char *bytes, struct model *m)
{
	struct complaints c = { 0 };
	struct text shown = { 0 };
	struct fault why = { 0 };

	*m = (struct model){ 0 };
	assert_int_equal(document_parse("cluster.yaml", bytes, strlen(bytes), m, &c, &why), 0);
	document_check(m, &c);
	complaints_print(&c, "cluster.yaml", bytes, strlen(bytes), &shown);
	if (c.n_errors)
		fail_msg("%s", text_str(&shown));
	text_done(&shown);
	complaints_done(&c);
}

static inline void make_plan(const struct model *m, const char *node,
			     const struct plan_facts *facts, struct plan *plan)
{
	static const struct plan_facts unknown = { .kubernetes.patch = -1 };
	struct fault why = { 0 };

	assert_non_null(model_node(m, node));
	if (plan_make(m, model_node(m, node), facts ? facts : &unknown, plan, &why) < 0)
		fail_msg("%s", why.text);
}

static inline const struct plan_action *find_action(const struct plan *p, const char *path)
{
	size_t i;

	for (i = 0; i < p->n; i++)
		if (strcmp(p->actions[i].path, path) == 0)
			return &p->actions[i];
	return NULL;
}
