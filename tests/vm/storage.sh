# shellcheck shell=bash
# A share and a registry on the machine `store`, and a pod that lives off both; sourced after
# cluster.sh, with tests/vm/storage/cluster.yaml.in as the lab's file.
: "${members:?}"
look_s=420 # what a step that is looked at again may take until it sees a change
image=store:5000/library/busybox:test
again_s=900
wrote=0 # lines of the pod before the plug was pulled

secret() { tr -d '\n' <"$lab_work/secrets/$1"; }

# ---- what the status says -------------------------------------------------------------------
reason() { # NODE STEP: its state and reason in `rackseed status`
	lab_rackseed status --json |
		jq -r --arg node "$1" --arg step "$2" \
			'.[] | select(.node == $node) | .steps[]? | select(.name == $step) | "\(.state): \(.reason)"'
}

says() { # NODE STEP PATTERN
	local now
	now=$(reason "$1" "$2")
	echo "$1, $2: $now"
	grep -qiE -- "$3" <<<"$now"
}

named() { lab_until "$look_s" "the status to name it" says "$@" && says "$@"; }

share_is_mounted() { named worker shares '^done: .*data.*mounted' && named master shares '^done: .*data.*mounted'; }

# The share of guests: what a node writes, somebody with no name reads.
guests_are_served() {
	local words
	words="of the worker, $RANDOM"
	named worker shares '^done: .*open.*mounted' &&
		lab_ssh worker "echo '$words' | sudo tee /mnt/open/guest.txt" &&
		lab_in timeout 60 smbclient //192.168.10.40/open -N -c "get guest.txt $lab_work/guest.txt" >&2 &&
		[ "$(cat "$lab_work/guest.txt")" = "$words" ]
}

registry_serves() { named worker registries '^done: .*store:5000: library/busybox:test pulled from store:5000'; }

# ---- the pod, which lives through every cut -------------------------------------------------
writer() { # pulls from the registry whenever it starts, and appends to the share every two seconds
	cat <<-POD
		apiVersion: v1
		kind: Pod
		metadata: {name: writer}
		spec:
		  nodeSelector: {kubernetes.io/hostname: worker}
		  tolerations: [{operator: Exists}]
		  terminationGracePeriodSeconds: 1
		  containers:
		  - name: writer
		    image: $image
		    imagePullPolicy: Always
		    command: [busybox, sh, -c, 'n=0; while true; do n=\$((n + 1)); (echo "writer \$n" >>/data/writer.txt) 2>/dev/null; busybox sleep 2; done']
		    volumeMounts: [{name: data, mountPath: /data}]
		  volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
	POD
}

apply_writer() { writer | lab_kubectl apply -f -; }
writer_is_ready() { [ "$(field pod writer '.status.conditions[?(@.type=="Ready")].status')" = True ]; }

start_writer() {
	lab_until 300 "the pod to be taken" apply_writer &&
		lab_until 600 "the pod to be Ready" writer_is_ready && return 0
	lab_kubectl describe pod writer
	return 1
}

was_pulled() { # the kubelet's own words, for the image that no archive has
	lab_kubectl get events --field-selector "involvedObject.name=writer,reason=Pulled" \
		-o 'jsonpath={range .items[*]}{.message}{"\n"}{end}' | grep "Successfully pulled image \"$image\""
}

read_share() { # FILE: as a person with the share's password
	printf 'username = mlops\npassword = %s\n' "$(secret samba)" >"$lab_work/smb.auth"
	chmod 600 "$lab_work/smb.auth"
	lab_in timeout 60 smbclient //192.168.10.40/data -A "$lab_work/smb.auth" -c "get $1 $lab_work/$1" >&2 &&
		cat "$lab_work/$1"
}

lines() { read_share writer.txt 2>/dev/null | grep -c '^writer '; }

writes_on() { # more lines than there were; a share that cannot be read says nothing
	local before now
	before=$(lines) || { echo "no lines of the pod can be read"; return 1; }
	for _ in $(seq 30); do
		now=$(lines)
		[ "${now:-0}" -le "${before:-0}" ] || return 0
		sleep 2
	done
	echo "the pod wrote ${before:-nothing} and then no more"
	return 1
}

