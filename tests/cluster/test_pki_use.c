/* SPDX-License-Identifier: MIT */
#include "tests/cluster/test_pki.h"

#include <openssl/evp.h>
#include <openssl/pem.h>

#include "base/yaml.h"
#include "cluster/pki_crypto.h"

/* What is done with the secrets: verdicts on certificates, kubeconfigs, passwords, random words. */

static int setup(void **state)
{
	static struct folder shared;
	struct text report = { 0 };
	struct fault why = { 0 };
	struct model m = { 0 };

	folder_open(&shared);
	if (pki_create(&m, shared.secrets, (int64_t)time(NULL), &report, &why) < 0)
		fail_msg("%s", why.text);
	text_done(&report);
	*state = &shared;
	return 0;
}

static int teardown(void **state)
{
	folder_close(*state);
	return 0;
}

/* ---- verdicts ---- */

#define DAYS(n) (INT64_C(86400) * (n))

static const struct {
	const char *crt, *ca; /* files, or a text after '=' */
	int64_t after; /* seconds from now */
	int code;
	const char *says;
} verdicts[] = {
	{ "admin.crt", "pki/ca.crt", 0, 0, "" },
	{ "pki/ca.crt", "pki/ca.crt", 0, 0, "" },
	{ "admin.crt", "pki/ca.crt", DAYS(364), 0, "" },
	{ "admin.crt", "pki/ca.crt", DAYS(366), -EKEYEXPIRED, "it expired at 20" },
	{ "admin.crt", "pki/ca.crt", DAYS(3651), -EKEYEXPIRED, "expired at 20" },
	{ "admin.crt", "pki/ca.crt", -DAYS(1), -EKEYEXPIRED, "is valid from 20" },
	{ "admin.crt", "pki/ca.crt", -200, 0, "" }, /* a clock that is a little slow */
	{ "admin.crt", "pki/etcd/ca.crt", 0, -EKEYREJECTED, "not signed by this cluster's CA" },
	{ "pki/etcd/ca.crt", "pki/ca.crt", 0, -EKEYREJECTED, "not signed by this cluster's CA" },
	{ "admin.crt", "pki/sa.pub", 0, -EBADMSG, "the CA is not a certificate" },
	{ "admin.key", "pki/ca.crt", 0, -EBADMSG, "not a certificate in PEM" },
	{ "=", "pki/ca.crt", 0, -EBADMSG, "not a certificate in PEM" },
	{ "=-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "pki/ca.crt", 0,
	  -EBADMSG, "not a certificate in PEM" },
};

static void get(const struct folder *f, const char *what, struct text *out)
{
	text_done(out);
	if (what[0] == '=')
		text_add(out, what + 1);
	else
		folder_read(f, what, out);
}

static void test_verdicts_on_certificates(void **state)
{
	struct text crt = { 0 }, ca = { 0 };

	CASES(v, verdicts)
	{
		struct fault why = { 0 };

		get(*state, v->crt, &crt);
		get(*state, v->ca, &ca);
		if (pki_verify(text_str(&crt), text_str(&ca), (int64_t)time(NULL) + v->after,
			       &why) != v->code || !strstr(why.text, v->says))
			fail_msg("%s by %s: %d '%s'", v->crt, v->ca, why.code, why.text);
	}
	text_done(&crt);
	text_done(&ca);
}

/* Another cluster's CA bears the same name; only the key tells them apart. */
static void test_another_clusters_ca_of_the_same_name_is_refused(void **state)
{
	const struct pki_request request = { .name = "kubernetes", .not_before = time(NULL) - 60,
					     .not_after = time(NULL) + 3600 };
	struct text key = { 0 }, other = { 0 }, both = { 0 }, crt = { 0 }, ca = { 0 };
	struct fault why = { 0 };

	folder_read(*state, "admin.crt", &crt);
	folder_read(*state, "pki/ca.crt", &ca);
	assert_int_equal(pki_key_new(&key, &why), 0);
	assert_int_equal(pki_issue(&request, text_str(&key), &other, &why), 0);
	assert_int_equal(pki_verify(text_str(&crt), text_str(&other), time(NULL), &why),
			 -EKEYREJECTED);
	/* While a CA is being replaced both are trusted, in either order. */
	text_addf(&both, "%s%s", text_str(&other), text_str(&ca));
	assert_int_equal(pki_verify(text_str(&crt), text_str(&both), time(NULL), &why), 0);
	text_wipe(&key);
	text_done(&other);
	text_done(&both);
	text_done(&crt);
	text_done(&ca);
}

