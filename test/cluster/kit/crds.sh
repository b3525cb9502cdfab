#!/usr/bin/env bash
# Prints the files of the CustomResourceDefinitions of the Prometheus operator, taken from its Go module.
set -euo pipefail
m=github.com/prometheus-operator/prometheus-operator@v0.85.0
d=$(cd / && GOFLAGS=-mod=mod go mod download -json "$m" | sed -n 's/.*"Dir": "\(.*\)",*/\1/p')
[ -n "$d" ] || { echo "crds.sh: cannot get $m" >&2; exit 1; }
printf '%s\n' "$d"/example/prometheus-operator-crd/*.yaml
