# Shared settings; sourced by the other scripts.
HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
CACHE=${CLUSTER_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/omendb-cluster}
BIN=$CACHE/bin
RUN=${CLUSTER_RUN:-$CACHE/test}

K8S_VERSION=v1.34.4
NODE_NAME=node-0
NODE_IP=198.18.255.1 # benchmarking range (RFC 2544): routed nowhere
POD_CIDR=198.18.0.0/20
SVC_CIDR=198.19.0.0/20
API_SVC_IP=198.19.0.1
DNS_IP=198.19.0.10
# One for each folder, so that two clusters can run.
CGROUP=omendb-cluster-$(printf %s "$RUN" | cksum | cut -d' ' -f1)
export PATH=$BIN:/usr/sbin:/sbin:$PATH

initpid() { # the cluster's init process, if it runs
	local p
	p=$(cat "$RUN/init.pid" 2>/dev/null) || return 1
	[ -n "$p" ] && grep -qz "^$RUN\$" "/proc/$p/cmdline" 2>/dev/null && echo "$p"
}

cgroot() { # the mounted cgroup hierarchies, one a line
	if [ -f /sys/fs/cgroup/cgroup.controllers ]; then echo /sys/fs/cgroup
	else awk '$3~/^cgroup/{print $2}' /proc/mounts; fi
}