static void test_key_belongs_to_certificate(void **state)
{
	static const struct {
		const char *crt, *key;
		int code;
	} pairs[] = {
		{ "admin.crt", "admin.key", 0 },
		{ "pki/ca.crt", "pki/ca.key", 0 },
		{ "admin.crt", "pki/ca.key", -EKEYREJECTED },
		{ "admin.crt", "admin.crt", -EBADMSG },
		{ "admin.key", "admin.key", -EBADMSG },
		{ "admin.crt", "=", -EBADMSG },
	};
	struct text crt = { 0 }, key = { 0 };

	CASES(p, pairs)
	{
		struct fault why = { 0 };

		get(*state, p->crt, &crt);
		get(*state, p->key, &key);
		assert_int_equal(pki_keypair(text_str(&crt), text_str(&key), &why), p->code);
		assert_int_equal(why.text[0] != '\0', p->code != 0);
	}
	text_done(&crt);
	text_wipe(&key);
}

/* kubelet-client-current.pem holds certificate and an EC key in one file. */
static void test_certificate_and_key_in_one_file(void **state)
{
	struct text crt = { 0 }, key = { 0 }, one = { 0 };
	struct fault why = { 0 };
	int64_t end;

	folder_read(*state, "admin.crt", &crt);
	folder_read(*state, "admin.key", &key);
	text_addf(&one, "%s%s", text_str(&key), text_str(&crt));
	assert_int_equal(pki_keypair(text_str(&one), text_str(&one), &why), 0);
	assert_int_equal(pki_not_after(text_str(&one), &end, &why), 0);
	assert_in_range(end - time(NULL), DAYS(365) - 60, DAYS(365));
	end = 7;
	assert_int_equal(pki_not_after("nothing", &end, &why), -EBADMSG);
	assert_int_equal(end, 7);
	text_done(&crt);
	text_wipe(&key);
	text_wipe(&one);
}

/* ---- kubeconfig ---- */

static char *decode(const struct yaml *y)
{
	const char *s = yaml_text(y);
	char *out = calloc(1, strlen(s) + 1);
	int n = EVP_DecodeBlock((unsigned char *)out, (const unsigned char *)s, (int)strlen(s));

	assert_true(n > 0);
	return out;
}

/* All but what is another at every call: certificates and keys. */
static void assert_golden_kubeconfig(const char *config)
{
	static const char mark[] = "-data: ";
	struct text out = { 0 };
	const char *at;

	while ((at = strstr(config, mark))) {
		text_add_n(&out, config, (size_t)(at - config) + strlen(mark));
		text_add(&out, "BASE64");
		config = at + strlen(mark) + strcspn(at + strlen(mark), "\n");
	}
	text_add(&out, config);
	assert_golden("cluster/kubeconfig.yaml", text_str(&out));
	text_done(&out);
}

