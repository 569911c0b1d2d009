/* SPDX-License-Identifier: MIT */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/net.h"

/*
 * The document as values: what cluster.yaml says, with defaults filled in. Filled by cluster/parse,
 * judged by cluster/check, const from then on. Every string is owned by the model; lists of strings
 * are NULL-terminated or NULL. cluster.yaml(5) tells what each key means.
 */

/* Where in the file something was said; line 0: nowhere (a default). Both count from 1. */
struct model_mark {
	unsigned line, column;
};

enum model_role {
	MODEL_CONTROL_PLANE = 1 << 0,
	MODEL_WORKER = 1 << 1,
	MODEL_STORAGE = 1 << 2,
	MODEL_REGISTRY = 1 << 3,
};

enum model_distribution { MODEL_DEBIAN, MODEL_UBUNTU, MODEL_N_DISTRIBUTIONS };
enum model_accel { MODEL_ACCEL_AUTO, MODEL_ACCEL_KVM, MODEL_ACCEL_TCG, MODEL_N_ACCELS };
enum model_pod_network { MODEL_PODS_ROUTED, MODEL_PODS_NONE, MODEL_PODS_ADDON };
enum model_gpu { MODEL_GPU_NONE, MODEL_GPU_NVIDIA, MODEL_GPU_AMD, MODEL_GPU_INTEL, MODEL_N_GPUS };

/* Doors of the firewall that the file may narrow or widen; a list each of who may come. */
enum model_door {
	MODEL_DOOR_SSH,
	MODEL_DOOR_API, /* the API server, and the status of every node */
	MODEL_DOOR_REGISTRY,
	MODEL_DOOR_SHARES,
	MODEL_DOOR_NODE_PORTS, /* services of type NodePort, hostPorts, and firewall.ports */
	MODEL_N_DOORS
};

/* patch < 0: the file names a minor version only. */
struct model_version {
	int major, minor, patch;
};

struct model_pair { /* a label */
	char *key, *value;
	struct model_mark mark;
};

struct model_taint {
	char *key, *value, *effect; /* value may be "" */
	struct model_mark mark;
};

struct model_registry {
	char *host; /* "registry:5000", "docker.io", or "_default" */
	char *node; /* the node of ours that serves it, or NULL */
	char *user, *password_file; /* or NULL */
	char **mirrors; /* "host[:port][/prefix]", tried in this order */
	char *upstream; /* "host[:port]" of which it is a pull-through cache, or NULL */
	char *ca_file;	/* of somebody else's registry, or NULL: the system's authorities */
	char *client_cert_file, *client_key_file; /* what its clients show it, or NULL */
	char *probe; /* an image of it, "busybox:1.36", that every node pulls as a proof, or NULL */
	bool insecure; /* plain http */
	bool user_meant; /* a misspelled key probably was one of the two */
	char **namespaces; /* where pods get its pull secret; NULL: not said, so "default" */
	struct model_mark mark, node_mark, password_mark, namespaces_mark, upstream_mark, ca_mark,
		client_cert_mark, client_key_mark, probe_mark, insecure_mark;
	struct model_mark *mirror_marks; /* one for each mirror, or NULL */
};

struct model_share {
	char *name;
	char *node, *path; /* a node of ours and its folder, or */
	char *server; /* "//host/share" of somebody else's */
	char *mount; /* where nodes mount it */
	char *user, *password_file; /* or NULL */
	uint64_t volume_bytes; /* 0: no PersistentVolume */
	char *claim; /* NAMESPACE/NAME of the PersistentVolumeClaim that takes it, or NULL */
	unsigned uid, gid; /* who owns what is in it, on the nodes that mount it */
	bool guest;
	/* A misspelled key probably was node:, path: or server:, or one of user: and the like. */
	bool source_meant, user_meant;
	struct model_mark mark, node_mark, path_mark, server_mark, mount_mark, user_mark,
		password_mark, claim_mark;
};

