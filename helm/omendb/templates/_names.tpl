{{/*
Names and labels. The first part of all names is the release's name; -omendb is added unless it says so already.
Long names end in a hash of themselves, so that two releases never share one.
*/}}
{{- define "omendb.base" -}}
{{- $chart := default .Chart.Name .Values.nameOverride -}}
{{- $name := .Release.Name -}}
{{- if .Values.fullnameOverride -}}
{{- $name = .Values.fullnameOverride -}}
{{- else if not (contains $chart .Release.Name) -}}
{{- $name = printf "%s-%s" .Release.Name $chart -}}
{{- end -}}
{{- if gt (len $name) 40 -}}
{{- $name = printf "%s-%s" ($name | trunc 33 | trimSuffix "-") (sha256sum $name | trunc 6) -}}
{{- end -}}
{{- $name -}}
{{- end -}}

{{- define "omendb.server" -}}{{ include "omendb.base" . }}-server{{- end -}}

{{- define "omendb.headless" -}}{{ include "omendb.server" . }}-headless{{- end -}}

{{- define "omendb.namespace" -}}{{ default .Release.Namespace .Values.namespaceOverride }}{{- end -}}

{{- define "omendb.authSecret" -}}
{{- default (printf "%s-secrets" (include "omendb.base" .)) .Values.auth.secretName -}}
{{- end -}}

{{- define "omendb.serviceAccount.server" -}}
{{- with .Values.serviceAccounts.server -}}
{{- .name | default (ternary (include "omendb.server" $) "default" .create) -}}
{{- end -}}
{{- end -}}

{{- define "omendb.serviceAccount.backup" -}}
{{- with .Values.serviceAccounts.backup -}}
{{- .name | default (ternary (printf "%s-backup" (include "omendb.base" $)) "default" .create) -}}
{{- end -}}
{{- end -}}

{{- define "omendb.chart" -}}
{{- printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{/* Of (dict "root" $ "component" "server"): what selects the pods of a component; it never changes. */}}
{{- define "omendb.selector" -}}
app.kubernetes.io/name: {{ default .root.Chart.Name .root.Values.nameOverride | trunc 63 | trimSuffix "-" }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{/* Of the same, with "labels" MAP: labels of an object. Those of the chart count more than the user's. */}}
{{- define "omendb.labels" -}}
{{- $own := include "omendb.selector" . | fromYaml -}}
{{- $own = merge $own (dict
  "app.kubernetes.io/version" (.root.Chart.AppVersion | replace "+" "_")
  "app.kubernetes.io/managed-by" .root.Release.Service
  "helm.sh/chart" (include "omendb.chart" .root)) -}}
{{- toYaml (merge $own (.labels | default dict) .root.Values.commonLabels) -}}
{{- end -}}

{{/* Of the same: labels of a pod, without those that change with the chart's version. */}}
{{- define "omendb.podLabels" -}}
{{- $own := merge (include "omendb.selector" . | fromYaml) (include "omendb.identityLabels" .root | fromYaml) -}}
{{- toYaml (merge $own (.labels | default dict) .root.Values.commonLabels) -}}
{{- end -}}

{{/*
Metadata of (dict "root" $ "name" NAME "component" COMPONENT "annotations" MAP "labels" MAP): every object has the same.
*/}}
{{- define "omendb.metadata" -}}
name: {{ .name }}
namespace: {{ include "omendb.namespace" .root }}
labels:
  {{- include "omendb.labels" . | nindent 2 }}
{{- with merge (dict) (.annotations | default dict) .root.Values.commonAnnotations }}
annotations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
