#!/usr/bin/env bash
# First process of the cluster's own pid, mount and network namespaces (called by up.sh).
set -euo pipefail
. "$(dirname "$0")/env.sh"
P=$RUN/pki L=$RUN/log
mkdir -p "$L" "$RUN"/{etcd,containerd,kubelet,cni,varlog/pods,varlog/containers,volume-plugins,varcni,opt}

# Private views of the folders with fixed names, so nothing is left on the machine.
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/containerd /run/netns /var/lib/cni /var/lib/kubelet /var/log/pods /var/log/containers
mount --bind "$RUN/varcni" /var/lib/cni
mount --bind "$RUN/kubelet" /var/lib/kubelet; mount --make-rshared /var/lib/kubelet
mount --bind "$RUN/varlog/pods" /var/log/pods
mount --bind "$RUN/varlog/containers" /var/log/containers

ip link set lo up
ip link add node0 type veth peer name node1   # a pair that ends here: an address for the node, no way out
ip link set node1 up
ip addr add "$NODE_IP/32" dev node0
ip link set node0 up
ip route add default dev node0     # lets service addresses pass routing before they are rewritten
echo 1 >/proc/sys/net/ipv4/ip_forward
[ ! -e /proc/sys/net/bridge/bridge-nf-call-iptables ] || echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables

start() { # name, command... : kept running
	local n=$1; shift
	while :; do
		"$@" || true
		echo "init.sh: $n ended; started again"
		sleep 1
	done >>"$L/$n.log" 2>&1 </dev/null &
}

start etcd etcd --data-dir "$RUN/etcd" --unsafe-no-fsync --log-level warn \
	--listen-client-urls http://127.0.0.1:2379 --advertise-client-urls http://127.0.0.1:2379 \
	--listen-peer-urls http://127.0.0.1:2380
start kube-apiserver kube-apiserver --etcd-servers http://127.0.0.1:2379 \
	--bind-address 0.0.0.0 --advertise-address "$NODE_IP" --secure-port 6443 \
	--service-cluster-ip-range "$SVC_CIDR" --authorization-mode Node,RBAC --enable-admission-plugins NodeRestriction \
	--allow-privileged --anonymous-auth=false --profiling=false \
	--client-ca-file "$P/ca.crt" --tls-cert-file "$P/apiserver.crt" --tls-private-key-file "$P/apiserver.key" \
	--kubelet-certificate-authority "$P/ca.crt" \
	--kubelet-client-certificate "$P/apiserver-kubelet.crt" --kubelet-client-key "$P/apiserver-kubelet.key" \
	--kubelet-preferred-address-types InternalIP \
	--service-account-issuer https://kubernetes.default.svc.cluster.local \
	--service-account-key-file "$P/sa.pub" --service-account-signing-key-file "$P/sa.key" \
	--requestheader-client-ca-file "$P/front-proxy-ca.crt" --requestheader-allowed-names front-proxy \
	--requestheader-username-headers X-Remote-User \
	--requestheader-group-headers X-Remote-Group --requestheader-extra-headers-prefix X-Remote-Extra- \
	--proxy-client-cert-file "$P/front-proxy.crt" --proxy-client-key-file "$P/front-proxy.key" --enable-aggregator-routing
start containerd containerd --config "$RUN/containerd.toml"
until kubectl --kubeconfig "$P/admin.kubeconfig" get --raw /readyz >/dev/null 2>&1; do sleep 0.2; done
start kube-controller-manager kube-controller-manager --kubeconfig "$P/controller-manager.kubeconfig" \
	--authentication-kubeconfig "$P/controller-manager.kubeconfig" --authorization-kubeconfig "$P/controller-manager.kubeconfig" \
	--bind-address 127.0.0.1 --leader-elect=false --use-service-account-credentials \
	--cluster-cidr "$POD_CIDR" --service-cluster-ip-range "$SVC_CIDR" --allocate-node-cidrs=false \
	--root-ca-file "$P/ca.crt" --service-account-private-key-file "$P/sa.key" \
	--cluster-signing-cert-file "$P/ca.crt" --cluster-signing-key-file "$P/ca.key" \
	--horizontal-pod-autoscaler-sync-period "${HPA_SYNC:-5s}" --horizontal-pod-autoscaler-cpu-initialization-period "${HPA_CPU_INIT:-10s}" \
	--horizontal-pod-autoscaler-initial-readiness-delay 5s
start kube-scheduler kube-scheduler --kubeconfig "$P/scheduler.kubeconfig" \
	--authentication-kubeconfig "$P/scheduler.kubeconfig" --authorization-kubeconfig "$P/scheduler.kubeconfig" \
	--bind-address 127.0.0.1 --leader-elect=false
start kubelet kubelet --config "$RUN/kubelet.yaml" --kubeconfig "$P/kubelet.kubeconfig" \
	--hostname-override "$NODE_NAME" --node-ip "$NODE_IP" --root-dir /var/lib/kubelet
start kube-proxy kube-proxy --config "$RUN/proxy.yaml" --hostname-override "$NODE_NAME"
start network-policies network-policies --kubeconfig "$P/admin.kubeconfig"
start local-storage local-storage --kubeconfig "$P/admin.kubeconfig" --root "$RUN/volumes" --node "$NODE_NAME"

trap 'exit 0' TERM INT
while :; do wait -n || true; sleep 1; done
