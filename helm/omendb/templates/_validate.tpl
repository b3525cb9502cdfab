{{/*
What the schema cannot say: values that do not fit each other. Every problem is found, and names the value to set.
Each template here gives one line for each problem, so that all of them are shown at once.
*/}}
{{- define "omendb.validate" -}}
{{- $problems := list -}}
{{- range $part := list "store" "memory" "ports" "termination" "scaling" "disruption" "vpa" "auth" "identity" "ingress" "gateway" "metrics" "backup" "volumes" "production" "apis" -}}
{{- range $line := include (printf "omendb.validate.%s" $part) $ | splitList "\n" -}}
{{- with trim $line -}}
{{- $problems = append $problems (printf "  %s" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- with $problems -}}
{{- fail (printf "\n\nomendb: %d %s:\n%s\n" (len .) (ternary "value is wrong" "values are wrong" (eq (len .) 1)) (join "\n" .)) -}}
{{- end -}}
{{- end -}}

{{- define "omendb.validate.store" -}}
{{- if not (include "omendb.bucket" .) }}
{{- if .Values.autoscaling.enabled }}
config.objectStore: autoscaling needs a bucket that all pods share: set s3://BUCKET, or autoscaling.enabled=false
{{- else if gt (int .Values.replicaCount) 1 }}
config.objectStore: {{ .Values.replicaCount }} pods need a bucket that they share: set s3://BUCKET, or replicaCount=1
{{- end }}
{{- if eq .Values.workload.kind "Deployment" }}
config.objectStore: without a bucket data is on a volume, which a Deployment loses with its pod: set s3://BUCKET, or workload.kind=StatefulSet
{{- end }}
{{- end }}
{{- if .Values.config.s3SseKmsKeyId }}
{{- if ne (.Values.config.s3Sse | default "none") "aws:kms" }}
config.s3SseKmsKeyId: is for config.s3Sse=aws:kms only
{{- end }}
{{- end }}
{{- end -}}

{{- define "omendb.validate.memory" -}}
{{- $bytes := include "omendb.memoryBytes" . -}}
{{- $limit := include "omendb.resource" (list .Values.resources "limits" "memory") -}}
{{- $request := include "omendb.resource" (list .Values.resources "requests" "memory") -}}
{{- if and $bytes (include "omendb.engines" .) -}}
{{- $needed := add 67108864 (mul (include "omendb.engines" . | int64) 16777216) }}
{{- if lt ($bytes | int64) $needed }}
resources.requests.memory: {{ include "omendb.engines" . }} engines need {{ div $needed 1048576 }}Mi and get {{ div ($bytes | int64) 1048576 }}Mi: raise it or config.memoryBytes, or lower config.workerThreads
{{- end }}
{{- end }}
{{- if and $bytes $limit }}
{{- if gt (addf ($bytes | float64) (mulf (include "omendb.bytes" $limit | float64) .Values.memory.heapShare)) (mulf (include "omendb.bytes" $limit | float64) 0.95) }}
resources.limits.memory: engines ({{ div ($bytes | int64) 1048576 }}Mi) and heap (memory.heapShare of the limit) leave nothing for the rest: raise it, or lower memory.engineShare or config.memoryBytes
{{- end }}
{{- end }}
{{- if and $limit $request }}
{{- if gt (include "omendb.bytes" $request | int64) (include "omendb.bytes" $limit | int64) }}
resources.limits.memory: {{ $limit }} is less than the request of {{ $request }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "omendb.validate.ports" -}}
{{- $ports := list (include "omendb.port" (list . "http")) (include "omendb.port" (list . "grpc")) (include "omendb.port" (list . "ops")) -}}
{{- if ne (len (uniq $ports)) 3 }}
config.httpPort, config.grpcPort, config.opsPort: are {{ join ", " $ports }}; each needs a port of its own
{{- end }}
{{- if regexMatch "^(localhost|::1|127(\\.[0-9]+){3})$" (.Values.config.host | default "") }}
config.host: {{ .Values.config.host }} is the pod's own; nobody else could reach the server
{{- end }}
{{- if eq (int .Values.service.httpPort) (int .Values.service.grpcPort) }}
service.httpPort, service.grpcPort: are both {{ .Values.service.httpPort }}; each needs a port of its own
{{- end }}
{{- end -}}

