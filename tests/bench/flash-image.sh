# Sourced: disk images as rackseed build lays them out, without a build.
# shellcheck shell=bash

cluster_yaml() { # prints the document that the images belong to
	cat <<-'T'
		apiVersion: rackseed/v1
		cluster: {name: lab, kubernetes: {version: "1.36"}, endpoint: master:6443}
		os: {distribution: debian, release: bookworm}
		network: {subnet: 192.168.10.0/24, gateway: 192.168.10.1, nameservers: [192.168.10.1]}
		admin: {user: admin, sshKeys: []}
		nodes:
		  master: {role: control-plane, address: 192.168.10.50, mac: "52:54:00:00:00:32"}
		  w1: {role: worker, address: 192.168.10.101, mac: "52:54:00:00:00:65"}
		  w2: {role: worker, address: 192.168.10.102, mac: "52:54:00:00:00:66"}
		  by-serial: {role: worker, address: 192.168.10.103, mac: "52:54:00:00:00:67", disk: {serial: S6Z1NX0T}}
		  by-wwn: {role: worker, address: 192.168.10.104, mac: "52:54:00:00:00:68", disk: {wwn: "0x5002538e40a0b0c0"}}
		  by-size: {role: worker, address: 192.168.10.105, mac: "52:54:00:00:00:69", disk: {size: 1Gi}}
	T
}

make_image() { # FILE WORK ROOT_MIB BLOB_MIB: a little on ESP and BIOS boot, one large file in root
	local f=$1 part=$2/part
	truncate -s "$((82 + $3 + 1))M" "$f"
	sfdisk -q "$f" <<-T
		label: gpt
		start=1MiB, size=64MiB, type=C12A7328-F81F-11D2-BA4B-00A0C93EC93B, name=ESP
		start=65MiB, size=1MiB, type=21686148-6449-6E6F-744E-656564454649, name=BIOS
		start=66MiB, size=16MiB, type=EBD0A0A2-B9E5-4433-87C0-68B6B72699C7, name=RACKSEED
		start=82MiB, size=$3MiB, type=4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709, name=rackseed-root
	T
	printf 'boot code' | dd of="$f" conv=notrunc status=none
	truncate -s 64M "$part" && mkfs.vfat -n ESP "$part" >/dev/null
	head -c 3M /dev/urandom >"$2/kernel" && mcopy -i "$part" "$2/kernel" ::vmlinuz
	dd if="$part" of="$f" bs=1M seek=1 conv=notrunc,sparse status=none
	head -c 100K /dev/urandom | dd of="$f" bs=1M seek=65 conv=notrunc status=none
	rm "$part"
	mkdir -p "$2/tree/etc"
	head -c "$4M" /dev/urandom >"$2/tree/blob"
	echo node >"$2/tree/etc/hostname"
	mke2fs -q -t ext4 -L rackseed-root -d "$2/tree" -E "offset=$((82 << 20))" "$f" "$3M"
	fallocate -d "$f"
}

stamp_image() { # GOLDEN NODE FILE WORK: a node's disk from it
	local seed=$4/seed
	cp --sparse=always "$1" "$3"
	rm -f "$seed" && truncate -s 16M "$seed" && mkfs.vfat -n RACKSEED "$seed" >/dev/null
	echo "$2" >"$4/node"
	cluster_yaml >"$4/cluster.yaml"
	mcopy -i "$seed" "$4/node" "$4/cluster.yaml" ::
	dd if="$seed" of="$3" bs=1M seek=66 conv=notrunc status=none
	fallocate -d "$3"
}
