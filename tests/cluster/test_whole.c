/* SPDX-License-Identifier: MIT */
#include "tests/test.h"

#include <stdlib.h>

#include "cluster/whole.h"

/* As kubeadm writes a manifest: keys in order of the alphabet, so volumes come after containers. */
static const char manifest[] = "apiVersion: v1\n"
			       "kind: Pod\n"
			       "metadata:\n"
			       "  labels:\n"
			       "    component: etcd\n"
			       "    tier: control-plane\n"
			       "  name: etcd\n"
			       "  namespace: kube-system\n"
			       "spec:\n"
			       "  containers:\n"
			       "  - command:\n"
			       "    - etcd\n"
			       "    - --data-dir=/var/lib/etcd\n"
			       "    image: k8s.gcr.io/etcd:3.4.13-0\n"
			       "    name: etcd\n"
			       "    volumeMounts:\n"
			       "    - mountPath: /var/lib/etcd\n"
			       "      name: etcd-data\n"
			       "    - mountPath: /etc/kubernetes/pki/etcd\n"
			       "      name: etcd-certs\n"
			       "  hostNetwork: true\n"
			       "  priorityClassName: system-node-critical\n"
			       "  volumes:\n"
			       "  - hostPath:\n"
			       "      path: /etc/kubernetes/pki/etcd\n"
			       "      type: DirectoryOrCreate\n"
			       "    name: etcd-certs\n"
			       "  - hostPath:\n"
			       "      path: /var/lib/etcd\n"
			       "      type: DirectoryOrCreate\n"
			       "    name: etcd-data\n";
static const char status[] = "status: {}\n";

/* "-----BEGIN X-----\nAA==\n-----END X-----\n" twice. */
#define DATA "LS0tLS1CRUdJTiBYLS0tLS0KQUE9PQotLS0tLUVORCBYLS0tLS0K"
static const char config[] = "apiVersion: v1\n"
			     "clusters:\n"
			     "- cluster:\n"
			     "    certificate-authority-data: " DATA "\n"
			     "    server: https://master:6443\n"
			     "  name: lab\n"
			     "contexts:\n"
			     "- context:\n"
			     "    cluster: lab\n"
			     "    user: kubernetes-admin\n"
			     "  name: kubernetes-admin@lab\n"
			     "current-context: kubernetes-admin@lab\n"
			     "kind: Config\n"
			     "preferences: {}\n"
			     "users:\n"
			     "- name: kubernetes-admin\n"
			     "  user:\n"
			     "    client-certificate-data: " DATA "\n"
			     "    client-key-data: " DATA "\n";

/* Each beginning of it but the last newline's loss, alone and with zeros to the old length. */
static void assert_only_whole(const char *text, const char *kind)
{
	size_t n, len = strlen(text);
	char *torn = calloc(1, len + 1);

	assert_non_null(torn);
	assert_true(whole_object(text, len, kind));
	for (n = 0; n < len - 1; n++) {
		memset(torn, 0, len + 1);
		memcpy(torn, text, n);
		if (whole_object(torn, n, kind))
			fail_msg("%s: its first %zu of %zu bytes pass for all of it", kind, n, len);
		if (whole_object(torn, len, kind))
			fail_msg("%s: zeros behind %zu of %zu bytes pass", kind, n, len);
	}
	free(torn);
}

static void test_a_manifest_without_its_end_is_found(void **state)
{
	char all[sizeof(manifest) + sizeof(status)];

	(void)state;
	assert_only_whole(manifest, "Pod");
	snprintf(all, sizeof(all), "%s%s", manifest, status);
	assert_true(whole_object(all, strlen(all), "Pod"));
	assert_false(whole_object(all, strlen(all), "Config"));
}

static void test_a_kubeconfig_without_its_end_is_found(void **state)
{
	(void)state;
	assert_only_whole(config, "Config");
}

static void test_what_others_write_is_left_alone(void **state)
{
	static const char rotating[] = "kind: Config\nusers:\n- name: default-auth\n  user:\n"
				       "    client-certificate: /var/lib/kubelet/pki/a.pem\n"
				       "    client-key: /var/lib/kubelet/pki/a.pem\n";
	static const char token[] =
		"kind: Config\nusers:\n- name: tls-bootstrap\n  user: {token: a.b}\n";
	static const char checkpoint[] = "{\"policyName\":\"none\",\"checksum\":1}";

	(void)state;
	assert_true(whole_object(rotating, strlen(rotating), "Config"));
	assert_true(whole_object(token, strlen(token), "Config"));
	assert_true(whole_object(checkpoint, strlen(checkpoint), ""));
	assert_false(whole_object("[]", 2, ""));
}

static void test_one_block_of_pem_is_whole(void **state)
{
	static const char pem[] = "-----BEGIN X-----\nAA==\n-----END X-----\n";
	char torn[sizeof(pem)] = { 0 };
	size_t n;

	(void)state;
	assert_true(whole_pem(pem));
	for (n = 0; n < strlen(pem); n++) {
		assert_false(whole_pem(torn));
		torn[n] = pem[n];
	}
	assert_false(whole_pem("-----BEGIN X-----\nAA==\n-----END X-----\nAA==\n"
			       "-----END X-----\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_manifest_without_its_end_is_found),
		cmocka_unit_test(test_a_kubeconfig_without_its_end_is_found),
		cmocka_unit_test(test_what_others_write_is_left_alone),
		cmocka_unit_test(test_one_block_of_pem_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
