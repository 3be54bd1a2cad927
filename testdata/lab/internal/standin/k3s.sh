#!/bin/bash
# A stand-in for k3s @VERSION@: this shell head, then a real kubelet of that version.
# It behaves like k3s where an operator looks: arguments, configuration file,
# environment, node annotations, folders, containerd's socket, exit codes.
set -uo pipefail

VERSION='@VERSION@'
COMMIT='@COMMIT@'
GO_VERSION='@GO@'
OFFSET=@OFFSET@
SIZE=@SIZE@
SELF=$(readlink -f "$0")
DATA=/var/lib/rancher/k3s
LAB=/etc/rancher/lab
SOCKET=/run/k3s/containerd/containerd.sock

log() { printf 'time="%s" level=%s msg="%s"\n' "$(date -u +%FT%TZ)" "$1" "$2"; }
fatal() {
	log fatal "$1" >&2
	exit 1
}

usage() {
	cat <<-'TEXT'
		NAME:
		   k3s - Kubernetes, but small and simple (stand-in of the lab)
		COMMANDS:
		   server, agent, kubectl, crictl, ctr, etcd-snapshot
	TEXT
}

main() {
	if [ "$(stat -c %s "$SELF")" != "$((10#$SIZE))" ]; then
		echo "k3s: this file is damaged: $(stat -c %s "$SELF") bytes instead of $((10#$SIZE))" >&2
		exit 126
	fi
	case ${1:-} in
	-v | --version) printf 'k3s version %s (%s)\ngo version %s\n' "$VERSION" "$COMMIT" "$GO_VERSION" ;;
	server | agent) run_node "$@" ;;
	kubectl) shift && KUBECONFIG=${KUBECONFIG:-/etc/rancher/k3s/k3s.yaml} exec /opt/lab/bin/kubectl "$@" ;;
	ctr) shift && exec ctr --address "$SOCKET" --namespace k8s.io "$@" ;;
	crictl) shift && crictl "$@" ;;
	etcd-snapshot) etcd_snapshot ;;
	describe-node) describe_node ;;
	"" | -h | --help | help) usage ;;
	*)
		printf "No help topic for '%s'\n" "$1" >&2
		exit 3
		;;
	esac
}

# The embedded crictl, when the lab could build one.
crictl() {
	[ -x /opt/lab/bin/crictl ] || {
		echo "crictl is not part of this stand-in; use k3s ctr" >&2
		exit 1
	}
	exec /opt/lab/bin/crictl --runtime-endpoint "unix://$SOCKET" "$@"
}

# Like k3s on sqlite, the datastore of a single server: there is no etcd to save.
etcd_snapshot() {
	log fatal "see server log for details: https://127.0.0.1:6443/db/snapshot: 400 Bad Request: etcd datastore disabled" >&2
	exit 1
}

# config_args prints the arguments that a configuration file stands for, one a line.
config_args() {
	local file
	for file in /etc/rancher/k3s/config.yaml /etc/rancher/k3s/config.yaml.d/*.yaml; do
		[ -r "$file" ] || continue
		awk '
			function clean(v) { sub(/[ \t]+#.*$/, "", v); gsub(/^["'\'']|["'\'']$/, "", v); return v }
			/^[ \t]*(#|$)/ { next }
			/^[ \t]*-[ \t]*/ { v = $0; sub(/^[ \t]*-[ \t]*/, "", v); print "--" key; print clean(v); next }
			{ key = $0; sub(/:.*/, "", key); v = $0; sub(/^[^:]*:[ \t]*/, "", v); v = clean(v)
			  if (v == "") next
			  if (v == "true") print "--" key; else { print "--" key; print v } }
		' "$file"
	done
}

