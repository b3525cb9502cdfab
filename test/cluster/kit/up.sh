#!/usr/bin/env bash
# Starts the cluster (or leaves a running one alone) and waits until its node is ready.
set -euo pipefail
. "$(dirname "$0")/env.sh"
[ "$(id -u)" = 0 ] || { echo "up.sh: needs root" >&2; exit 1; }
"$HERE/build.sh" >&2
if initpid >/dev/null && "$HERE/in.sh" kubectl get --raw /readyz >/dev/null 2>&1; then echo "already up: $RUN"; exit 0; fi
"$HERE/down.sh" --keep >/dev/null
mkdir -p "$RUN"/{log,cni}
"$HERE/certs.sh"

cat >"$RUN/containerd.toml" <<T
version = 2
root = "$RUN/containerd"
state = "/run/containerd"
disabled_plugins = [
  "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.tracing.processor.v1.otlp", "io.containerd.internal.v1.tracing",
]
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:1"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "${CNI_BIN:-/usr/lib/cni}"
    conf_dir = "$RUN/cni"
T
cat >"$RUN/cni/10-bridge.conflist" <<T
{"cniVersion": "0.4.0", "name": "pods", "plugins": [
 {"type": "bridge", "bridge": "cni0", "isDefaultGateway": true, "hairpinMode": true,
  "ipam": {"type": "host-local", "ranges": [[{"subnet": "$POD_CIDR"}]]}},
 {"type": "portmap", "capabilities": {"portMappings": true}}]}
T
cat >"$RUN/kubelet.yaml" <<T
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
address: $NODE_IP
healthzBindAddress: 127.0.0.1
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: "$RUN/pki/ca.crt"}}
authorization: {mode: Webhook}
tlsCertFile: $RUN/pki/kubelet-serving.crt
tlsPrivateKeyFile: $RUN/pki/kubelet-serving.key
cgroupDriver: cgroupfs
cgroupRoot: /$CGROUP
failCgroupV1: false
failSwapOn: false
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
clusterDNS: [$DNS_IP]
clusterDomain: cluster.local
resolvConf: ""
volumePluginDir: $RUN/volume-plugins
podLogsDir: /var/log/pods
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, imagefs.available: 1%}
syncFrequency: 10s
nodeStatusUpdateFrequency: 4s
T
cat >"$RUN/proxy.yaml" <<T
apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: "$RUN/pki/proxy.kubeconfig"}
mode: ${PROXY_MODE:-nftables}
clusterCIDR: $POD_CIDR
bindAddress: $NODE_IP
metricsBindAddress: 127.0.0.1:10249
healthzBindAddress: 127.0.0.1:10256
conntrack: {maxPerCore: 0, min: 0}
T

# The kubelet changes these kernel settings for the whole machine; down.sh puts them back.
sysctls=(vm/overcommit_memory vm/panic_on_oom kernel/panic kernel/panic_on_oops)
sysctls+=(kernel/keys/root_maxkeys kernel/keys/root_maxbytes)
[ -f "$RUN/sysctls" ] || for s in "${sysctls[@]}"; do
	echo "$s $(cat /proc/sys/$s)"
done >"$RUN/sysctls"
cgroot | while read -r g; do
	if [ "$g" = /sys/fs/cgroup ]; then # one hierarchy (version 2): pass its controllers on
		for c in cpu cpuset io memory pids hugetlb; do echo "+$c" >"$g/cgroup.subtree_control" 2>/dev/null || true; done
	fi
	mkdir -p "$g/$CGROUP"
	for f in cpuset.cpus cpuset.mems; do
		[ ! -f "$g/$CGROUP/$f" ] || [ -n "$(cat "$g/$CGROUP/$f")" ] || cat "$g/$f" >"$g/$CGROUP/$f" 2>/dev/null || true
	done
done

rm -f "$RUN/init.pid"
setsid unshare --mount --net --pid --uts --ipc --fork --kill-child --mount-proc --propagation slave \
	bash "$HERE/init.sh" "$RUN" >"$RUN/log/init.log" 2>&1 </dev/null &
u=$!
for _ in $(seq 100); do
	c=$(cat "/proc/$u/task/$u/children" 2>/dev/null || true)
	[ -n "$c" ] && { echo "${c%% *}" >"$RUN/init.pid"; break; }
	sleep 0.05
done

# A cluster that somebody owns ends with its owner, however that ends.
if [ -n "${CLUSTER_OWNER:-}" ]; then
	setsid bash -c 'while kill -0 "$1" && kill -0 "$2"; do sleep 1; done
		[ "$(cat "$3/init.pid")" != "$2" ] || exec "$4"' \
		- "$CLUSTER_OWNER" "$(cat "$RUN/init.pid")" "$RUN" "$HERE/down.sh" >/dev/null 2>&1 </dev/null &
fi

wait_for() { # seconds, what, command...
	local end=$((SECONDS + $1)) what=$2; shift 2
	until "$@" >/dev/null 2>&1; do
		initpid >/dev/null || { echo "up.sh: ended early: $(tail -1 "$RUN/log/init.log")" >&2; exit 1; }
		[ $SECONDS -lt $end ] || { echo "up.sh: no $what in time; see $RUN/log" >&2; exit 1; }
		sleep 0.3
	done
}
wait_for 60 containerd "$HERE/in.sh" ctr version
"$HERE/image.sh" localhost/pause:1 "$CACHE/pause" -e '["/pause"]' >/dev/null
wait_for 180 "API server" "$HERE/in.sh" kubectl get --raw /readyz
cp "$RUN/pki/admin.kubeconfig" "$RUN/kubeconfig"
for f in "$HERE"/addons/*.yaml; do
	sed -e "s|@BIN@|$BIN|g" -e "s|@DNS_IP@|$DNS_IP|g" "$f"
	echo ---
done | "$HERE/in.sh" kubectl apply -f - >/dev/null
wait_for 180 "ready node" "$HERE/in.sh" kubectl wait --for=condition=Ready "node/$NODE_NAME" --timeout=1s
[ "${NO_ADDONS_WAIT:-}" ] || "$HERE/in.sh" kubectl -n kube-system wait --for=condition=Available deploy --all --timeout=180s >/dev/null
echo "up in ${SECONDS}s: use $HERE/in.sh COMMAND..."
