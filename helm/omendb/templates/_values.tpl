{{/*
What follows from values: settings, sizes, images.
*/}}

{{/* The image's name, with the digest if there is one. */}}
{{- define "omendb.image" -}}
{{- $image := .Values.image -}}
{{- $registry := default .Values.global.imageRegistry $image.registry -}}
{{- $name := ternary $image.repository (printf "%s/%s" $registry $image.repository) (empty $registry) -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $name $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $name (default (printf "v%s" .Chart.AppVersion) $image.tag) -}}
{{- end -}}
{{- end -}}

{{/* Secrets to pull images with, as a list, or nothing. */}}
{{- define "omendb.pullSecrets" -}}
{{- with concat .Values.global.imagePullSecrets .Values.image.pullSecrets | uniq -}}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end -}}
{{- end -}}

{{/* Bytes of a quantity such as 512Mi or 1.5Gi. */}}
{{- define "omendb.bytes" -}}
{{- $text := toString . -}}
{{- if not (regexMatch "^[0-9]+(\\.[0-9]+)?(Ki|Mi|Gi|Ti|k|M|G|T)?$" $text) -}}
{{- fail (printf "omendb: %q is no size, such as 512Mi or 4Gi" $text) -}}
{{- end -}}
{{- $units := dict "" 1 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 -}}
{{- mulf (regexFind "^[0-9.]+" $text | float64) (get $units (regexFind "[A-Za-z]+$" $text)) | floor | int64 -}}
{{- end -}}

{{/* Whole cores of a quantity such as 2 or 500m, at least one. */}}
{{- define "omendb.cores" -}}
{{- $text := toString . -}}
{{- $cores := ternary (divf (trimSuffix "m" $text | float64) 1000) (trimSuffix "m" $text | float64) (hasSuffix "m" $text) -}}
{{- max 1 (floor $cores | int64) -}}
{{- end -}}

{{/* Seconds of a time such as 250ms, 30s, 5m or 1h, rounded up. */}}
{{- define "omendb.seconds" -}}
{{- $units := dict "ms" 0.001 "s" 1 "m" 60 "h" 3600 -}}
{{- mulf (regexFind "^[0-9]+" . | float64) (get $units (regexFind "[a-z]+$" .)) | ceil | int64 -}}
{{- end -}}

{{/* A quantity of resources, such as (list .Values.resources "limits" "memory"), or nothing. */}}
{{- define "omendb.resource" -}}
{{- $resources := index . 0 | default dict -}}
{{- get (get $resources (index . 1) | default dict) (index . 2) -}}
{{- end -}}

{{/* true when data is in a bucket, else empty. */}}
{{- define "omendb.bucket" -}}
{{- if hasPrefix "s3://" (.Values.config.objectStore | default "") -}}true{{- end -}}
{{- end -}}

{{- define "omendb.kind" -}}
{{- if eq .Values.workload.kind "Auto" -}}
{{- ternary "Deployment" "StatefulSet" (eq (include "omendb.bucket" .) "true") -}}
{{- else -}}
{{- .Values.workload.kind -}}
{{- end -}}
{{- end -}}

{{/* Fewest pods that run in normal times. */}}
{{- define "omendb.replicasMin" -}}
{{- ternary .Values.autoscaling.minReplicas .Values.replicaCount .Values.autoscaling.enabled -}}
{{- end -}}

{{- define "omendb.dataDir" -}}{{ .Values.config.dataDir | default "/app/data" }}{{- end -}}

{{/* Port of (list $ "http"), "grpc" or "ops" that the server listens on. */}}
{{- define "omendb.port" -}}
{{- $config := (index . 0).Values.config -}}
{{- $ports := dict "http" ($config.httpPort | default 8080) "grpc" ($config.grpcPort | default 9090) "ops" ($config.opsPort | default 8081) -}}
{{- get $ports (index . 1) | int64 -}}
{{- end -}}

