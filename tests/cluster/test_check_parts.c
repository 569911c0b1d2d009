/* SPDX-License-Identifier: MIT */
#include "tests/cluster/test_check_rows.h"

static void test_registries(void **state)
{
#define REG NODE("reg", 60, ", role: registry")
	static const struct row rows[] = {
		{ "registry-unknown", 1, .more = "images: [\"zzz:5000/a:1\"]" },
		{ "registry-unknown", 1, .nodes = REG, .more = "images: [\"reg:5000/a:1\"]" },
		{ "registry-unknown", 1,
		  .more = "images: [\"rg:5000/a:1\"]\n"
			  "registries: {reg:5000: {mirrors: [docker.io]}}" },
		{ "registry-unknown", 0,
		  .more = "images: [\"localhost:5000/a:1\", ./a.tar, \"a:1\", "
			  "\"a.b:5/c:1\"]" },
		{ "registry-unknown", 0,
		  .more = "registries: {docker.io: {mirrors: [\"[fd00::1]:5000\"]}}" },
		{ "registry-unknown", 0, .cluster = ", podNetwork: flannel" },
		{ "registry-host", 0, .nodes = REG,
		  .more = "registries: {10.0.0.60:5000: {node: reg}}" },
		{ "registry-host", 0, .nodes = REG,
		  .more = "registries: {\"[fd00::1]:5000\": {node: reg}}" },
		{ "registry-host", 1, .nodes = REG,
		  .more = "registries: {10.0.0.61:5000: {node: reg}}" },
		{ "registry-host", 1, .nodes = REG,
		  .more = "registries: {docker.io: {node: reg}}" },
		{ "registry-client", 1, .more = "registries: {a.b: {clientCertFile: secrets/a}}" },
		{ "registry-client", 1, .more = "registries: {a.b: {clientKeyFile: secrets/a}}" },
		{ "registry-client", 1, .more = "registries: {a.b: {clientKeyFile: x}}" },
		{ "registry-default", 1, .nodes = REG,
		  .more = "registries: {_default: {node: reg}}" },
		{ "registry-default", 1,
		  .more = "registries: {_default: {user: u, passwordFile: secrets/a}}" },
		{ "registry-unproven", 0,
		  .more = "registries: {_default: {user: u, passwordFile: secrets/a}}" },
		{ "registry-default", 1, .more = "registries: {_default: {caFile: secrets/a}}" },
		{ "registry-default", 1, .more = "registries: {_default: {probe: a}}" },
		{ "registry-default", 1, .more = "registries: {_default: {upstream: a}}" },
		{ "registry-default", 1,
		  .more = "registries: {_default: {clientCertFile: secrets/a}}" },
		{ "registry-default", 1,
		  .more = "registries: {_default: {clientKeyFile: secrets/a}}" },
		{ "registry-default", 1, .more = "registries: {_default: {insecure: true}}" },
		{ "registry-default", 1, .more = "registries: {_default: {namespaces: [a]}}" },
		{ "registry-default", 0, .more = "registries: {_default: {mirrors: [a.b]}}" },
		{ "registry-probe", 1, .more = "registries: {a.b: {probe: ./a.tar}}" },
		{ "registry-probe", 1, .more = "registries: {a.b: {probe: /a}}" },
		{ "registry-probe", 0, .more = "registries: {a.b: {probe: a}}" },
		{ "registry-unproven", 1,
		  .more = "registries: {a.b: {user: u, passwordFile: secrets/a}}" },
		{ "registry-unproven", 0,
		  .more = "registries: {a.b: {user: u, passwordFile: secrets/a, probe: a}}" },
		{ "registry-unproven", 0, .more = "registries: {a.b: {user: u}}" },
		{ "namespaces-unused", 0,
		  .more = "registries: {a.b: {namespaces: [a], user: u, passwordFile: "
			  "secrets/a}}" },
		{ "namespaces-unused", 1, .more = "registries: {a.b: {namespaces: [a]}}" },
		{ "namespaces-unused", 0, .more = "registries: {a.b: {namespaces: []}}" },
		{ "namespaces-unused", 0,
		  .more = "registries: {a.b: {namespaces: [a], users: u}}" },
		{ "namespaces-unused", 0, .more = "registries: {_default: {namespaces: [a]}}" },
		{ "registry-insecure", 1, .more = "registries: {a.b: {insecure: true}}" },
	};
#undef REG

	(void)state;
	check_rows(rows, COUNT(rows));
}

