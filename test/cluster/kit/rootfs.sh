#!/usr/bin/env bash
# rootfs.sh DIR PROGRAM... : lays a minimal root file system with these programs and the libraries they load.
set -euo pipefail
d=$1; shift
mkdir -p "$d"/{etc,tmp,usr/bin,usr/lib,app,proc,sys,dev,run,var/tmp}; chmod 1777 "$d/tmp" "$d/var/tmp"
[ -e "$d/bin" ] || ln -s usr/bin "$d/bin"
printf 'root:x:0:0:root:/root:/bin/sh\napp:x:1000:1000:app:/app:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$d/etc/passwd"
printf 'root:x:0:\napp:x:1000:\nnogroup:x:65534:\n' >"$d/etc/group"
echo 'hosts: files dns' >"$d/etc/nsswitch.conf"
for p in "$@"; do
	f=$(readlink -f "$(command -v "$p")")
	install -D -m 755 "$f" "$d/usr/bin/$(basename "$p")"
	{ ldd "$f" 2>/dev/null || true; } | { grep -o '/[^ ]*' || true; } | while read -r l; do
		[ -e "$d$l" ] || install -D -m 755 "$(readlink -f "$l")" "$d$l"
	done
done
# name lookup is loaded at run time
for l in libnss_files.so.2 libnss_dns.so.2 libresolv.so.2; do
	f=$(ldconfig -p 2>/dev/null | awk -v l="$l" '$1==l && !n++{print $NF}')
	[ -z "$f" ] || [ -e "$d$f" ] || install -D -m 755 "$(readlink -f "$f")" "$d$f"
done
[ ! -f /etc/ssl/certs/ca-certificates.crt ] || install -D -m 644 /etc/ssl/certs/ca-certificates.crt "$d/etc/ssl/certs/ca-certificates.crt"