struct model_vm {
	unsigned cpus;
	uint64_t memory_bytes, disk_bytes;
	struct model_mark mark; /* line 0: the node has no vm: */
	struct model_mark cpus_mark, memory_mark, disk_mark;
	uint64_t data_bytes; /* of its second disk; 0: it has none */
	struct model_mark data_mark;
};

struct model_disk { /* which disk of the server is meant; all NULL or 0: any */
	char *serial, *wwn;
	uint64_t size_bytes;
	struct model_mark serial_mark, wwn_mark;
};

/* How the kernel modules of nvidia's driver come: the open ones know nothing older than Turing. */
enum model_gpu_modules { MODEL_GPU_OPEN, MODEL_GPU_PROPRIETARY };

struct model_gpus { /* of one vendor, on every node that has them */
	char *driver; /* the branch of nvidia's driver, "580", or NULL: the release's */
	enum model_gpu_modules modules;
	bool fabric_manager; /* what NVSwitches need */
	char *device_plugin; /* its image, or NULL: pods are offered them by somebody else */
	struct model_mark mark, driver_mark, fabric_manager_mark, device_plugin_mark;
};

struct model_own { /* what a device of a node's own network: has */
	struct net_ip ip; /* family 0: it is a MAC */
	struct net_mac mac;
	struct model_mark mark;
};

struct model_node {
	char *name;
	unsigned roles; /* of enum model_role */
	struct net_ip address;
	struct net_mac mac;
	bool has_mac;
	bool mac_meant; /* a misspelled key probably was mac: */
	char *serial; /* of the machine (SMBIOS), or NULL */
	struct model_vm vm;
	struct model_disk disk;
	struct model_disk data; /* the disk for what it serves, see model_has_data() */
	enum model_gpu gpu;
	unsigned gpu_count; /* so many at least; 0: not said */
	struct model_pair *labels;
	size_t n_labels;
	struct model_taint *taints;
	size_t n_taints;
	struct net_cidr pod_cidr; /* podCIDR: as written; family 0: model_pod_cidr() numbers it */
	char *network; /* its own network: as YAML text in netplan's words, or NULL */
	struct model_own *own; /* the addresses and MACs in it */
	size_t n_own;
	struct model_mark mark, address_mark, mac_mark, network_mark, role_mark, serial_mark,
		pod_cidr_mark, data_mark, gpu_mark;
};

struct model_networks {
	struct net_cidr *list;
	size_t n;
	struct model_mark mark; /* line 0: the file does not say */
};

struct model_port {
	unsigned port;
	bool udp;
	struct model_mark mark;
};

struct model {
	char *file; /* as given, for messages */
	char *name; /* cluster.name */
	struct model_version kubernetes;
	char *image_repository; /* or NULL: kubeadm's own */
	char **skip_phases; /* kubeadm init phases left out, such as addon/coredns */
	char *endpoint_host;
	unsigned endpoint_port;
	char *token; /* static bootstrap token, or NULL: secrets/ has one */
	struct { /* of etcd, on its control planes */
		char *path; /* the folder */
		uint64_t every_s;
		unsigned keep;
		struct model_mark path_mark;
	} snapshots;
	struct net_cidr pod_subnet, service_subnet;
	enum model_pod_network pod_network;
	char *pod_network_addon; /* MODEL_PODS_ADDON: its name */

	struct {
		enum model_distribution distribution;
		char *release;
		char *mirror; /* or NULL: the distribution's default */
		char **packages; /* more of them */
		char **sources; /* lines of sources.list, or folders of .deb files */
		char **kernel_arguments;
		char *cloud_image, *sha256; /* or NULL */
	} os;

	struct {
		struct net_cidr subnet;
		struct net_ip gateway; /* family 0: none */
		struct net_ip *nameservers;
		size_t n_nameservers;
		char **ntp;
	} network;

	struct {
		enum model_accel accel;
		char *bridge; /* the host's bridge, or NULL: an isolated libvirt network */
	} vm;

	struct {
		unsigned wait_s; /* before an installer stick writes a disk */
	} installer;

	struct { /* of the sums of the images */
		char *key_file; /* the private key, or NULL: secrets/ has one */
		struct model_mark key_mark;
	} signing;

