{{/* Identity of the cloud of (list $ "server") or "backup", or nothing. */}}
{{- define "omendb.identity" -}}
{{- $root := index . 0 -}}
{{- ternary (default $root.Values.cloudIdentity.server $root.Values.cloudIdentity.backup) $root.Values.cloudIdentity.server (eq (index . 1) "backup") -}}
{{- end -}}

{{/* Annotations of the ServiceAccount that give it this identity, as a YAML map. */}}
{{- define "omendb.identityAnnotations" -}}
{{- $name := dict
  "irsa" "eks.amazonaws.com/role-arn"
  "gke" "iam.gke.io/gcp-service-account"
  "azure" "azure.workload.identity/client-id" -}}
{{- with get $name (index . 0).Values.cloudIdentity.provider -}}
{{ . }}: {{ include "omendb.identity" $ | quote }}
{{- else -}}
{}
{{- end -}}
{{- end -}}

{{/* Labels that pods need for it, as a YAML map. */}}
{{- define "omendb.identityLabels" -}}
{{- if eq .Values.cloudIdentity.provider "azure" -}}
azure.workload.identity/use: "true"
{{- else -}}
{}
{{- end -}}
{{- end -}}
