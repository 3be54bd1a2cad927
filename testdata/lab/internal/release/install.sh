#!/bin/sh
# A stand-in for k3s's installer, alike where it matters to an operator: it removes
# the unit and its environment file and writes both anew from this call's arguments
# and environment alone. What was in them before is lost.
set -e
set -o noglob

GITHUB_URL=${GITHUB_URL:-@BASE@/releases}
INSTALL_K3S_CHANNEL_URL=${INSTALL_K3S_CHANNEL_URL:-@BASE@/v1-release/channels}
INSTALL_K3S_CHANNEL=${INSTALL_K3S_CHANNEL:-stable}
BIN_DIR=${INSTALL_K3S_BIN_DIR:-/usr/local/bin}
SYSTEMD_DIR=${INSTALL_K3S_SYSTEMD_DIR:-/etc/systemd/system}

info() { echo '[INFO] ' "$@"; }
fatal() {
	echo '[ERROR] ' "$@" >&2
	exit 1
}

quote() {
	for arg in "$@"; do printf '%s\n' "$arg" | sed "s/'/'\\\\''/g;1s/^/'/;\$s/\$/'/"; done
}

setup_env() {
	case "$1" in
	-* | "") if [ -z "${K3S_URL}" ]; then CMD_K3S=server; else
		if [ -z "${K3S_TOKEN}" ] && [ -z "${K3S_TOKEN_FILE}" ]; then
			fatal "Defaulted k3s exec command to 'agent' because K3S_URL is defined, but K3S_TOKEN or K3S_TOKEN_FILE is not defined."
		fi
		CMD_K3S=agent
	fi ;;
	*) CMD_K3S=$1 && shift ;;
	esac
	CMD_K3S_EXEC="${CMD_K3S}"
	for arg in "$@"; do CMD_K3S_EXEC="${CMD_K3S_EXEC} \\
	$(quote "$arg")"; done
	if [ "${CMD_K3S}" = server ]; then SYSTEM_NAME=k3s; else SYSTEM_NAME=k3s-${CMD_K3S}; fi
	FILE_SERVICE=${SYSTEMD_DIR}/${SYSTEM_NAME}.service
	FILE_ENV=${FILE_SERVICE}.env
}

get_release_version() {
	if [ -n "${INSTALL_K3S_VERSION}" ]; then
		VERSION=${INSTALL_K3S_VERSION}
	else
		info "Finding release for channel ${INSTALL_K3S_CHANNEL}"
		VERSION=$(curl -w '%{url_effective}' -L -s -S "${INSTALL_K3S_CHANNEL_URL}/${INSTALL_K3S_CHANNEL}" -o /dev/null | sed -e 's|.*/||')
	fi
	info "Using ${VERSION} as release"
}

download() { curl -o "$1" -sfL "$2" || fatal 'Download failed'; }

get_hashes() { sha256sum "${BIN_DIR}/k3s" "${FILE_SERVICE}" "${FILE_ENV}" 2>/dev/null || true; }

download_and_verify() {
	TMP=$(mktemp -d -t k3s-install.XXXXXXXXXX)
	trap 'rm -rf "${TMP}"' EXIT
	TAG=$(printf '%s' "${VERSION}" | sed 's/+/%2B/g')
	info "Downloading hash ${GITHUB_URL}/download/${TAG}/sha256sum-amd64.txt"
	download "${TMP}/hash" "${GITHUB_URL}/download/${TAG}/sha256sum-amd64.txt"
	EXPECTED=$(grep ' k3s$' "${TMP}/hash" | cut -d' ' -f1)
	if [ -x "${BIN_DIR}/k3s" ] && [ "$(sha256sum "${BIN_DIR}/k3s" | cut -d' ' -f1)" = "${EXPECTED}" ]; then
		info 'Skipping binary downloaded, installed k3s matches hash'
		return
	fi
	info "Downloading binary ${GITHUB_URL}/download/${TAG}/k3s"
	download "${TMP}/k3s" "${GITHUB_URL}/download/${TAG}/k3s"
	info 'Verifying binary download'
	[ "$(sha256sum "${TMP}/k3s" | cut -d' ' -f1)" = "${EXPECTED}" ] || fatal 'Download sha256 does not match'
	info "Installing k3s to ${BIN_DIR}/k3s"
	chmod 755 "${TMP}/k3s"
	mv -f "${TMP}/k3s" "${BIN_DIR}/k3s"
}

systemd_disable() {
	systemctl disable "${SYSTEM_NAME}" >/dev/null 2>&1 || true
	rm -f "/etc/systemd/system/${SYSTEM_NAME}" "/etc/systemd/system/${SYSTEM_NAME}.service" \
		"/etc/systemd/system/${SYSTEM_NAME}.service.env"
}

create_env_file() {
	info "env: Creating environment file ${FILE_ENV}"
	touch "${FILE_ENV}"
	chmod 0600 "${FILE_ENV}"
	sh -c export | while read -r _ v; do echo "$v"; done | grep -E '^(K3S|CONTAINERD)_' | grep -Ev '^K3S_NODE_NAME=$' >"${FILE_ENV}" || true
	sh -c export | while read -r _ v; do echo "$v"; done | grep -Ei '^(NO|HTTP|HTTPS)_PROXY' >>"${FILE_ENV}" || true
}

create_service_file() {
	info "systemd: Creating service file ${FILE_SERVICE}"
	[ "${CMD_K3S}" = server ] && TYPE=notify || TYPE=exec
	cat >"${FILE_SERVICE}" <<-UNIT
		[Unit]
		Description=Lightweight Kubernetes
		Documentation=https://k3s.io
		Wants=network-online.target
		After=network-online.target

		[Install]
		WantedBy=multi-user.target

		[Service]
		Type=${INSTALL_K3S_TYPE:-${TYPE}}
		EnvironmentFile=-/etc/default/%N
		EnvironmentFile=-/etc/sysconfig/%N
		EnvironmentFile=-${FILE_ENV}
		KillMode=process
		Delegate=yes
		User=root
		TasksMax=infinity
		TimeoutStartSec=0
		Restart=always
		RestartSec=5s
		ExecStart=${BIN_DIR}/k3s \\
		    ${CMD_K3S_EXEC}
	UNIT
}

service_start() {
	info "systemd: Enabling ${SYSTEM_NAME} unit"
	systemctl enable "${FILE_SERVICE}" >/dev/null 2>&1
	systemctl daemon-reload >/dev/null
	[ "${INSTALL_K3S_SKIP_START}" = true ] && return
	if [ "${PRE_HASHES}" = "$(get_hashes)" ] && [ "${INSTALL_K3S_FORCE_RESTART}" != true ]; then
		info 'No change detected so skipping service start'
		return
	fi
	info "systemd: Starting ${SYSTEM_NAME}"
	systemctl restart "${SYSTEM_NAME}"
}

eval set -- $(quote ${INSTALL_K3S_EXEC}) $(quote "$@")
setup_env "$@"
PRE_HASHES=$(get_hashes)
if [ "${INSTALL_K3S_SKIP_DOWNLOAD}" = true ] || [ "${INSTALL_K3S_SKIP_DOWNLOAD}" = binary ]; then
	[ -x "${BIN_DIR}/k3s" ] || fatal "Executable k3s binary not found at ${BIN_DIR}/k3s"
	info 'Skipping k3s download and verify'
else
	get_release_version
	download_and_verify
fi
systemd_disable
create_env_file
create_service_file
service_start
