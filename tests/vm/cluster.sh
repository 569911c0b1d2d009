# shellcheck shell=bash
# What the tests of this folder know of a cluster in a lab; sourced after lab.sh and tap.sh, with
#
#     members     its Kubernetes nodes        others     its other machines, or ''
#
# set. cluster_begin NAME opens the lab and makes sure of its end; logs of a failure: $logs.
: "${members:?}" "${others=}"

cluster_begin() {
	[ "$(id -u)" -eq 0 ] || { echo "1..0 # SKIP only root can make a network namespace"; exit 0; }
	lab_init "$1"
	logs=$lab_top/build/logs/vm-$1
	times=$lab_work/times.txt
	lab_lock || { echo "not ok 1 - another run is at work here"; exit 1; }
	trap cluster_end EXIT
	trap 'exit 1' INT TERM HUP
}

cluster_logs() {
	local node
	mkdir -p "$logs"
	cp "$lab_work"/out/*.console.log "$lab_work/libvirtd.log" "$times" "$logs/" 2>/dev/null
	for node in $members $others; do
		LAB_SSH_SECONDS=90 lab_ssh "$node" sudo journalctl --no-pager >"$logs/$node.journal" 2>&1
	done
}

cluster_end() {
	local rc=$?
	trap - EXIT
	trap '' INT TERM HUP # it may take a minute, and has to come to its end
	echo "1..$tap_n"
	if [ "$tap_bad" -gt 0 ] || [ "$rc" -ne 0 ]; then
		cluster_logs
		echo "# consoles and journals: $logs"
		rc=1
	fi
	[ ! -s "$times" ] || tap_note <"$times"
	lab_stop
	# Disks are large; the next run builds them again from the cache.
	[ "$rc" -ne 0 ] || rm -rf "$lab_work/out"
	exit "$rc"
}

cluster_prepare() { # NAME [TEMPLATE]
	rm -rf "$lab_work" "$logs"
	mkdir -p "$lab_work"
	lab_kubernetes && lab_cluster "$1" "${RACKSEED_ACCEL:-tcg}" "${2:-}"
}

cluster_check() { (cd "$lab_work" && "$rackseed" check); }
cluster_build() { (cd "$lab_work" && "$rackseed" build --out out); }

# ---- Ready ----------------------------------------------------------------------------------
epoch_of() { date -u -d "$1" +%s; }

renewed_at() { # NODE: its last heartbeat
	lab_kubectl -n kube-node-lease get lease "$1" -o 'jsonpath={.spec.renewTime}'
}

# Each node's heartbeat is younger than that time: Ready is not just what was said last.
beats_since() {
	local node renewed
	for node in $members; do
		renewed=$(renewed_at "$node") || return 1
		[ "$(epoch_of "$renewed")" -gt "$1" ] || return 1
	done
}

wait_ready() { # SECONDS EPOCH NAME: until all are Ready by heartbeats after EPOCH; notes the time
	lab_rackseed status --wait --timeout "$1" || return 1
	[ -s "$lab_work/kubeconfig" ] || lab_rackseed kubeconfig >"$lab_work/kubeconfig" || return 1
	lab_until "$1" "fresh heartbeats" beats_since "$2" || return 1
	echo "$3: $(($(date +%s) - $2)) s from power to Ready" >>"$times"
}

judges_itself() { # NODE: and every rule holds, as it is told over the status endpoint
	LAB_SSH_SECONDS=300 lab_ssh "$1" sudo systemctl start rackseed-audit && lab_rackseed audit "$1"
}

field() { lab_kubectl get "$1" "$2" -o "jsonpath={$3}"; }

cut_all() {
	lab_ssh_end
	lab_rackseed vm cut || return 1
	! lab_rackseed vm list | grep running
}