	struct {
		char *user;
		char **ssh_keys;
	} admin;

	struct {
		struct model_networks doors[MODEL_N_DOORS]; /* see model_door() */
		struct model_port *ports; /* of pods in the host's network */
		size_t n_ports;
	} firewall;

	struct model_gpus gpus[MODEL_N_GPUS];
	char **images; /* archives, or references fetched with skopeo */
	struct model_registry *registries;
	size_t n_registries;
	struct model_share *shares;
	size_t n_shares;
	struct model_node *nodes; /* in the order of the file */
	size_t n_nodes;

	struct { /* where keys stand, for check */
		struct model_mark endpoint, pod_subnet, service_subnet, subnet, gateway, token,
			kubernetes, nodes, distribution, release, image_repository, pod_network,
			cloud_image, sha256, cluster, user;
		struct model_mark *images, *sources, *ssh_keys; /* one for each, or NULL */
	} mark;
	size_t *by_name; /* numbers of the nodes, sorted by name: for model_node(), or NULL */
	size_t n_by_name;
};

/* Frees everything; m is empty afterwards. Accepts a zeroed one. For scoped(). */
void model_done(struct model *m);

/* Makes model_node() quick: 0, or -ENOMEM. Called once, when the nodes are complete. */
int model_index(struct model *m) __attribute__((nonnull, warn_unused_result));

/* By name, or NULL. */
const struct model_node *model_node(const struct model *m, const char *name)
	__attribute__((nonnull));

/* By host, or NULL. */
const struct model_registry *model_registry(const struct model *m, const char *host)
	__attribute__((nonnull));

/* The first node with the role, or NULL. */
const struct model_node *model_first(const struct model *m, unsigned role)
	__attribute__((nonnull));

/* Who may come through a door besides the nodes: as written, or the subnet of the nodes. */
const struct net_cidr *model_door(const struct model *m, enum model_door door, size_t *ret_n)
	__attribute__((nonnull));

bool model_is_kubernetes(const struct model_node *node); /* control plane or worker */

/* The first node with GPUs of the vendor that runs pods, or NULL. */
const struct model_node *model_first_gpu(const struct model *m, enum model_gpu gpu)
	__attribute__((nonnull));

/* Whether the node keeps what it serves on a disk of its own, mounted at MODEL_DATA_FOLDER. */
bool model_has_data(const struct model_node *node) __attribute__((nonnull));

#define MODEL_DATA_FOLDER "/srv"

/* The serial number of a machine's second disk: NODE-data, as much of it as virtio has room for. */
enum { MODEL_DATA_SERIAL_LEN = 21 };
void model_data_serial(const char *node, char buf[static MODEL_DATA_SERIAL_LEN]);

/* Whether a node of ours serves it over TLS, so with a certificate of the registry CA. */
bool model_serves_tls(const struct model_registry *registry) __attribute__((nonnull));

/* The port behind a registry's "HOST[:PORT]", else the one that its clients take. */
unsigned model_registry_port(const struct model_registry *registry) __attribute__((nonnull));

/*
 * Whether an entry of images: is a file beside the document (it begins with "./", "../" or '/', or
 * ends in .tar) and not a reference to be fetched. The same for os.sources: a folder, and not a
 * line of sources.list.
 */
bool model_image_is_file(const char *image) __attribute__((nonnull));
bool model_source_is_folder(const char *source) __attribute__((nonnull));

/* Whether a cloud image is to be fetched; else it is a file. */
bool model_place_is_url(const char *place) __attribute__((nonnull));

/* version a.b compared with v, patch ignored: <0, 0, >0. */
int model_version_cmp(const struct model_version *v, int major, int minor);

/*
 * The node's part of the pod network: podCIDR where given, else the /24 (IPv6: /64) of podSubnet
 * that the node's own address numbers: 192.168.10.101 in 192.168.10.0/24 -> 10.244.101.0/24.
 * -ERANGE when podSubnet has no such part.
 */
int model_pod_cidr(const struct model *m, const struct model_node *node, struct net_cidr *ret_cidr)
	__attribute__((nonnull, warn_unused_result));
