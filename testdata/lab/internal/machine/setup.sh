#!/bin/bash
# Runs in a server of the lab before k3s: gives the kubelet what systemd-nspawn
# holds back. Values that cannot be written from inside are bound over by files.
set -eu

group=$(cat /etc/rancher/lab/cgroup)
awk '$3 == "cgroup" { print $2 }' /proc/self/mounts | sort -u | while read -r root; do
	# Systemd's own tree is writable already, and stays with it.
	case $root in */systemd) ;; *) mount -o remount,bind,rw "$root" ;; esac
	mkdir -p "$root/$group"
	if [ -e "$root/cpuset.cpus" ]; then
		for f in cpuset.cpus cpuset.mems; do cat "$root/$f" >"$root/$group/$f"; done
	fi
done

mkdir -p /run/lab/sysctl
while read -r path value; do
	[ "$(cat "/proc/sys/$path")" = "$value" ] && continue
	file=/run/lab/sysctl/${path//\//.}
	echo "$value" >"$file"
	mount --bind "$file" "/proc/sys/$path"
done <<'VALUES'
vm/overcommit_memory 1
vm/panic_on_oom 0
kernel/panic 10
kernel/panic_on_oops 1
kernel/keys/root_maxkeys 1000000
kernel/keys/root_maxbytes 25000000
VALUES

mount --make-rshared /
echo 1 >/proc/sys/net/ipv4/ip_forward
