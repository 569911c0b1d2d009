# shellcheck shell=bash
# Machines in systemd-nspawn: made, booted, cut, asked. Sourced by tests/nspawn/test.
# A machine NAME has its folder $work/NAME: root (an overlay), upper, pid (of nspawn), console.
# The caller sets work (a folder of its own) and build (where the programs are), and may set document
# and nodes (whose seeds are made), add to packages, and give nspawn more machine_options.
: "${work:?}" "${build:?}"

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
document=${document:-$here/cluster.yaml}
nodes=${nodes:-master worker}
cache=${RACKSEED_CACHE:-$HOME/.cache/rackseed}
packages=systemd,systemd-sysv,dbus,udev,kmod,iproute2,netplan.io,openssh-server,sudo,containerd,nftables
packages+=,systemd-timesyncd,procps,ca-certificates,libfyaml0,libcurl4,libssl3,libnftables1,libmicrohttpd12,libgnutls30

# What a node sets in the kernel that is not of its network namespace.
lane_settings='vm/overcommit_memory vm/panic_on_oom kernel/keys/root_maxkeys kernel/keys/root_maxbytes kernel/panic kernel/panic_on_oops fs/inotify/max_user_instances fs/inotify/max_user_watches'

lane_host_settings() { # as the host has them
	local file
	for file in $lane_settings; do
		echo "$file $(cat "/proc/sys/$file")"
	done
}

lane_rootfs() { # prints the tar, made once
	local tar
	tar=$cache/lane-bookworm-$(cksum <<<"$packages" | cut -d' ' -f1).tar
	if [ ! -s "$tar" ]; then
		mkdir -p "$cache"
		echo "# making $tar" >&2
		nice mmdebstrap --quiet --format=tar --variant=minbase --include="$packages" bookworm "$tar.new" >&2 || return 1
		mv "$tar.new" "$tar"
	fi
	echo "$tar"
}

# What the cluster would have: secrets, and certificates of its CA for the stand-ins.
lane_secrets() {
	local pki=$work/secrets/pki
	mkdir "$work/stand-in"
	mkdir -m 700 "$work/secrets"
	lane_seeds || return 1
	cp "$pki/ca.crt" "$work/secrets/token" "$work/stand-in/"
	lane_certificate api /CN=kube-apiserver subjectAltName=DNS:master,IP:192.168.77.50
	lane_certificate kubelet /O=system:nodes/CN=system:node:lane extendedKeyUsage=clientAuth
	lane_leaves && lane_etcd
}

# What kubeadm would sign on a control plane, for a year.
lane_leaves() {
	local leaf dir=$work/stand-in ca
	mkdir -p "$dir/pki/etcd"
	for leaf in apiserver apiserver-kubelet-client front-proxy-client apiserver-etcd-client etcd/{server,peer,healthcheck-client}; do
		case $leaf in
		front-proxy-client) ca=front-proxy-ca ;;
		*etcd*) ca=etcd/ca ;;
		*) ca=ca ;;
		esac
		openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=${leaf##*/}" -keyout "$dir/pki/$leaf.key" -out "$dir/leaf.csr" 2>/dev/null &&
			openssl x509 -req -in "$dir/leaf.csr" -CA "$work/secrets/pki/$ca.crt" -CAkey "$work/secrets/pki/$ca.key" \
				-CAserial "$dir/leaf.srl" -CAcreateserial -days 365 -extfile <(echo "extendedKeyUsage=serverAuth,clientAuth") \
				-out "$dir/pki/$leaf.crt" 2>/dev/null || return 1
	done
}

# As much of etcd's data as says that it is whole: a log, and a database with its first meta page.
lane_etcd() {
	mkdir -p "$work"/stand-in/member/{wal,snap}
	echo log >"$work/stand-in/member/wal/0.wal"
	python3 - "$work/stand-in/member/snap/db" <<-'P'
		import struct, sys
		meta = struct.pack("<IIII5Q", 0xED0CDAED, 2, 4096, 0, 3, 0, 2, 4, 1)
		sum = 0xcbf29ce484222325
		for byte in meta:
		    sum = (sum ^ byte) * 0x100000001b3 % 2**64
		open(sys.argv[1], "wb").write((bytes(16) + meta + struct.pack("<Q", sum)).ljust(16384, b"\0"))
	P
}

lane_seeds() { # of all nodes, from the document and what secrets there are
	local node
	for node in $nodes; do
		rm -rf "$work/seed-$node"
		mkdir -p "$work/seed-$node"
		"$work/seed" "$document" "$work/secrets" "$node" "$work/seed-$node" || return 1
	done
}

lane_certificate() { # NAME SUBJECT EXTENSION
	local dir=$work/stand-in
	openssl req -new -newkey rsa:2048 -nodes -subj "$2" -keyout "$dir/$1.key" -out "$dir/$1.csr" 2>/dev/null &&
		openssl x509 -req -in "$dir/$1.csr" -CA "$work/secrets/pki/ca.crt" -CAkey "$work/secrets/pki/ca.key" \
			-CAcreateserial -days 30 -extfile <(echo "$3") -out "$dir/$1.crt" 2>/dev/null &&
		cat "$dir/$1.crt" "$dir/$1.key" >"$dir/$1.pem"
}