{{- define "omendb.validate.termination" -}}
{{- with .Values.workload }}
{{- if and (has (toString .maxSurge) (list "0" "0%")) (has (toString .maxUnavailable) (list "0" "0%")) }}
workload.maxSurge, workload.maxUnavailable: are both {{ .maxSurge }}, so no pod could ever be replaced: raise one of them
{{- end }}
{{- end }}
{{- $drain := include "omendb.seconds" (.Values.config.drainTime | default "25s") | int -}}
{{- $needed := add .Values.termination.preStopSeconds $drain 5 -}}
{{- if gt (int $needed) (int .Values.termination.gracePeriodSeconds) }}
termination.gracePeriodSeconds: must be {{ $needed }} or more: preStopSeconds ({{ .Values.termination.preStopSeconds }}), config.drainTime ({{ $drain }} s) and 5 s to end
{{- end }}
{{- end -}}

{{- define "omendb.validate.scaling" -}}
{{- with .Values.autoscaling }}
{{- if .enabled }}
{{- if gt (int .minReplicas) (int .maxReplicas) }}
autoscaling.maxReplicas: {{ .maxReplicas }} is less than autoscaling.minReplicas ({{ .minReplicas }})
{{- end }}
{{- if not (or .cpuUtilization .memoryUtilization .customMetrics.enabled .extraMetrics) }}
autoscaling: has nothing to look at: set cpuUtilization, memoryUtilization or customMetrics
{{- end }}
{{- if and (eq .provider "keda") .extraMetrics }}
autoscaling.extraMetrics: is for provider hpa only: write a ScaledObject of your own in extraObjects
{{- end }}
{{- range $name, $wanted := dict "cpu" .cpuUtilization "memory" .memoryUtilization }}
{{- if and $wanted (not (include "omendb.resource" (list $.Values.resources "requests" $name))) }}
resources.requests.{{ $name }}: autoscaling.{{ $name }}Utilization is a share of it: set it, or autoscaling.{{ $name }}Utilization=0
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "omendb.validate.disruption" -}}
{{- $pods := include "omendb.replicasMin" . | int -}}
{{- with .Values.podDisruptionBudget }}
{{- if and .enabled (gt $pods 1) }}
{{- if and (kindIs "invalid" .minAvailable) (kindIs "invalid" .maxUnavailable) }}
podDisruptionBudget: set minAvailable or maxUnavailable, or enabled=false
{{- end }}
{{- if not (or (kindIs "invalid" .minAvailable) (kindIs "invalid" .maxUnavailable)) }}
podDisruptionBudget: minAvailable and maxUnavailable exclude each other: set one of them to null
{{- end }}
{{- if and (kindIs "invalid" .maxUnavailable) (not (kindIs "invalid" .minAvailable)) (not (kindIs "string" .minAvailable)) }}
{{- if ge (int .minAvailable) $pods }}
podDisruptionBudget.minAvailable: {{ .minAvailable }} of {{ $pods }} pods would never let a node be drained: lower it, or raise the number of pods
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "omendb.validate.vpa" -}}
{{- $scaling := .Values.autoscaling -}}
{{- with .Values.vpa }}
{{- if and .enabled (ne .updateMode "Off") }}
{{- range $name, $wanted := dict "cpu" $scaling.cpuUtilization "memory" $scaling.memoryUtilization }}
{{- if and $scaling.enabled $wanted (has $name $.Values.vpa.controlledResources) }}
vpa.controlledResources: the horizontal autoscaler looks at {{ $name }} too, and they would fight: take it out, or set autoscaling.{{ $name }}Utilization=0 or vpa.updateMode=Off
{{- end }}
{{- end }}
{{- if not (and .minAllowed .maxAllowed) }}
vpa.minAllowed, vpa.maxAllowed: are needed for updateMode {{ .updateMode }}: a recommendation may fit no node
{{- end }}
{{- if and (eq .updateMode "InPlaceOrRecreate") (semverCompare "<1.33.0-0" $.Capabilities.KubeVersion.Version) }}
vpa.updateMode: InPlaceOrRecreate needs Kubernetes 1.33, this is {{ $.Capabilities.KubeVersion.Version }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "omendb.validate.auth" -}}
{{- with .Values.auth }}
{{- if and .generate.enabled .externalSecret.enabled }}
auth.generate.enabled, auth.externalSecret.enabled: only one of them can make the Secret
{{- end }}
{{- if .externalSecret.enabled }}
{{- if not .externalSecret.storeRef.name }}
auth.externalSecret.storeRef.name: is needed
{{- end }}
{{- if not .externalSecret.remoteRef.key }}
auth.externalSecret.remoteRef.key: is needed
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "omendb.validate.identity" -}}
{{- with .Values.cloudIdentity }}
{{- if and (ne .provider "none") $.Values.s3.credentials.secretName }}
s3.credentials.secretName: static credentials would count more than cloudIdentity.provider={{ .provider }}: set one of them only
{{- end }}
{{- if and (has .provider (list "irsa" "gke" "azure")) (not .server) }}
cloudIdentity.server: is needed for provider {{ .provider }}
{{- end }}
{{- if and (has .provider (list "none" "podIdentity")) (or .server .backup) }}
cloudIdentity.server, cloudIdentity.backup: say nothing to provider {{ .provider }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "omendb.validate.ingress" -}}
{{- with .Values.ingress }}
{{- if .enabled }}
{{- if and .http.enabled (not .host) }}
ingress.host: is needed
{{- end }}
{{- if and .grpc.enabled (not .grpc.host) }}
ingress.grpc.host: is needed, or ingress.grpc.enabled=false
{{- end }}
{{- if and .http.enabled .grpc.enabled .host (eq .host .grpc.host) (ne .controller "aws") }}
ingress.grpc.host: is that of HTTP, which only controller aws can tell apart: give gRPC a host of its own
{{- end }}
{{- if and (or .rateLimit.requestsPerSecond .rateLimit.connections) (ne .controller "nginx") }}
ingress.rateLimit: controller {{ .controller }} is not told of it by annotations{{ if eq .controller "aws" }}: use ingress.wafAclArn{{ end }}
{{- end }}
{{- if and .wafAclArn (ne .controller "aws") }}
ingress.wafAclArn: is for controller aws only
{{- end }}
{{- if and .tls.certificateArn (ne .controller "aws") }}
ingress.tls.certificateArn: is for controller aws only: use ingress.tls.secretName or ingress.tls.clusterIssuer
{{- end }}
{{- if and .tls.enabled (eq .controller "aws") (not .tls.certificateArn) }}
ingress.tls.certificateArn: is needed for controller aws, or ingress.tls.enabled=false
{{- end }}
{{- if and .grpc.enabled (eq .controller "aws") (not .tls.enabled) }}
ingress.tls.enabled: load balancers of AWS take gRPC over HTTPS only: set true, or ingress.grpc.enabled=false
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "omendb.validate.gateway" -}}
{{- range $protocol := list "http" "grpc" }}
{{- $route := index $.Values.gateway $protocol }}
{{- if and $route.enabled (not $route.parentRefs) }}
gateway.{{ $protocol }}.parentRefs: is needed
{{- end }}
{{- end }}
{{- end -}}