# ---- objects --------------------------------------------------------------------------------
objects_are_there() {
	[ "$(field pvc data .status.phase)" = Bound ] &&
		[ "$(field pv "$(field pvc data .spec.volumeName)" .spec.capacity.storage)" = 1Gi ] &&
		lab_kubectl get serviceaccount default -o 'jsonpath={.imagePullSecrets[*].name}' | grep .
}

# ---- plugs ----------------------------------------------------------------------------------
transition_of() { field node "$1" '.status.conditions[?(@.type=="Ready")].lastTransitionTime'; }
was_ready_since() { # EPOCH: neither node has left Ready since
	local node
	for node in $members; do
		[ "$(epoch_of "$(transition_of "$node")")" -lt "$1" ] || { echo "$node: $(transition_of "$node")"; return 1; }
	done
}

store_is_off() {
	lab_ssh_end
	lab_rackseed vm cut store || return 1
	! lab_rackseed vm list | grep -E '^store .*running'
}

power_on() { # ORDER: names with commas between; each is on its way before the next gets power
	local node
	for node in ${1//,/ }; do
		lab_rackseed vm up "$node" || return 1
		sleep "${POWER_PAUSE:-20}" # as somebody walking along the rack
	done
}

# ---- the disk for what is served ------------------------------------------------------------
on_store() { lab_ssh store sudo "$@"; }

is_on_data_disk() {
	local source
	source=$(on_store findmnt -no SOURCE /srv) && [ "$(on_store lsblk -dno SERIAL "$source")" = store-data ] &&
		on_store findmnt -no SOURCE,FSTYPE /srv | grep ext4
}

# Were it on the disk, a cut could leave an empty file there, and the pod would never start again.
cni_forgets() {
	local node
	for node in $members; do
		[ "$(lab_ssh "$node" findmnt -no FSTYPE /var/lib/cni)" = tmpfs ] || { echo "$node: /var/lib/cni is on the disk"; return 1; }
	done
	lab_ssh worker 'sudo ls /var/lib/cni/results' | grep '^rackseed-'
}

kept() { [ "$(lines)" -ge "$wrote" ]; } # what the pod wrote before the plug was pulled

# ---- what is shown --------------------------------------------------------------------------
storage_serves() {
	check "the share is mounted on both" share_is_mounted
	check "and the one for guests" guests_are_served
	check "check --live finds the share" lab_rackseed check --live
	must "an image is pushed to the registry" lab_rackseed registry push kube/images/busybox.tar
	check "and is listed there" eval 'lab_rackseed registry ls | grep "library/busybox.*test"'
	check "the worker has proven the registry" registry_serves
	check "volume, claim and pull secret are there" lab_until "$look_s" "objects" objects_are_there
	must "a pod pulls from the registry and gets the share" start_writer
	check "it was pulled, not found" lab_until 300 "the kubelet's event" was_pulled
	check "what CNI remembers of it ends with the boot" cni_forgets
	check "the host reads what the pod writes" lab_until 120 "new lines" writes_on
	check "it lies on the store's second disk" is_on_data_disk
	wrote=$(lines)
}

storage_is_cut() {
	local begin
	begin=$(date +%s)
	must "the storage machine is cut while the pod runs" store_is_off
	check "the worker says that the share's server is away" named worker shares 'data.*(silent|refused|unreachable|does not answer)'
	must "it gets power again" lab_rackseed vm up store
	check "the share is used again without a reboot" lab_until "$again_s" "new lines" writes_on
	check "the share is mounted again" share_is_mounted
	check "the nodes stayed Ready" was_ready_since "$begin"
	wrote=$(lines)
}

rack_comes_back() { # ORDER: of power, after the plug of all was pulled
	local begin
	must "the whole rack is cut" cut_all
	begin=$(date +%s)
	must "it gets power in the order $1" power_on "$1"
	must "all are Ready" wait_ready "$again_s" "$begin" "after the cut, in the order $1"
}

storage_survived() {
	check "the share is mounted" share_is_mounted
	check "the registry serves" registry_serves
	check "the pod writes on" lab_until "$again_s" "new lines" writes_on
	check "beside what it wrote before" kept
	wrote=$(lines)
}

rack_is_cut() { # ORDER
	rack_comes_back "$1"
	storage_survived
}