machine_make() { # NAME NODE: a fresh disk with the seed of NODE
	local m=$work/$1 root=$work/$1/root unit verb setting
	mkdir -p "$m"/{root,upper,overlay}
	mount -t overlay overlay -o "lowerdir=$work/base,upperdir=$m/upper,workdir=$m/overlay" "$root"
	cp -a firstboot/tree/. "$root/"
	install -m 755 "$build/rackseed-firstboot" "$root/usr/sbin/rackseed-firstboot"
	install -D -m 755 "$build/rackseed-share" "$root/usr/lib/rackseed/rackseed-share"
	install -D -m 644 <(echo '{"distribution":"debian","release":"bookworm","kubernetes":"1.20.2","containerd":"1.6.20","pause":"k8s.gcr.io/pause:3.2"}') \
		"$root/usr/lib/rackseed/image.json"
	mkdir -p "$root/usr/lib/lane"
	cp -a "$work/seed-$2" "$root/usr/lib/lane/seed"
	cp -R "$work"/stand-in/{ca.crt,token,api.pem,kubelet.pem,pki,member} "$here/api" "$root/usr/lib/lane/"
	install -m 755 "$here/kubeadm" "$here/kubelet" "$root/usr/bin/"
	rm -f "$root/usr/sbin/modprobe"
	install -m 755 <(printf '#!/bin/sh\nexit 0\n') "$root/usr/sbin/modprobe"
	for unit in early:early firstboot:run "audit:audit --report"; do
		verb=${unit#*:}
		install -D -m 644 <(
			printf '[Service]\nExecStart=\nExecStart=/usr/sbin/rackseed-firstboot %s --seed /usr/lib/lane/seed\n' "$verb"
			# A unit with a /proc of its own sees none of what lane-sysctl.service mounted there.
			for setting in $lane_settings; do
				echo "BindPaths=/run/lane/${setting//\//-}:/proc/sys/$setting"
			done
		) "$root/etc/systemd/system/rackseed-${unit%:*}.service.d/lane.conf"
	done
	install -m 644 tests/kube/kubelet.service "$root/usr/lib/systemd/system/kubelet.service"
	ln -s ../kubelet.service "$root/usr/lib/systemd/system/multi-user.target.wants/kubelet.service"
	# The kernel is the host's: what is not of the network namespace is a file of this boot.
	cat >"$root/usr/lib/systemd/system/lane-sysctl.service" <<-U
		[Unit]
		DefaultDependencies=no
		Before=systemd-sysctl.service rackseed-early.service
		[Service]
		Type=oneshot
		RemainAfterExit=yes
		ExecStart=/bin/sh -ec 'mkdir -p /run/lane; for f in $lane_settings; do t=/run/lane/\$\$(echo \$\$f | tr / -); cat /proc/sys/\$\$f >\$\$t; mount --bind \$\$t /proc/sys/\$\$f; done; echo Filename >/run/lane/swaps; mount --bind /run/lane/swaps /proc/swaps'
	U
	ln -s ../lane-sysctl.service "$root/usr/lib/systemd/system/sysinit.target.wants/lane-sysctl.service"
	rm -f "$root"/etc/{machine-id,hostname,resolv.conf} "$root"/etc/ssh/ssh_host_*
	: >"$root/etc/machine-id"
}

machine_boot() { # NAME MAC [ADDRESS...]: addresses are given to the machine by the lane
	local m=$work/$1 ns=rackseed-lane-$$-$1 address
	ip netns del "$ns" 2>/dev/null
	ip netns add "$ns"
	ip -n "$ns" link set lo up
	ip -n "$ns" link add eth0 address "$2" type veth peer name far
	for address in "${@:3}"; do
		ip -n "$ns" address add "$address" dev lo
	done
	touch "$m/booted"
	SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 SYSTEMD_NSPAWN_API_VFS_WRITABLE=network \
		systemd-nspawn --quiet -D "$m/root" --boot --register=no --keep-unit --machine="lane-$1" \
		--network-namespace-path="/run/netns/$ns" --capability=CAP_NET_ADMIN --console=pipe \
		--resolv-conf=off --timezone=off ${machine_options[@]+"${machine_options[@]}"} </dev/null >>"$m/console" 2>&1 &
	echo $! >"$m/pid"
	disown
	machine_wait "$1" 300 test -S /run/dbus/system_bus_socket
}

machine_leader() { # NAME: the machine's init
	pgrep -P "$(cat "$work/$1/pid")" | head -n 1
}

machine_in() { # NAME COMMAND...: runs it inside
	local leader
	leader=$(machine_leader "$1")
	[ -n "$leader" ] && timeout 120 nsenter -t "$leader" -m -u -i -n -p -C "${@:2}"
}

machine_wait() { # NAME SECONDS COMMAND...: until it succeeds inside
	local end=$((SECONDS + $2))
	until machine_in "$1" "${@:3}" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.1
	done
}

machine_phase() { # NAME SECONDS PHASE
	machine_wait "$1" "$2" sh -c "rackseed-firstboot status | grep -qx \"node '[a-z]*': $3\""
}

machine_gone() { # NAME
	local pid
	pid=$(cat "$work/$1/pid" 2>/dev/null) || return 0
	timeout 30 tail --pid="$pid" -f /dev/null
	rm -f "$work/$1/pid"
	ip netns del "rackseed-lane-$$-$1" 2>/dev/null
	return 0
}

machine_off() { # NAME: shuts down in order
	kill -RTMIN+4 "$(machine_leader "$1")"
	machine_gone "$1"
}

machine_cut() { # NAME: pulls the plug
	local pid
	pid=$(cat "$work/$1/pid" 2>/dev/null) || return 0
	kill -KILL "$(machine_leader "$1")" "$pid" 2>/dev/null
	machine_gone "$1"
}

# What a boot wrote to the disk, but for logs, the seed of randomness and systemd's own marks.
machine_written() { # NAME
	(cd "$work/$1/upper" && find . \( -path ./var/log -o -path ./run -o -path ./tmp -o -path ./var/tmp \
		-o -path ./var/lib/systemd -o -path ./var/lib/containerd -o -path ./var/lib/private \) -prune \
		-o -newer ../booted ! -type d -print)
}