static void test_kubeconfig_is_complete_and_new(void **state)
{
	struct model_node nodes[] = {
		{ .name = (char[]){ "worker" }, .roles = MODEL_WORKER },
		{ .name = (char[]){ "master" }, .roles = MODEL_CONTROL_PLANE },
	};
	struct model m = { .name = (char[]){ "lab" }, .endpoint_host = (char[]){ "master" },
			   .endpoint_port = 6443, .nodes = nodes, .n_nodes = COUNT(nodes) };
	const struct yaml *cluster, *user, *context;
	struct text config = { 0 }, ca = { 0 };
	struct yaml_error error;
	struct fault why = { 0 };
	struct yaml doc;
	char *crt, *key, *trust;
	int64_t end;

	assert_int_equal(net_ip_parse("192.168.10.50", &nodes[1].address), 0);
	assert_int_equal(net_ip_parse("192.168.10.101", &nodes[0].address), 0);
	if (pki_kubeconfig(&m, ((struct folder *)*state)->secrets, time(NULL), &config, &why) < 0)
		fail_msg("%s", why.text);
	assert_golden_kubeconfig(text_str(&config));
	assert_int_equal(yaml_parse(text_str(&config), config.len, &doc, &error), 0);
	cluster = yaml_get(&yaml_get(&doc, "clusters")->items[0], "cluster");
	user = yaml_get(&yaml_get(&doc, "users")->items[0], "user");
	context = yaml_get(&yaml_get(&doc, "contexts")->items[0], "context");
	assert_string_equal(yaml_text(yaml_get(cluster, "server")), "https://192.168.10.50:6443");
	assert_string_equal(yaml_text(yaml_get(&doc, "current-context")), "kubernetes-admin@lab");
	assert_string_equal(yaml_text(yaml_get(context, "user")), "kubernetes-admin");
	assert_string_equal(yaml_text(yaml_get(context, "cluster")), "lab");
	trust = decode(yaml_get(cluster, "certificate-authority-data"));
	crt = decode(yaml_get(user, "client-certificate-data"));
	key = decode(yaml_get(user, "client-key-data"));
	folder_read(*state, "pki/ca.crt", &ca);
	assert_string_equal(trust, text_str(&ca));
	assert_int_equal(pki_verify(crt, trust, time(NULL), &why), 0);
	assert_int_equal(pki_keypair(crt, key, &why), 0);
	assert_int_equal(pki_not_after(crt, &end, &why), 0);
	assert_in_range(end - time(NULL), DAYS(365) - 60, DAYS(365));
	folder_read(*state, "admin.crt", &ca);
	assert_string_not_equal(crt, text_str(&ca)); /* signed for this one */
	yaml_done(&doc);
	free(crt);
	free(key);
	free(trust);
	text_done(&ca);
	text_wipe(&config);
}

static const struct {
	const char *host;
	unsigned port;
	const char *address, *server;
} servers[] = {
	{ "master", 6443, "192.168.10.50", "\"https://192.168.10.50:6443\"" },
	{ "192.168.10.9", 7443, "192.168.10.50", "\"https://192.168.10.9:7443\"" },
	{ "fd00::9", 6443, "192.168.10.50", "\"https://[fd00::9]:6443\"" },
	{ "master", 0, "fd00::50", "\"https://[fd00::50]:6443\"" },
	{ NULL, 0, "192.168.10.50", "\"https://192.168.10.50:6443\"" },
};

static void test_kubeconfig_needs_no_names(void **state)
{
	CASES(s, servers)
	{
		struct model_node node = { .name = (char[]){ "master" },
					   .roles = MODEL_CONTROL_PLANE };
		struct model m = { .name = (char[]){ "lab: \"x\"" },
				   .endpoint_host = (char *)(uintptr_t)s->host,
				   .endpoint_port = s->port, .nodes = &node, .n_nodes = 1 };
		struct text config = { 0 };
		struct fault why = { 0 };

		assert_int_equal(net_ip_parse(s->address, &node.address), 0);
		assert_int_equal(pki_kubeconfig(&m, ((struct folder *)*state)->secrets, time(NULL),
						&config, &why), 0);
		if (!strstr(text_str(&config), s->server))
			fail_msg("no %s in %.300s", s->server, text_str(&config));
		text_wipe(&config);
	}
}