{{- define "omendb.validate.metrics" -}}
{{- with .Values.metrics }}
{{- if and (eq (toString $.Values.config.metrics) "false") (or .serviceMonitor.enabled .prometheusRule.enabled) }}
config.metrics: is false, so there is nothing for metrics.serviceMonitor and metrics.prometheusRule
{{- end }}
{{- with .serviceMonitor }}
{{- if gt (include "omendb.seconds" .scrapeTimeout | int) (include "omendb.seconds" .interval | int) }}
metrics.serviceMonitor.scrapeTimeout: {{ .scrapeTimeout }} is longer than metrics.serviceMonitor.interval ({{ .interval }}), and the operator would leave the servers out
{{- end }}
{{- end }}
{{- if and .alertmanagerConfig.enabled (not .alertmanagerConfig.secretName) }}
metrics.alertmanagerConfig.secretName: is needed
{{- end }}
{{- end }}
{{- end -}}

{{- define "omendb.validate.backup" -}}
{{- $backup := .Values.backup -}}
{{- if and (or $backup.enabled .Values.verify.enabled) (not $backup.to) }}
backup.to: is needed, such as s3://BUCKET/omendb
{{- end }}
{{- if and (hasPrefix "file://" $backup.to) (not $backup.volumeMounts) }}
backup.to: {{ $backup.to }} is a folder that is gone with the pod: mount a volume there with backup.volumes and backup.volumeMounts, or use s3://BUCKET/omendb
{{- end }}
{{- $store := printf "%s/" (trimSuffix "/" (.Values.config.objectStore | default "")) }}
{{- if and $backup.to .Values.config.objectStore (hasPrefix $store (printf "%s/" $backup.to)) }}
backup.to: is the store itself, or within it; a backup belongs into another bucket
{{- end }}
{{- if and (or $backup.enabled .Values.restore.enabled) (not (include "omendb.bucket" .)) (eq .Values.storage.medium "EmptyDir") }}
storage.medium: EmptyDir cannot be read by a job: set PersistentVolumeClaim, or keep data in a bucket
{{- end }}
{{- with .Values.restore }}
{{- if .enabled }}
{{- if ne .confirm $.Release.Name }}
restore.confirm: must be the name of the release, {{ $.Release.Name }}
{{- end }}
{{- if not (default $backup.to .from) }}
restore.from: is needed
{{- end }}
{{- if not (include "omendb.bucket" $) }}
restore.enabled: a folder in use cannot be restored into: stop the server (replicaCount=0) and run "omendb restore" with its volume; see docs/backup.md
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "omendb.validate.volumes" -}}
{{- with .Values.volumeSnapshots }}
{{- if and .enabled (or (ne (include "omendb.kind" $) "StatefulSet") (eq $.Values.storage.medium "EmptyDir")) }}
volumeSnapshots.enabled: is for the volumes of a StatefulSet: set workload.kind=StatefulSet and storage.medium=PersistentVolumeClaim
{{- end }}
{{- end }}
{{- $limit := include "omendb.resource" (list .Values.resources "limits" "ephemeral-storage") }}
{{- if and (eq .Values.storage.medium "EmptyDir") $limit }}
{{- if lt (include "omendb.bytes" $limit | int64) (include "omendb.bytes" .Values.storage.size | int64) }}
resources.limits.ephemeral-storage: {{ $limit }} counts for storage.medium EmptyDir too: raise it above storage.size ({{ .Values.storage.size }}), or leave it out
{{- end }}
{{- end }}
{{- end -}}

