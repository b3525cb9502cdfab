#!/usr/bin/env bash
# Installs or upgrades OmenDB on the cluster that kubectl talks to. Looks first whether all that it needs is
# there, and changes nothing when it is not.
set -euo pipefail

usage() {
  cat <<'END'
Usage: scripts/deploy.sh [OPTION]...

  -e, --environment NAME   staging (default) or production: helm/omendb/values-NAME.yaml
  -t, --tag TAG            tag of the image, such as v0.1.0; production needs one
  -n, --namespace NAME     default omendb-system
  -r, --release NAME       default omendb
  -f, --values FILE        more values; may be given several times
      --set KEY=VALUE      one more value; may be given several times
      --dry-run            show the difference to what runs, and change nothing
      --wait               wait until all pods are ready; go back to what was before when they do not get so
      --timeout TIME       how long to wait, default 10m
  -h, --help               print this

The bucket is OMENDB_OBJECT_STORE=s3://BUCKET/PREFIX in the environment, else config.objectStore of the
values, else that of the release which runs. Values of earlier runs are not kept: keep yours in a file, and
give it with -f every time.
END
}

say() { printf 'deploy: %s\n' "$*" >&2; }
die() {
  say "$*"
  exit 1
}
wrong_use() {
  say "$* (--help lists the options)"
  exit 2
}

environment=staging namespace=omendb-system release=omendb tag='' timeout=10m dry_run=false wait=false
given=()
while [ $# -gt 0 ]; do
  case $1 in
    -e | --environment | -t | --tag | -n | --namespace | -r | --release | -f | --values | --set | --timeout)
      [ -n "${2:-}" ] || wrong_use "$1 needs a value"
      case $1 in
        -e | --environment) environment=$2 ;;
        -t | --tag) tag=$2 ;;
        -n | --namespace) namespace=$2 ;;
        -r | --release) release=$2 ;;
        -f | --values)
          [ -r "$2" ] || wrong_use "$2 cannot be read"
          given+=(--values "$2")
          ;;
        --set) given+=(--set "$2") ;;
        --timeout) timeout=$2 ;;
      esac
      shift 2
      ;;
    --dry-run) dry_run=true && shift ;;
    --wait) wait=true && shift ;;
    -h | --help) usage && exit 0 ;;
    *) wrong_use "there is no option $1" ;;
  esac
done
case $environment in
  staging | production) ;;
  *) wrong_use "-e is staging or production, not $environment" ;;
esac

chart=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)/helm/omendb
values=(--values "$chart/values-$environment.yaml")
[ -z "$tag" ] || values+=(--set-string "image.tag=$tag")

# What runs this.
for tool in helm kubectl; do
  page=https://kubernetes.io/docs/tasks/tools
  [ "$tool" = kubectl ] || page=https://helm.sh
  command -v "$tool" >/dev/null || die "$tool is not installed: $page"
done
major=$(helm version --template '{{ .Version }}' 2>/dev/null | sed -nE 's/^v?([0-9]+)\..*/\1/p')
case $major in
  3 | 4) ;;
  *) die "helm is version ${major:-unknown}: 3 or 4 is needed" ;;
esac

# The cluster.
context=$(kubectl config current-context 2>/dev/null || true)
kubectl get --raw /version --request-timeout=15s >/dev/null 2>&1 ||
  die "no cluster answers${context:+ (context $context)}: check KUBECONFIG and \"kubectl cluster-info\""

# The bucket: that of the release which runs counts less than any values, that of the environment more than
# files.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
problems=$scratch/problems
running=$(kubectl --namespace "$namespace" get configmap --ignore-not-found \
  --selector "app.kubernetes.io/instance=$release,app.kubernetes.io/component=server" \
  --output 'jsonpath={.items[*].data.OMENDB_OBJECT_STORE}' 2>/dev/null || true)
if [ -n "$running" ]; then
  printf 'config: { objectStore: "%s" }\n' "$running" >"$scratch/running.yaml"
  values=(--values "$scratch/running.yaml" "${values[@]}")
fi
[ -z "${OMENDB_OBJECT_STORE:-}" ] || values+=(--set "config.objectStore=$OMENDB_OBJECT_STORE")
# What the command line says counts most. (Bash 3 takes an empty list for an unset one.)
values+=(${given[@]+"${given[@]}"})

# What would be applied, with what the cluster serves. The chart says what is wrong with its values.
ask=--dry-run=server
[ "$major" = 4 ] || ask=--validate
if ! plan=$(helm template "$release" "$chart" --namespace "$namespace" "$ask" --is-upgrade "${values[@]}" \
  2>"$problems"); then
  if grep -q '^omendb: ' "$problems"; then
    sed -n '/^omendb: /,$ { s/^  */deploy:  /; /^deploy: /p; }' "$problems" >&2
  else
    sed '/^$/d; /^Use --debug/d; s/^Error: //; s/^/deploy: /' "$problems" >&2
  fi
  exit 1
fi