# parse sets what the flags ask for; the server's own flags are unknown to an agent.
parse() {
	local flag value
	while [ $# -gt 0 ]; do
		flag=${1%%=*}
		case $1 in *=*) value=${1#*=} ;; *) value=${2-} ;; esac
		case $flag in
		--disable-cloud-controller | --disable-network-policy | --disable-helm-controller | --cluster-init | \
			--secrets-encryption | --embedded-registry | --protect-kernel-defaults | --debug)
			shift
			continue
			;;
		--node-label) labels+=${labels:+,}$value ;;
		--node-taint) taints+=${taints:+,}$value ;;
		--kubelet-arg) kubelet_args+=("--$value") ;;
		--node-name) name=$value ;;
		--node-ip) ip=$value ;;
		--server | -s) url=$value ;;
		--token | -t) token=$value ;;
		--token-file) token=$(cat "$value") ;;
		--flannel-iface | --node-external-ip | --data-dir | --resolv-conf | --log | --kube-proxy-arg | --v | -v) ;;
		--disable | --tls-san | --write-kubeconfig-mode | --cluster-cidr | --service-cidr | --cluster-dns | \
			--flannel-backend | --datastore-endpoint | --kube-apiserver-arg | --kube-controller-manager-arg | --etcd-*)
			if [ "$role" = agent ]; then
				echo "Incorrect Usage: flag provided but not defined: -${flag#--}" >&2
				exit 1
			fi
			;;
		*)
			echo "Incorrect Usage: flag provided but not defined: -${flag#--}" >&2
			exit 1
			;;
		esac
		case $1 in *=*) shift ;; *) shift 2 || shift ;; esac
	done
}

run_node() {
	role=$1
	shift
	labels='' taints='' name=$(hostname) ip='' url=${K3S_URL:-} token=${K3S_TOKEN:-}
	kubelet_args=() node_ip=""
	[ -n "${K3S_TOKEN_FILE:-}" ] && token=$(cat "$K3S_TOKEN_FILE")
	local -a from_file
	mapfile -t from_file < <(config_args)
	local -a all=(${from_file[@]+"${from_file[@]}"} "$@")
	parse ${all[@]+"${all[@]}"}
	if [ "$role" = server ]; then
		url=$(cat "$LAB/api")
		[ -n "$token" ] || token=$(cat "$DATA/server/token")
	fi
	[ -n "$token" ] || fatal "Error: --token is required"
	[ -n "$url" ] || fatal "Error: --server is required"

	[ -n "$ip" ] || node_ip=$(hostname -I | cut -d" " -f1)
	log info "Starting k3s $role $VERSION ($COMMIT)"
	unpack
	write_files
	start_containerd
	[ -s /run/k3s/describe.pid ] && kill "$(cat /run/k3s/describe.pid)" 2>/dev/null
	NODE_ARGS=$(node_args "$role" ${all[@]+"${all[@]}"}) NODE_ENV=$(node_env)
	export NODE_ARGS NODE_ENV NODE_NAME=$name NODE_ROLE=$role NODE_IP=${ip:-$node_ip}
	("$SELF" describe-node &)
	unset NODE_ARGS NODE_ENV NODE_NAME NODE_ROLE NODE_IP
	log info "Running kubelet"
	exec "$BIN/kubelet" --config "$DATA/agent/etc/kubelet.yaml" --kubeconfig "$DATA/agent/kubelet.kubeconfig" \
		--hostname-override "$name" --root-dir /var/lib/kubelet ${ip:+--node-ip "$ip"} \
		${labels:+--node-labels "$labels"} ${taints:+--register-with-taints "$taints"} \
		${kubelet_args[@]+"${kubelet_args[@]}"}
}

# unpack writes the kubelet to data/<hash>/bin as k3s does, and keeps the previous one.
unpack() {
	local hash dir
	hash=$(printf '%s' "$VERSION" | sha256sum | cut -d' ' -f1)
	dir=$DATA/data/$hash
	BIN=$dir/bin
	export K3S_DATA_DIR=$dir
	if [ ! -x "$BIN/kubelet" ]; then
		log info "Acquiring lock file $DATA/data/.lock"
		log info "Preparing data dir $dir"
		mkdir -p "$BIN"
		tail -c "+$((10#$OFFSET + 1))" "$SELF" >"$BIN/kubelet.new" || fatal "extracting data: $dir: no space left on device"
		chmod 0755 "$BIN/kubelet.new"
		mv "$BIN/kubelet.new" "$BIN/kubelet"
	fi
	if [ "$(readlink "$DATA/data/current" 2>/dev/null)" != "$dir" ]; then
		[ -L "$DATA/data/current" ] && ln -sfn "$(readlink "$DATA/data/current")" "$DATA/data/previous"
		ln -sfn "$dir" "$DATA/data/current"
	fi
}