{{/* What production must not do without. */}}
{{- define "omendb.validate.production" -}}
{{- if eq .Values.environment "production" }}
{{- if or .Values.auth.generate.enabled (not (or .Values.auth.secretName .Values.auth.externalSecret.enabled)) }}
auth.secretName: production wants a key that you keep: make a Secret and name it here (and set auth.generate.enabled=false), or use auth.externalSecret
{{- end }}
{{- if and (not .Values.image.digest) (has .Values.image.tag (list "" "latest")) }}
image.tag: production wants a version or a digest: set image.tag or image.digest
{{- end }}
{{- range $kind := list "requests" "limits" }}
{{- range $name := list "cpu" "memory" }}
{{- if not (include "omendb.resource" (list $.Values.resources $kind $name)) }}
resources.{{ $kind }}.{{ $name }}: production wants it
{{- end }}
{{- end }}
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.tls.enabled) }}
ingress.tls.enabled: production wants TLS: tokens travel with requests
{{- end }}
{{- if and (ne .Values.service.type "ClusterIP") (not .Values.service.allowPlaintext) }}
service.type: {{ .Values.service.type }} lets others in without TLS: use an Ingress or a Gateway, or set service.allowPlaintext=true when TLS ends before
{{- end }}
{{- range $protocol := list "http" "grpc" }}
{{- $route := index $.Values.gateway $protocol }}
{{- if $route.enabled }}
{{- range $route.parentRefs }}
{{- if not .sectionName }}
gateway.{{ $protocol }}.parentRefs: production wants TLS: name the Gateway's listener with it (sectionName)
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Objects of APIs that the cluster does not serve. */}}
{{- define "omendb.validate.apis" -}}
{{- if .Values.capabilities.check }}
{{- $hpa := and .Values.autoscaling.enabled (eq .Values.autoscaling.provider "hpa") .Values.autoscaling.customMetrics.enabled -}}
{{- $keda := and .Values.autoscaling.enabled (eq .Values.autoscaling.provider "keda") -}}
{{- range $use := list
  (list $hpa "custom.metrics.k8s.io/v1beta1" "autoscaling.customMetrics.enabled" "prometheus-adapter")
  (list (and $hpa .Values.autoscaling.customMetrics.latency) "external.metrics.k8s.io/v1beta1" "autoscaling.customMetrics.latency" "prometheus-adapter")
  (list $keda "keda.sh/v1alpha1" "autoscaling.enabled" "KEDA")
  (list .Values.vpa.enabled "autoscaling.k8s.io/v1" "vpa.enabled" "the Vertical Pod Autoscaler")
  (list .Values.metrics.serviceMonitor.enabled "monitoring.coreos.com/v1" "metrics.serviceMonitor.enabled" "the Prometheus operator")
  (list .Values.metrics.prometheusRule.enabled "monitoring.coreos.com/v1" "metrics.prometheusRule.enabled" "the Prometheus operator")
  (list .Values.metrics.alertmanagerConfig.enabled "monitoring.coreos.com/v1alpha1" "metrics.alertmanagerConfig.enabled" "the Prometheus operator")
  (list .Values.auth.externalSecret.enabled "external-secrets.io/v1" "auth.externalSecret.enabled" "the External Secrets operator")
  (list (or .Values.gateway.http.enabled .Values.gateway.grpc.enabled) "gateway.networking.k8s.io/v1" "gateway.http.enabled and gateway.grpc.enabled" "a Gateway controller and its API")
  (list .Values.volumeSnapshots.enabled "snapshot.storage.k8s.io/v1" "volumeSnapshots.enabled" "a snapshot controller") }}
{{- $api := index $use 1 }}
{{- $served := or ($.Capabilities.APIVersions.Has $api) (has $api $.Values.capabilities.apiVersions) }}
{{- /* Some adapters serve the newer version only; both say the same. */ -}}
{{- $served = or $served (and (eq $api "custom.metrics.k8s.io/v1beta1") ($.Capabilities.APIVersions.Has "custom.metrics.k8s.io/v1beta2")) }}
{{- if and (index $use 0) (not $served) }}
{{ index $use 2 }}: needs {{ $api }}, which the cluster does not serve: install {{ index $use 3 }}, or set it to false (without a cluster: capabilities.check=false)
{{- end }}
{{- end }}
{{- end }}
{{- end -}}