static void test_missing_secrets_are_named_with_the_remedy(void **state)
{
	struct text crt = { 0 }, key = { 0 }, token = { 0 };
	struct model m = { 0 };
	struct fault why = { 0 };
	struct folder f;

	(void)state;
	folder_open(&f);
	assert_int_equal(pki_admin(f.secrets, time(NULL), &crt, &key, &why), -ENOENT);
	assert_string_equal(why.text, "secrets/pki/ca.crt is not there: run 'rackseed secrets'");
	assert_int_equal(pki_token(&m, f.secrets, &token, &why), -ENOENT);
	assert_string_equal(why.text, "secrets/token is not there: run 'rackseed secrets'");
	assert_int_equal(crt.len + key.len + token.len, 0);
	folder_close(&f);
}

/* What is made anew at every boot, and on every look at etcd, must not cost a search for primes. */
static void test_certificates_of_a_day_have_keys_that_are_made_at_once(void **state)
{
	struct text ca = { 0 }, ca_key = { 0 }, crt = { 0 }, key = { 0 };
	const int64_t now = time(NULL);
	const struct folder *shared = *state;
	struct fault why = { 0 };

	folder_read(shared, "pki/ca.crt", &ca);
	folder_read(shared, "pki/ca.key", &ca_key);
	assert_int_equal(pki_client(text_str(&ca), text_str(&ca_key), "x", "y", now, &crt, &key,
				    &why),
			 0);
	assert_int_equal(strncmp(text_str(&key), "-----BEGIN EC PRIVATE KEY-----\n", 31), 0);
	assert_int_equal(pki_keypair(text_str(&crt), text_str(&key), &why), 0);
	assert_int_equal(pki_verify(text_str(&crt), text_str(&ca), now + DAYS(1) - 1, &why), 0);
	assert_int_equal(pki_verify(text_str(&crt), text_str(&ca), now + DAYS(1) + 1, &why),
			 -EKEYEXPIRED);
	text_done(&ca);
	text_wipe(&ca_key);
	text_done(&crt);
	text_wipe(&key);
}

/* ---- servers ---- */

static int64_t end_of(const struct folder *f, const char *path)
{
	struct fault why = { 0 };
	struct text pem = { 0 };
	int64_t end = 0;

	folder_read(f, path, &pem);
	assert_int_equal(pki_not_after(text_str(&pem), &end, &why), 0);
	text_done(&pem);
	return end;
}

static void test_registries_have_certificates_of_a_ca_of_their_own(void **state)
{
	struct model_registry registries[] = {
		{ .host = (char[]){ "registry:5000" }, .node = (char[]){ "reg" } },
		{ .host = (char[]){ "10.0.0.9:5001" }, .node = (char[]){ "reg" } },
		{ .host = (char[]){ "plain:5000" }, .node = (char[]){ "w" }, .insecure = true },
		{ .host = (char[]){ "docker.io" } },
	};
	struct model_node nodes[] = { { .name = (char[]){ "w" } }, { .name = (char[]){ "reg" } } };
	struct model m = { .registries = registries,
			   .n_registries = COUNT(registries),
			   .nodes = nodes,
			   .n_nodes = COUNT(nodes) };
	struct text report = { 0 }, ca = { 0 }, crt = { 0 }, out = { 0 };
	struct fault why = { 0 };
	struct folder f;
	char path[128], ca_path[128];
	static const char *const hosts[] = { "reg", "registry" };
	static const char *const addresses[] = { "10.0.0.60", "10.0.0.9" };

	(void)state;
	assert_int_equal(net_ip_parse("10.0.0.61", &nodes[0].address), 0);
	assert_int_equal(net_ip_parse("10.0.0.60", &nodes[1].address), 0);
	folder_open(&f);
	assert_int_equal(pki_create(&m, f.secrets, time(NULL), &report, &why), 0);
	assert_non_null(strstr(text_str(&report), "pki/registry/reg.key"));
	assert_null(strstr(text_str(&report), "pki/registry/w.crt"));
	folder_read(&f, "pki/registry/ca.crt", &ca);
	folder_read(&f, "pki/registry/reg.crt", &crt);
	assert_int_equal(pki_verify(text_str(&crt), text_str(&ca), time(NULL), &why), 0);
	assert_int_equal(end_of(&f, "pki/registry/ca.crt"), end_of(&f, "pki/registry/reg.crt"));
	folder_read(&f, "pki/ca.crt", &ca);
	assert_int_equal(pki_verify(text_str(&crt), text_str(&ca), time(NULL), &why),
			 -EKEYREJECTED);
	snprintf(path, sizeof(path), "%s/secrets/pki/registry/reg.crt", f.path);
	snprintf(ca_path, sizeof(ca_path), "%s/secrets/pki/registry/ca.crt", f.path);
	CASES (host, hosts)
		openssl((const char *[]){ "openssl", "verify", "-x509_strict", "-purpose",
					  "sslserver", "-verify_hostname", *host, "-CAfile",
					  ca_path, path, NULL },
			&out);
	CASES (address, addresses)
		openssl((const char *[]){ "openssl", "verify", "-x509_strict", "-purpose",
					  "sslserver", "-verify_ip", *address, "-CAfile", ca_path,
					  path, NULL },
			&out);
	/* A second time makes nothing; another address asks for another certificate. */
	text_done(&report);
	assert_int_equal(pki_create(&m, f.secrets, time(NULL), &report, &why), 0);
	assert_string_equal(text_str(&report), "");
	nodes[1].address.bytes[3] = 61;
	assert_int_equal(pki_create(&m, f.secrets, time(NULL), &report, &why), -EADDRNOTAVAIL);
	assert_string_equal(why.text,
			    "secrets/pki/registry/reg.crt and secrets/pki/registry/reg.key "
			    "(registry server): the certificate is not for '10.0.0.61': put the "
			    "right pair there, or remove both to have them made anew");
	text_done(&ca);
	text_done(&crt);
	text_done(&out);
	folder_close(&f);
}