write_files() {
	mkdir -p "$DATA/agent/etc/containerd" "$DATA/agent/etc/cni/net.d" "$DATA/agent/containerd" "$DATA/agent/images"
	cp "$LAB/containerd.toml" "$DATA/agent/etc/containerd/config.toml"
	cp "$LAB/kubelet.yaml" "$DATA/agent/etc/kubelet.yaml"
	cp "$LAB/cni.conflist" "$DATA/agent/etc/cni/net.d/10-lab.conflist"
	cp "$LAB/ca.crt" "$DATA/agent/server-ca.crt"
	(umask 077 && cat >"$DATA/agent/kubelet.kubeconfig") <<-TEXT
		apiVersion: v1
		kind: Config
		clusters: [{name: local, cluster: {server: "$url", certificate-authority: $DATA/agent/server-ca.crt}}]
		users: [{name: user, user: {token: "$token"}}]
		contexts: [{name: Default, context: {cluster: local, user: user}}]
		current-context: Default
	TEXT
}

# start_containerd runs containerd as a child that dies with k3s; the shims of the
# running pods outlive both, as with KillMode=process and the real k3s.
start_containerd() {
	local tar mark i
	setpriv --pdeathsig KILL containerd --config "$DATA/agent/etc/containerd/config.toml" \
		>>"$DATA/agent/containerd/containerd.log" 2>&1 &
	for i in $(seq 300); do
		ctr --address "$SOCKET" --namespace k8s.io version >/dev/null 2>&1 && break
		[ "$i" = 300 ] && fatal "containerd did not answer within 60 s: see $DATA/agent/containerd/containerd.log"
		sleep 0.2
	done
	for tar in "$DATA"/agent/images/*.tar; do
		[ -r "$tar" ] || continue
		mark=$DATA/agent/containerd/imported-$(basename "$tar")
		[ "$mark" -nt "$tar" ] && continue
		log info "Importing images from $tar"
		ctr --address "$SOCKET" --namespace k8s.io images import "$tar" >/dev/null && touch "$mark"
	done
}

# node_args prints the arguments as k3s.io/node-args has them: merged with the
# configuration file, secrets hidden.
node_args() {
	printf '%s\n' "$@" | jq -Rcn '[inputs] | reduce .[] as $a ({out: [], hide: false};
		if .hide then {out: (.out + ["********"]), hide: false}
		elif ($a | test("^(--token|-t|--agent-token|--datastore-endpoint)$")) then {out: (.out + [$a]), hide: true}
		elif ($a | test("^--(token|agent-token|datastore-endpoint)=")) then {out: (.out + [($a | split("=")[0]), "********"]), hide: false}
		else {out: (.out + [$a]), hide: false} end) | .out'
}

# node_env prints the environment as k3s.io/node-env has it.
node_env() {
	jq -cn '[env | to_entries[] | select(.key | startswith("K3S_"))
		| if .key | test("TOKEN|SECRET|DATASTORE") then .value = "********" else . end] | from_entries'
}

# describe_node writes what k3s writes on its Node: annotations and the role's label.
describe_node() {
	local kubectl=(/opt/lab/bin/kubectl --kubeconfig "$DATA/agent/kubelet.kubeconfig") hash i
	echo $$ >/run/k3s/describe.pid
	hash=$(printf '%s%s' "$NODE_ARGS" "$NODE_ENV" | openssl dgst -sha256 -binary | base32 -w0)
	for i in $(seq 600); do
		"${kubectl[@]}" get node "$NODE_NAME" >/dev/null 2>&1 && break
		sleep 0.5
	done
	jq -cn --arg args "$NODE_ARGS" --arg env "$NODE_ENV" --arg hash "$hash" --arg role "$NODE_ROLE" \
		--arg name "$NODE_NAME" --arg ip "$NODE_IP" '{
		metadata: {
			annotations: {"k3s.io/node-args": $args, "k3s.io/node-env": $env, "k3s.io/node-config-hash": $hash,
				"k3s.io/hostname": $name, "k3s.io/internal-ip": $ip},
			labels: ({"node.kubernetes.io/instance-type": "k3s"} +
				(if $role == "server" then {"node-role.kubernetes.io/control-plane": "true"} else {} end))
		}, spec: {providerID: ("k3s://" + $name)}}' >"/run/k3s/node-patch.json"
	for i in $(seq 60); do
		"${kubectl[@]}" patch node "$NODE_NAME" --type merge --patch-file /run/k3s/node-patch.json >/dev/null 2>&1 && break
		sleep 1
	done
	log info "Annotations and labels have been set successfully on node: $NODE_NAME"
}

main "$@"
exit
