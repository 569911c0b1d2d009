# shellcheck shell=bash
# A lab: a network namespace with a libvirtd of its own, for tests and the demo. Sourced; then
#
#     lab_init NAME     names it; nothing is made yet
#     lab_start         the namespace, the daemon
#     lab_in CMD...     runs a command inside the namespace
#     lab_stop          ends all of it, also what an earlier run left behind
#
# The daemon sees its own /etc/libvirt, /var/lib/libvirt and /run/libvirt through a private mount
# namespace, so that a libvirtd of this machine is neither used nor disturbed, and the guests' network
# exists in the namespace only. Needs root.

lab_top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

# NAME: it works in build/vm/NAME, and checkouts do not meet. NAME FOLDER: it works in FOLDER, and
# there is one of that name on the machine.
lab_init() {
	local name=$1
	[ $# -gt 1 ] || name+=-$(printf %s "$lab_top" | sha256sum | cut -c 1-6)
	lab_ns=rackseed-$name
	lab_run=/run/rackseed-lab/$name # short: a socket's path has 107 characters
	lab_work=${2:-$lab_top/build/vm/$1}
	# shellcheck disable=SC2034  # for whoever sources this
	rackseed=${RACKSEED:-$lab_top/build/${MODE:-release}/rackseed}
	export LIBVIRT_DEFAULT_URI="qemu+unix:///system?socket=$lab_run/libvirt-sock"
}

lab_say() { echo "# $*" >&2; }

# Until a command succeeds: lab_until SECONDS WHAT CMD... Asking costs the emulated machines what they
# need for the answer to change (a TLS handshake is a second of theirs), so it is asked ever less often.
lab_until() {
	local begin=$SECONDS end=$((SECONDS + $1)) what=$2 out pause
	shift 2
	until out=$("$@" 2>&1); do
		if [ "$SECONDS" -ge "$end" ]; then
			lab_say "waited in vain for $what; last:"
			printf '%s\n' "$out" | tail -n 20 | sed 's/^/# /' >&2
			return 1
		fi
		pause=$((1 + (SECONDS - begin) / 15))
		sleep $((pause < 8 ? pause : 8))
	done
}

# Only one program at a time has a lab of this name; the lock goes with the program.
lab_lock() {
	mkdir -p /run/rackseed-lab
	exec {lab_lock_fd}>"$lab_run.lock"
	flock --nonblock "$lab_lock_fd" || { lab_say "another program is at work on $lab_ns"; return 1; }
}

lab_in() { ip netns exec "$lab_ns" "$@"; }

lab_configure() {
	local conf=$lab_run/conf
	mkdir -p "$conf/etc/qemu" "$conf/lib/"{dnsmasq,images,network,boot,qemu/nvram} \
		"$conf/log/qemu" "$conf/cache/qemu"
	cat >"$conf/libvirtd.conf" <<-EOF
		unix_sock_dir = "$lab_run"
		unix_sock_rw_perms = "0700"
		unix_sock_ro_perms = "0700"
		unix_sock_admin_perms = "0700"
		auth_unix_ro = "none"
		auth_unix_rw = "none"
		log_outputs = "2:file:$lab_work/libvirtd.log"
	EOF
	# Root in a namespace of ours: no confinement, no cgroups, logs without a second daemon.
	cat >"$conf/etc/qemu.conf" <<-EOF
		user = "root"
		group = "root"
		dynamic_ownership = 0
		remember_owner = 0
		security_driver = "none"
		cgroup_controllers = []
		namespaces = []
		stdio_handler = "file"
	EOF
}

# All of it becomes libvirtd in the end, so that $! is its process.
lab_daemon() {
	[ -z "${lab_lock_fd:-}" ] || exec {lab_lock_fd}>&-
	# shellcheck disable=SC2016  # expanded inside
	exec setsid ip netns exec "$lab_ns" unshare --mount --propagation private bash -c '
		set -e
		mount --bind "$1/conf/etc" /etc/libvirt
		mount --bind "$1/conf/lib" /var/lib/libvirt
		mount --bind "$1/conf/log" /var/log/libvirt
		mount --bind "$1/conf/cache" /var/cache/libvirt
		# No system bus: machined and firewalld of the host have no part in this.
		mkdir -p /run/libvirt /run/dbus
		mount -t tmpfs -o mode=0755 rackseed-lab /run/dbus
		mount -t tmpfs -o mode=0755 rackseed-lab /run/libvirt
		exec libvirtd --config "$1/conf/libvirtd.conf" --pid-file "$1/libvirtd.pid"
	' libvirtd "$lab_run" </dev/null >"$lab_work/libvirtd.out" 2>&1
}

lab_start() {
	[ "$(id -u)" -eq 0 ] || { lab_say "only root can make a network namespace"; return 1; }
	lab_stop || return 1
	mkdir -p "$lab_run" "$lab_work"
	lab_configure
	ip netns add "$lab_ns" && lab_in ip link set lo up || return 1
	lab_daemon &
	echo $! >"$lab_run/pid"
	lab_until 60 "libvirtd's socket" virsh -q -c "$LIBVIRT_DEFAULT_URI" version || {
		cat "$lab_work/libvirtd.out" >&2
		tail -n 5 "$lab_work/libvirtd.log" >&2
		return 1
	}
}

# Whoever lives in our namespace is ours: the daemon, its guests, and what a test left.
lab_pids() { ip netns pids "$lab_ns" 2>/dev/null; }
lab_is_empty() { [ -z "$(lab_pids)" ]; }

lab_stop() {
	local signal pid
	if [ -e "/run/netns/$lab_ns" ]; then
		for signal in TERM KILL; do
			for pid in $(lab_pids); do
				kill -"$signal" "$pid" 2>/dev/null || true
			done
			lab_until 15 "the end of what runs in $lab_ns" lab_is_empty && break
		done
		ip netns delete "$lab_ns" || return 1
	fi
	rm -rf "$lab_run"
}

# Kubernetes 1.20 as packages and images at $lab_work/kube, built once per machine.
lab_kubernetes() {
	local kube
	kube=${RACKSEED_K8S_SOURCE:-$("$lab_top/tests/kube/build")} || return 1
	mkdir -p "$lab_work"
	ln -sfn "$kube" "$lab_work/kube"
}

# Any Debian suite that apt knows tells where this machine's mirror is.
lab_mirror() {
	# shellcheck disable=SC2016  # apt's own placeholder
	echo "${RACKSEED_DEBIAN_MIRROR:-$(apt-get indextargets --format '$(REPO_URI)' \
		'Created-By: Packages' 'Origin: Debian' 'Label: Debian' 'Component: main' | head -n 1)}"
}

# Writes $lab_work/cluster.yaml for the cluster NAME with ACCEL from TEMPLATE (default: two
# machines), and a key to log in with.
lab_cluster() {
	local mirror images image tsc template=${3:-$lab_top/tests/vm/lab.yaml.in}
	mirror=$(lab_mirror)
	[ -n "$mirror" ] || { lab_say "apt knows no Debian mirror (RACKSEED_DEBIAN_MIRROR=URL)"; return 1; }
	[ -e "$lab_work/key" ] || ssh-keygen -q -t ed25519 -N '' -C "$1" -f "$lab_work/key" || return 1
	tsc=$(gcc -O2 -o "$lab_work/tsc" "$lab_top/tests/vm/tsc.c" && "$lab_work/tsc") || return 1
	# awk turns each \n into the end of a line.
	images=$(for image in "$lab_work"/kube/images/*.tar; do printf '  - kube/images/%s\\n' "${image##*/}"; done)
	awk -v name="$1" -v accel="$2" -v mirror="$mirror" -v key="$(cat "$lab_work/key.pub")" \
		-v images="$images" -v tsc="$tsc" '
		{ sub(/@NAME@/, name); sub(/@ACCEL@/, accel); sub(/@MIRROR@/, mirror); sub(/@KEY@/, key); sub(/@TSC@/, tsc)
		  sub(/@IMAGES@/, substr(images, 1, length(images) - 1)); print }' "$template" >"$lab_work/cluster.yaml"
}

# Runs rackseed on the lab's file, with the lab's libvirt, inside its network.
lab_rackseed() {
	(cd "$lab_work" && lab_in "$rackseed" "$@")
}

lab_address() { # of a node
	sed -n "s/^  $1: .*address: \([0-9.]*\),.*/\1/p" "$lab_work/cluster.yaml"
}

# lab_ssh NODE WORD...: as the admin; the words are one command line for its shell. One connection
# per node is kept: each log-in costs an emulated machine ten seconds.
lab_ssh() {
	local node=$1
	shift
	lab_in timeout "${LAB_SSH_SECONDS:-90}" ssh -q -i "$lab_work/key" -o BatchMode=yes \
		-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o ConnectTimeout=30 \
		-o ServerAliveInterval=10 -o ServerAliveCountMax=6 \
		-o ControlMaster=auto -o ControlPersist=900 -o "ControlPath=$lab_run/ssh-$node" \
		"admin@$(lab_address "$node")" "$@" </dev/null
}

# Forgets the connections, as before a reboot.
lab_ssh_end() {
	local socket
	for socket in "$lab_run"/ssh-*; do
		[ ! -S "$socket" ] || ssh -q -o "ControlPath=$socket" -O exit lab 2>/dev/null || true
		rm -f "$socket"
	done
}

# kubectl from the packages, with the kubeconfig of `rackseed kubeconfig`
lab_kubectl() {
	local kubectl=$lab_work/kubectl/usr/bin/kubectl
	if [ ! -x "$kubectl" ]; then
		dpkg-deb -x "$lab_work"/kube/debs/kubectl_*.deb "$lab_work/kubectl" || return 1
	fi
	lab_in timeout "${LAB_KUBECTL_SECONDS:-60}" "$kubectl" --kubeconfig "$lab_work/kubeconfig" \
		--request-timeout=30s "$@"
}
