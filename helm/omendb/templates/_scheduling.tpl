{{/*
Where the servers' pods run.
*/}}
{{- define "omendb.scheduling" -}}
{{- $with := .Values.scheduling -}}
{{- with include "omendb.affinity" . -}}
affinity:
  {{- . | nindent 2 }}
{{ end -}}
{{- with include "omendb.spread" . -}}
topologySpreadConstraints:
  {{- . | nindent 2 }}
{{ end -}}
{{- with include "omendb.tolerations" . -}}
tolerations:
  {{- . | nindent 2 }}
{{ end -}}
{{- with $with.nodeSelector -}}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{ end -}}
{{- with $with.priorityClassName -}}
priorityClassName: {{ . }}
{{ end -}}
{{- with $with.schedulerName -}}
schedulerName: {{ . }}
{{ end -}}
{{- with $with.runtimeClassName -}}
runtimeClassName: {{ . }}
{{ end -}}
{{- end -}}

{{- define "omendb.spread" -}}
{{- range $topology, $how := dict "topology.kubernetes.io/zone" .Values.scheduling.zoneSpread "kubernetes.io/hostname" .Values.scheduling.nodeSpread }}
{{- if ne $how "none" }}
- maxSkew: 1
  topologyKey: {{ $topology }}
  whenUnsatisfiable: {{ ternary "DoNotSchedule" "ScheduleAnyway" (eq $how "hard") }}
  nodeTaintsPolicy: Honor
  labelSelector:
    matchLabels:
      {{- include "omendb.selector" (dict "root" $ "component" "server") | nindent 6 }}
  {{- if eq (include "omendb.kind" $) "Deployment" }}
  # Pods of the version before do not count, else an update ends up uneven.
  matchLabelKeys: [pod-template-hash]
  {{- end }}
{{- end }}
{{- end }}
{{- with .Values.scheduling.topologySpreadConstraints }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "omendb.affinity" -}}
{{- $with := .Values.scheduling -}}
{{- with include "omendb.nodeAffinity" . -}}
nodeAffinity:
  {{- . | nindent 2 }}
{{ end -}}
{{- if ne $with.podAntiAffinity "none" -}}
{{- $selector := include "omendb.selector" (dict "root" . "component" "server") -}}
podAntiAffinity:
  {{- if eq $with.podAntiAffinity "hard" }}
  requiredDuringSchedulingIgnoredDuringExecution:
    - topologyKey: kubernetes.io/hostname
      labelSelector:
        matchLabels:
          {{- $selector | nindent 10 }}
  {{- else }}
  preferredDuringSchedulingIgnoredDuringExecution:
    - weight: 100
      podAffinityTerm:
        topologyKey: kubernetes.io/hostname
        labelSelector:
          matchLabels:
            {{- $selector | nindent 12 }}
  {{- end }}
{{- end -}}
{{- end -}}

{{/* The user's rules, and a preference for the kind of capacity by the labels of Karpenter, EKS, GKE and AKS. */}}
{{- define "omendb.nodeAffinity" -}}
{{- $own := deepCopy .Values.scheduling.nodeAffinity -}}
{{- $kind := .Values.scheduling.spot.prefer -}}
{{- if ne $kind "none" -}}
{{- $preferred := get $own "preferredDuringSchedulingIgnoredDuringExecution" | default list -}}
{{- range $label, $values := dict
  "karpenter.sh/capacity-type" (dict "spot" "spot" "onDemand" "on-demand")
  "eks.amazonaws.com/capacityType" (dict "spot" "SPOT" "onDemand" "ON_DEMAND")
  "cloud.google.com/gke-spot" (dict "spot" "true")
  "kubernetes.azure.com/scalesetpriority" (dict "spot" "spot") -}}
{{- $operator := ternary "In" "NotIn" (hasKey $values $kind) -}}
{{- $match := dict "key" $label "operator" $operator "values" (list (get $values $kind | default (get $values "spot"))) -}}
{{- $preferred = append $preferred (dict "weight" 50 "preference" (dict "matchExpressions" (list $match))) -}}
{{- end -}}
{{- $_ := set $own "preferredDuringSchedulingIgnoredDuringExecution" $preferred -}}
{{- end -}}
{{- with $own }}{{ toYaml . }}{{ end -}}
{{- end -}}

{{- define "omendb.tolerations" -}}
{{- $all := .Values.scheduling.tolerations -}}
{{- if .Values.scheduling.spot.tolerate -}}
{{- range $key, $value := dict "karpenter.sh/capacity-type" "spot" "cloud.google.com/gke-spot" "true" "kubernetes.azure.com/scalesetpriority" "spot" -}}
{{- $all = append $all (dict "key" $key "operator" "Equal" "value" $value "effect" "NoSchedule") -}}
{{- end -}}
{{- end -}}
{{- with $all }}{{ toYaml . }}{{ end -}}
{{- end -}}
