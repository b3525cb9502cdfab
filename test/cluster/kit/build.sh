#!/usr/bin/env bash
# Builds what is missing into the cache folder, from Go modules of fixed versions, and installs missing Debian packages.
# Says nothing when all went well. Two at once take turns, and the second finds what the first has built: so a
# long job may start it early, `nice -n 19 test/cluster/kit/build.sh &`, and up.sh waits for it.
set -euo pipefail
. "$(dirname "$0")/env.sh"
mkdir -p "$BIN" "$CACHE/pause"
exec 9>"$CACHE/build.lock"
flock 9 # until this process ends; commands that might outlive it do not get the descriptor
export CGO_ENABLED=0 GOFLAGS=-trimpath
nice=(nice -n "${BUILD_NICE:-5}")

need=()
for p in containerd:containerd ctr:containerd runc:runc nft:nftables iptables:iptables unshare:util-linux openssl:openssl ip:iproute2; do
	command -v "${p%%:*}" >/dev/null || need+=("${p#*:}")
done
[ -x "${CNI_BIN:-/usr/lib/cni}/bridge" ] || need+=(containernetworking-plugins)
if [ ${#need[@]} -gt 0 ]; then
	export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
	# Other tests install packages as well, and apt does not wait for itself.
	apt=(flock /var/lock/omendb-apt apt-get -qq -o DPkg::Lock::Timeout=600)
	install=("${apt[@]}" install -y --no-install-recommends "${need[@]}")
	# Without a list of packages, or with an old one, the first attempt fails.
	log=$("${install[@]}" 2>&1 9>&-) || log=$("${apt[@]}" update 2>&1 9>&- && "${install[@]}" 2>&1 9>&-) ||
		{ echo "build.sh: cannot install ${need[*]}: $log" >&2; exit 1; }
fi

stamp=$(cat "$HERE"/{go.mod,go.sum,*.go,pause/*.go} | sha256sum | cut -c1-16)
if [ ! -x "$BIN/hyperkube" ] || [ "$(cat "$BIN/.stamp" 2>/dev/null)" != "$stamp" ]; then
	v="-X k8s.io/component-base/version.gitVersion=$K8S_VERSION -X k8s.io/component-base/version.gitMajor=1"
	v+=" -X k8s.io/component-base/version.gitMinor=$(echo $K8S_VERSION | cut -d. -f2)"
	v+=" -X k8s.io/component-base/version.gitTreeState=clean -X k8s.io/client-go/pkg/version.gitVersion=$K8S_VERSION"
	cd "$HERE"
	command -v go >/dev/null || { echo "build.sh: Go is needed: go.dev" >&2; exit 1; }
	# go tells of every module that it fetches.
	log=$({ "${nice[@]}" go build -ldflags "-s -w $v" -o "$BIN/hyperkube.new" . &&
		"${nice[@]}" go build -ldflags '-s -w' -o "$CACHE/pause/pause" ./pause; } 2>&1 9>&-) ||
		{ echo "build.sh: $log" >&2; exit 1; }
	mv "$BIN/hyperkube.new" "$BIN/hyperkube"
	echo "$stamp" >"$BIN/.stamp"
fi
for c in etcd kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubectl coredns metrics-server \
	metrics-adapter network-policies local-storage; do
	ln -sf hyperkube "$BIN/$c"
done