# Secrets that pods of the servers need, as "NAME KEY KEY…".
needed_secrets() {
  awk '
    /^kind: / { kind = $2 }
    kind != "Deployment" && kind != "StatefulSet" { next }
    /^ *secretName: / { name = $2; next }
    /^ *- key: / && name != "" { print name, $3; name = "" }
    /^ *secretKeyRef:/ { from = key = ""; reference = 2; next }
    reference && /^ *name: / { from = $2 }
    reference && /^ *key: / { key = $2 }
    reference && --reference == 0 { print from, key }
  ' <<<"$plan" | sort -u | awk '
    $1 != name { if (name != "") print name keys; name = $1; keys = "" }
    { keys = keys " " $2 }
    END { if (name != "") print name keys }'
}
# Objects of manifests, as KIND/NAME.
objects() { awk '/^kind: / { kind = $2 } /^  name: / && kind != "" { print kind "/" $2; kind = "" }'; }
made=$(objects <<<"$plan")
# Where the pods are: namespaceOverride counts more.
home=$(awk '/^kind: / { kind = $2 } /^  namespace: / && kind ~ /^(Deployment|StatefulSet)$/ { print $2; exit }' \
  <<<"$plan")
home=${home:-$namespace}
missing=0
while read -r name keys; do
  [ -n "$name" ] || continue
  # A hook or an operator makes it.
  if grep -qE "^ExternalSecret/$name$" <<<"$made" || grep -q "value: $name\$" <<<"$plan"; then continue; fi
  if ! kubectl --namespace "$home" get secret "$name" --output name >/dev/null 2>"$problems"; then
    if ! grep -qi 'not *found' "$problems"; then
      say "Secret $name cannot be looked at, go on without: $(tail -n 1 "$problems")"
      continue
    fi
    make="kubectl --namespace $home create secret generic $name"
    for key in $keys; do
      make+=" --from-literal=$key="
      # shellcheck disable=SC2016 # For the reader's shell.
      if [ "$key" = jwt-secret ]; then make+='"$(openssl rand -base64 48)"'; fi
    done
    kubectl get namespace "$home" >/dev/null 2>&1 || make="kubectl create namespace $home; $make"
    say "Secret $name is missing in namespace $home: $make"
    missing=1
    continue
  fi
  for key in $keys; do
    path="{.data.${key//./\\.}}"
    found=$(kubectl --namespace "$home" get secret "$name" --output "jsonpath=$path" 2>/dev/null || true)
    if [ -z "$found" ]; then
      say "Secret $name in namespace $home has no key $key"
      missing=1
    fi
  done
done < <(needed_secrets)

# StorageClasses that volumes need.
while read -r class; do
  [ -n "$class" ] || continue
  if grep -qE "^StorageClass/$class$" <<<"$made"; then continue; fi
  if ! kubectl get storageclass "$class" >/dev/null 2>"$problems"; then
    if grep -qi 'not *found' "$problems"; then
      say "StorageClass $class is missing: add --set storageClasses.create=true (AWS), or choose one with" \
        "--set storage.storageClassName=NAME"
      missing=1
    else
      say "StorageClass $class cannot be looked at, go on without: $(tail -n 1 "$problems")"
    fi
  fi
done < <(sed -nE 's/^ *storageClassName: "?([^"]+)"?$/\1/p' <<<"$plan" | sort -u)

# Zones that pods must be spread over: without the label no node would do.
zone=topology.kubernetes.io/zone
spread=$(grep -A 1 "topologyKey: $zone" <<<"$plan" || true)
if [[ $spread == *DoNotSchedule* ]]; then
  if nodes=$(kubectl get nodes --selector "$zone" --output name 2>/dev/null) && [ -z "$nodes" ]; then
    say "no node has the label $zone: add --set scheduling.zoneSpread=soft"
    missing=1
  fi
fi
[ "$missing" -eq 0 ] || exit 1

if $dry_run; then
  code=0
  # What runs and is in no manifest any more goes: kubectl does not say so.
  gone=$(helm get manifest "$release" --namespace "$namespace" 2>/dev/null | objects |
    grep -vxF "${made:-none}" || true)
  [ -z "$gone" ] || say "these would be removed:" "${gone//$'\n'/ }"
  # Hooks are no part of what runs.
  awk 'BEGIN { RS = "\n---\n" } !/helm\.sh\/hook/ { print "---\n" $0 }' <<<"$plan" |
    kubectl diff --namespace "$namespace" --filename - || code=$?
  case $code in
    0 | 1)
      if [ "$code" = 0 ] && [ -z "$gone" ]; then say "nothing would change" && exit 0; fi
      say "this would change in $namespace; nothing was changed"
      ;;
    *) die "the difference cannot be shown" ;;
  esac
  exit 0
fi

arguments=(upgrade --install "$release" "$chart" --namespace "$namespace" --create-namespace "${values[@]}")
if $wait; then
  arguments+=(--wait --timeout "$timeout")
  if [ "$major" = 3 ]; then arguments+=(--atomic); else arguments+=(--rollback-on-failure); fi
fi
helm "${arguments[@]}"
say "$environment is deployed as $release in $namespace"
