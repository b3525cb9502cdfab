#!/usr/bin/env bash
# Prints the files of the CustomResourceDefinitions of the Prometheus operator and of the Vertical Pod
# Autoscaler, taken from their Go modules.
set -euo pipefail

folder() { # of a module
	local d
	d=$(cd / && GOFLAGS=-mod=mod go mod download -json "$1" | sed -n 's/.*"Dir": "\(.*\)",*/\1/p')
	[ -n "$d" ] || { echo "crds.sh: cannot get $1" >&2; exit 1; }
	echo "$d"
}

operator=$(folder github.com/prometheus-operator/prometheus-operator@v0.85.0)
autoscaler=$(folder k8s.io/autoscaler/vertical-pod-autoscaler@v1.8.1)
printf '%s\n' "$operator"/example/prometheus-operator-crd/*.yaml "$autoscaler"/deploy/vpa-v1-crd-gen.yaml