{{/* Engines: as set, else a core each of the CPU limit, at most 8. Nothing without both. */}}
{{- define "omendb.engines" -}}
{{- $limit := include "omendb.resource" (list .Values.resources "limits" "cpu") -}}
{{- if .Values.config.workerThreads -}}
{{- .Values.config.workerThreads | int64 -}}
{{- else if $limit -}}
{{- min 8 (include "omendb.cores" $limit | int64) -}}
{{- end -}}
{{- end -}}

{{/* Bytes for the engines: as set, else a share of the memory request within what the server takes. */}}
{{- define "omendb.memoryBytes" -}}
{{- $request := include "omendb.resource" (list .Values.resources "requests" "memory") -}}
{{- if .Values.config.memoryBytes -}}
{{- include "omendb.bytes" (include "omendb.text" .Values.config.memoryBytes) -}}
{{- else if $request -}}
{{- $share := mulf (include "omendb.bytes" $request | float64) .Values.memory.engineShare | floor | int64 -}}
{{- max 134217728 (min 4294901760 $share) -}}
{{- end -}}
{{- end -}}

{{/* Bytes of the cache on disk: as set, else a share of the volume when the data is in a bucket. */}}
{{- define "omendb.cacheBytes" -}}
{{- if not (kindIs "invalid" .Values.config.cacheBytes) -}}
{{- include "omendb.bytes" (include "omendb.text" .Values.config.cacheBytes) -}}
{{- else if hasPrefix "s3://" (toString .Values.config.objectStore) -}}
{{- mulf (include "omendb.bytes" .Values.storage.size | float64) .Values.storage.cacheShare | floor | int64 -}}
{{- end -}}
{{- end -}}

{{/* A value as the text of a variable. Whole numbers of values files are floats: no exponents. */}}
{{- define "omendb.text" -}}
{{- if and (kindIs "float64" .) (eq (floor .) .) -}}{{ int64 . }}{{- else -}}{{ toString . }}{{- end -}}
{{- end -}}

{{/* Settings by the names of their variables, as a YAML map: those that take a start of the server. */}}
{{- define "omendb.settings" -}}
{{- $known := .Files.Get "files/settings.json" | fromJson -}}
{{- $found := dict "OMENDB_DATA_DIR" (include "omendb.dataDir" .) -}}
{{- with include "omendb.engines" . }}{{ $_ := set $found "OMENDB_WORKER_THREADS" . }}{{ end -}}
{{- with include "omendb.memoryBytes" . }}{{ $_ := set $found "OMENDB_MEMORY_BYTES" . }}{{ end -}}
{{- with include "omendb.cacheBytes" . }}{{ $_ := set $found "OMENDB_CACHE_BYTES" . }}{{ end -}}
{{- range $key, $value := .Values.config -}}
{{- $setting := get $known $key -}}
{{- if not (or $setting.live (kindIs "invalid" $value) (eq (toString $value) "") (has $key (list "memoryBytes" "cacheBytes"))) -}}
{{- $_ := set $found $setting.env (include "omendb.text" $value) -}}
{{- end -}}
{{- end -}}
{{- toYaml $found -}}
{{- end -}}

{{/* The others: a running server follows them. */}}
{{- define "omendb.liveSettings" -}}
{{- $known := .Files.Get "files/settings.json" | fromJson -}}
{{- $found := dict -}}
{{- range $key, $value := .Values.config -}}
{{- $setting := get $known $key -}}
{{- if and $setting.live (not (kindIs "invalid" $value)) (ne (toString $value) "") -}}
{{- $_ := set $found $setting.env (include "omendb.text" $value) -}}
{{- end -}}
{{- end -}}
{{- toYaml $found -}}
{{- end -}}

{{/* Options of Node: the heap as a share of the limit, in MiB, and what else is wanted. */}}
{{- define "omendb.nodeOptions" -}}
{{- $limit := include "omendb.resource" (list .resources "limits" "memory") -}}
{{- $heap := "" -}}
{{- if $limit -}}
{{- $heap = printf "--max-old-space-size=%d" (divf (mulf (include "omendb.bytes" $limit | float64) .share) 1048576 | floor | int64) -}}
{{- end -}}
{{- list $heap .options | compact | join " " -}}
{{- end -}}
