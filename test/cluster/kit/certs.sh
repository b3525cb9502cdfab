#!/usr/bin/env bash
# Writes the cluster's keys, certificates and kubeconfigs to $RUN/pki (once).
set -euo pipefail
. "$(dirname "$0")/env.sh"
P=$RUN/pki
[ -f "$P/done" ] && exit 0
rm -rf "$P"; mkdir -p "$P"; chmod 700 "$P"; cd "$P"
exec 2>openssl.log

key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }
ca() { key "$1"; openssl req -x509 -new -key "$1.key" -subj "/CN=$1" -days 30 -out "$1.crt" \
	-addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign,digitalSignature; }
cert() { # file, ca, subject, usage, [subjectAltName]
	key "$1"
	openssl req -new -key "$1.key" -subj "$3" | openssl x509 -req -CA "$2.crt" -CAkey "$2.key" -CAcreateserial -days 30 -out "$1.crt" \
		-extfile <(printf 'keyUsage=critical,digitalSignature\nextendedKeyUsage=%s\n%s\n' "$4" "${5:+subjectAltName=$5}")
}
kubeconfig() { # name, file of its certificate
	cat >"$1.kubeconfig" <<-Y
	apiVersion: v1
	kind: Config
	clusters: [{name: c, cluster: {server: "https://127.0.0.1:6443", certificate-authority-data: $(base64 -w0 ca.crt)}}]
	users: [{name: u, user: {client-certificate-data: $(base64 -w0 "$1.crt"), client-key-data: $(base64 -w0 "$1.key")}}]
	contexts: [{name: c, context: {cluster: c, user: u}}]
	current-context: c
	Y
}

ca ca; ca front-proxy-ca
openssl genrsa -out sa.key 2048; openssl rsa -in sa.key -pubout -out sa.pub
names=DNS:localhost,IP:127.0.0.1,IP:$NODE_IP,IP:$API_SVC_IP
for n in kubernetes{,.default,.default.svc,.default.svc.cluster.local}; do names+=,DNS:$n; done
cert apiserver ca /CN=kube-apiserver serverAuth "$names"
cert apiserver-kubelet ca /O=system:masters/CN=apiserver-kubelet clientAuth
cert front-proxy front-proxy-ca /CN=front-proxy clientAuth
cert kubelet-serving ca "/O=system:nodes/CN=system:node:$NODE_NAME" serverAuth "DNS:$NODE_NAME,IP:$NODE_IP,IP:127.0.0.1"
cert admin ca /O=system:masters/CN=admin clientAuth
cert kubelet ca "/O=system:nodes/CN=system:node:$NODE_NAME" clientAuth
cert controller-manager ca /CN=system:kube-controller-manager clientAuth
cert scheduler ca /CN=system:kube-scheduler clientAuth
cert proxy ca /CN=system:kube-proxy clientAuth
for n in admin kubelet controller-manager scheduler proxy; do kubeconfig $n; done
touch done