static void test_shares(void **state)
{
#define ST NODE("st", 40, ", role: storage")
#define DATA NODE("st", 40, ", role: storage, data: {disk: {serial: x}}")
#define OURS "node: st, mount: /mnt/a, "
#define USER "user: u, passwordFile: secrets/u"
#define LONG                                                                                       \
	"/srv/"                                                                                    \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"    \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaa"
	static const struct row rows[] = {
		{ "share-twice", 1, .nodes = ST,
		  .more = "shares:\n  a: {" OURS USER ", path: /srv/a}\n"
			  "  b: {node: st, mount: /mnt/b, guest: true, path: /srv/a}" },
		{ "share-twice", 1, .nodes = ST,
		  .more = "shares:\n  a: {" OURS "guest: true, path: /srv/a}\n"
			  "  b: {node: st, mount: /mnt/b, " USER ", path: /srv/a}" },
		{ "share-twice", 0, .nodes = ST,
		  .more = "shares:\n  a: {" OURS "guest: true, path: /srv/a}\n"
			  "  b: {node: st, mount: /mnt/b, guest: true, path: /srv/a}" },
		{ "share-password", 0, .nodes = ST,
		  .more = "shares:\n  a: {" OURS "user: u, path: /srv/a}\n"
			  "  b: {node: st, mount: /mnt/b, " USER ", path: /srv/b}" },
		{ "mount-served", 0, .nodes = ST,
		  .more = "shares:\n  a: {" OURS USER ", path: " LONG "}" },
		{ "mount-served", 0,
		  .m1 = "role: [control-plane, worker, registry, storage], address: "
			"10.0.0.11, " MAC(11),
		  .more = "shares:\n  a: {node: m1, mount: x, " USER ", path: " LONG "}\n"
			  "  b: {node: m1, " USER ", path: x}\n"
			  "  c: {node: m1, mount: /mnt/c, " USER ", path: /a//b}" },
		{ "share-source", 1,
		  .more = "shares: {a: {server: //a/b, path: /srv/a, mount: /mnt/a, "
			  "guest: true}}" },
		{ "share-source", 1, .nodes = ST, .more = "shares: {a: {" OURS USER "}}" },
		{ "share-source", 0,
		  .more = "shares: {a: {servr: //a/b, mount: /mnt/a, " USER "}}" },
		{ "account-reserved", 1, .nodes = ST,
		  .more = "shares: {a: {" OURS
			  "user: root, passwordFile: secrets/u, path: /srv/a}}" },
		{ "account-reserved", 0, .nodes = ST,
		  .more = "shares: {a: {" OURS
			  "user: \" root\", passwordFile: secrets/u, path: /srv/a}}" },
		{ "share-user", 1,
		  .more = "shares: {a: {server: //a/b, mount: /mnt/a, guest: true, passwordFile: "
			  "secrets/u}}" },
		{ "share-data", 0, .nodes = DATA, .more = "shares: {a: {" OURS USER "}}" },
		{ "share-data", 0, .nodes = DATA, .more = "shares: {a: {" OURS USER ", path: x}}" },
		{ "share-data", 1, .nodes = DATA,
		  .more = "shares: {a: {" OURS USER ", path: /data/x}}" },
		{ "share-data", 0, .nodes = DATA,
		  .more = "shares: {a: {" OURS USER ", path: /srv/x}}" },
		{ "mount-system", 0,
		  .more = "admin: {user: ops}\nshares: {a: {server: //a/b, " USER "}}" },
		{ "mount-system", 0,
		  .more = "admin: {user: ops}\nshares: {a: {server: //a/b, mount: x, " USER "}}" },
		{ "mount-system", 1,
		  .more = "admin: {user: ops}\nshares: {a: {server: //a/b, mount: /home/ops, " USER
			  "}}" },
		{ "mount-nested", 1,
		  .more = "shares:\n  a: {server: //a/b, mount: /mnt/a, guest: true}\n"
			  "  b: {server: //a/b, mount: /mnt/a-b, guest: true}\n"
			  "  c: {server: //a/b, mount: /mnt/a/b, guest: true}" },
		{ "mount-nested", 1,
		  .more = "shares:\n  a: {server: //a/b, mount: /mnt/a/b, guest: true}\n"
			  "  b: {server: //a/b, mount: /mnt/a-b, guest: true}\n"
			  "  c: {server: //a/b, mount: /mnt/a, guest: true}" },
		{ "mount-twice", 1,
		  .more = "shares:\n  a: {server: //a/b, mount: /mnt/a, guest: true}\n"
			  "  b: {server: //a/b, mount: /mnt/a, guest: true}" },
		{ "claim-twice", 1,
		  .more = "shares:\n"
			  "  a: {server: //a/b, mount: /mnt/a, guest: true, claim: a/b, volume: "
			  "1Gi}\n"
			  "  b: {server: //a/b, mount: /mnt/b, guest: true, claim: a/b, volume: "
			  "1Gi}\n"
			  "  c: {server: //a/b, mount: /mnt/c, guest: true, claim: x}" },
		{ "share-text", 1,
		  .more = "shares: {a: {server: //a/b, mount: " LONG ", guest: true}}" },
		{ "share-text", 0, .more = "shares: {a: {server: a, mount: /mnt/a, guest: true}}" },
	};

	(void)state;
	check_rows(rows, COUNT(rows));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_registries),
		cmocka_unit_test(test_shares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