/* ---- passwords ---- */

static void test_passwords_are_made_once(void **state)
{
	struct model_registry registries[] = {
		{ .host = (char[]){ "registry:5000" }, .node = (char[]){ "registry" },
		  .password_file = (char[]){ "secrets/registry" } },
		{ .host = (char[]){ "docker.io" } },
	};
	struct model_share shares[] = {
		{ .name = (char[]){ "data" }, .node = (char[]){ "storage" },
		  .password_file = (char[]){ "secrets/shares/data" } },
		{ .name = (char[]){ "same" }, .node = (char[]){ "storage" },
		  .password_file = (char[]){ "secrets/shares/data" } },
		{ .name = (char[]){ "archive" }, .server = (char[]){ "//nas.example/archive" },
		  .password_file = (char[]){ "secrets/nas" } },
	};
	struct model m = { .registries = registries, .n_registries = COUNT(registries),
			   .shares = shares, .n_shares = COUNT(shares) };
	struct text report = { 0 }, first = { 0 }, second = { 0 };
	struct fault why = { 0 };
	struct folder f;
	struct stat st;

	(void)state;
	folder_open(&f);
	folder_write(&f, "registry", "mine"); /* supplied by its owner */
	umask(0);
	if (pki_passwords(&m, f.fd, &report, &why) < 0)
		fail_msg("%s", why.text);
	umask(022);
	folder_read(&f, "registry", &first);
	assert_string_equal(text_str(&first), "mine");
	assert_null(strstr(text_str(&report), "registry"));
	assert_non_null(strstr(text_str(&report), "secrets/shares/data"));
	assert_null(strstr(text_str(&report), "'same'"));
	assert_non_null(strstr(text_str(&report), "write the real one there"));
	folder_read(&f, "shares/data", &first);
	assert_int_equal(first.len, 32);
	assert_int_equal(strspn(text_str(&first), "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				"abcdefghijklmnopqrstuvwxyz0123456789"), 32);
	folder_read(&f, "nas", &second);
	assert_string_not_equal(text_str(&first), text_str(&second));
	assert_int_equal(fstatat(f.secrets, "shares", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(fstatat(f.secrets, "shares/data", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	text_done(&report);
	assert_int_equal(pki_passwords(&m, f.fd, &report, &why), 0);
	assert_int_equal(report.len, 0);
	text_wipe(&first);
	text_wipe(&second);
	folder_close(&f);
}

static const struct {
	const char *path;
	mode_t mode; /* of a file that is there; 0: none */
	int code;
	const char *says;
} places[] = {
	{ "secrets/p", 0, 0, "" },
	{ "./secrets/p", 0, 0, "" },
	{ "p..q/..x", 0, 0, "" },
	{ "../p", 0, -ENOENT, "outside the folder" },
	{ "secrets/../../p", 0, -ENOENT, "outside the folder" },
	{ "secrets/..", 0, -EINVAL, "is not a file" },
	{ "/nonexistent/p", 0, -ENOENT, "outside the folder" },
	{ "secrets/p", 0644, -EPERM, "chmod 600 secrets/p" },
	{ "secrets/p", 0400, 0, "" },
};

static void test_passwords_are_made_below_the_folder_only(void **state)
{
	(void)state;
	CASES(p, places)
	{
		struct model_share share = { .name = (char[]){ "s" }, .node = (char[]){ "n" },
					     .password_file = (char *)(uintptr_t)p->path };
		struct model m = { .shares = &share, .n_shares = 1 };
		struct text report = { 0 };
		struct fault why = { 0 };
		struct folder f;

		folder_open(&f);
		if (p->mode) {
			folder_write(&f, "p", "x");
			assert_int_equal(fchmodat(f.secrets, "p", p->mode, 0), 0);
		}
		if (pki_passwords(&m, f.fd, &report, &why) != p->code ||
		    !strstr(why.text, p->says))
			fail_msg("%s: %d '%s'", p->path, why.code, why.text);
		text_done(&report);
		folder_close(&f);
	}
}

/* ---- random words ---- */

/*
 * 36 letters do not divide 256: without drawing again, four of them would come 8/7 as often as the
 * others, and chi-squared over 144,000 letters would be near 316. An honest draw's is near 35 (the
 * degrees of freedom) and passes 110 once in a thousand million runs.
 */
static void test_every_letter_is_as_likely(void **state)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	enum { N = 144000, EACH = N / 36 };
	struct text word = { 0 };
	struct fault why = { 0 };
	unsigned count[256] = { 0 };
	double chi = 0;
	size_t i;

	(void)state;
	assert_int_equal(pki_random(N, letters, &word, &why), 0);
	assert_int_equal(word.len, N);
	for (i = 0; i < word.len; i++)
		count[(unsigned char)word.data[i]]++;
	for (i = 0; i < 36; i++) {
		double d = (double)count[(unsigned char)letters[i]] - EACH;

		chi += d * d / EACH;
	}
	if (chi > 110)
		fail_msg("chi-squared %g", chi);
	text_done(&word);
}

static void test_base64_of_every_length(void **state)
{
	static const struct {
		const char *in, *out;
	} words[] = {
		{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" }, { "foobar", "Zm9vYmFy" },
	};

	(void)state;
	CASES(w, words)
	{
		struct text out = { 0 };

		pki_base64(w->in, strlen(w->in), &out);
		assert_string_equal(text_str(&out), w->out);
		text_done(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_certificates_of_a_day_have_keys_that_are_made_at_once),
		cmocka_unit_test(test_verdicts_on_certificates),
		cmocka_unit_test(test_another_clusters_ca_of_the_same_name_is_refused),
		cmocka_unit_test(test_key_belongs_to_certificate),
		cmocka_unit_test(test_certificate_and_key_in_one_file),
		cmocka_unit_test(test_kubeconfig_is_complete_and_new),
		cmocka_unit_test(test_kubeconfig_needs_no_names),
		cmocka_unit_test(test_missing_secrets_are_named_with_the_remedy),
		cmocka_unit_test(test_registries_have_certificates_of_a_ca_of_their_own),
		cmocka_unit_test(test_passwords_are_made_once),
		cmocka_unit_test(test_passwords_are_made_below_the_folder_only),
		cmocka_unit_test(test_every_letter_is_as_likely),
		cmocka_unit_test(test_base64_of_every_length),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
