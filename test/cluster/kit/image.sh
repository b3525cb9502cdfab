#!/usr/bin/env bash
# image.sh NAME DIR... [-e ENTRYPOINT_JSON] [-c CMD_JSON] [-u USER] [-w WORKDIR] [-E KEY=VALUE]... [-o FILE]
# Makes an OCI image, one layer for each DIR, and imports it into the cluster (or writes FILE).
set -euo pipefail
. "$(dirname "$0")/env.sh"
name=$1; shift
dirs=() env='"PATH=/usr/local/bin:/usr/bin:/bin"' entry=null cmd=null user= wd=/ out=
while [ $# -gt 0 ]; do
	case $1 in
	-e) entry=$2; shift 2;; -c) cmd=$2; shift 2;; -u) user=$2; shift 2;; -w) wd=$2; shift 2;;
	-E) env+=",\"$2\""; shift 2;; -o) out=$2; shift 2;; *) dirs+=("$1"); shift;;
	esac
done
t=$(mktemp -d); trap 'rm -rf "$t"' EXIT
b=$t/blobs/sha256; mkdir -p "$b"
add() { local h; h=$(sha256sum "$1" | cut -d' ' -f1); mv "$1" "$b/$h"; echo "$h"; }
diffs= layers=
for d in "${dirs[@]}"; do
	tar -C "$d" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -cf "$t/l" .
	s=$(stat -c %s "$t/l"); h=$(add "$t/l")
	diffs+="${diffs:+,}\"sha256:$h\""
	layers+="${layers:+,}{\"mediaType\":\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"sha256:$h\",\"size\":$s}"
done
arch=$(uname -m | sed 's/x86_64/amd64/;s/aarch64/arm64/')
config=$(printf '{"User":"%s","Env":[%s],"Entrypoint":%s,"Cmd":%s,"WorkingDir":"%s"}' "$user" "$env" "$entry" "$cmd" "$wd")
printf '{"architecture":"%s","os":"linux","config":%s,"rootfs":{"type":"layers","diff_ids":[%s]}}' \
	"$arch" "$config" "$diffs" >"$t/c"
cs=$(stat -c %s "$t/c"); c=$(add "$t/c")
oci=application/vnd.oci.image
printf '{"schemaVersion":2,"mediaType":"%s","config":{"mediaType":"%s","digest":"sha256:%s","size":%s},"layers":[%s]}' \
	$oci.manifest.v1+json $oci.config.v1+json "$c" "$cs" "$layers" >"$t/m"
ms=$(stat -c %s "$t/m"); m=$(add "$t/m")
printf '{"schemaVersion":2,"manifests":[{"mediaType":"%s","digest":"sha256:%s","size":%s,"platform":%s,"annotations":%s}]}' \
	$oci.manifest.v1+json "$m" "$ms" "{\"architecture\":\"$arch\",\"os\":\"linux\"}" \
	"{\"io.containerd.image.name\":\"$name\"}" >"$t/index.json"
echo '{"imageLayoutVersion":"1.0.0"}' >"$t/oci-layout"
if [ -n "$out" ]; then tar -C "$t" -cf "$out" oci-layout index.json blobs
else tar -C "$t" -cf - oci-layout index.json blobs | "$HERE/in.sh" ctr -n k8s.io images import -
fi
