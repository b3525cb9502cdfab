{{/*
The rule files of files/rules, which are those of the repository's alerts: words such as $SELECTOR in them stand for
values.
*/}}

{{/* Labels that choose the series of this release. */}}
{{- define "omendb.series" -}}
job="{{ .Values.metrics.job }}",namespace="{{ include "omendb.namespace" . }}"
{{- end -}}

{{/* A text with its words replaced: (dict "root" . "text" TEXT "threshold" THRESHOLD). */}}
{{- define "omendb.fill" -}}
{{- $rule := .root.Values.metrics.prometheusRule -}}
{{- $scaling := .root.Values.autoscaling.customMetrics -}}
{{- $text := .text -}}
{{- range $word, $value := dict
  "$SELECTOR" (include "omendb.series" .root)
  "$JOB" .root.Values.metrics.job
  "$DEPLOYMENT" (printf "namespace=%q,deployment=%q" (include "omendb.namespace" .root) (include "omendb.server" .root))
  "$RUNBOOKS" $rule.runbookUrlPrefix
  "$DASHBOARDS" $rule.dashboardUrlPrefix
  "$AVAILABILITY" $rule.slo.availability
  "$LATENCY" $rule.slo.latency
  "$SLOW" $rule.slo.latencyBound
  "$CAP" (toString $scaling.latencyCap)
  "$FLOOR" (toString $scaling.latencyMinQueryRate)
  "$THRESHOLD" (toString .threshold) -}}
{{- $text = $text | replace $word $value -}}
{{- end -}}
{{- $text -}}
{{- end -}}

{{/* One rule as YAML, or nothing when its alert is off: (dict "root" $ "rule" RULE "defaults" DEFAULTS). */}}
{{- define "omendb.rule" -}}
{{- $root := .root -}}
{{- if .rule.record -}}
record: {{ .rule.record }}
expr: {{ include "omendb.fill" (dict "root" $root "text" .rule.expr "threshold" "") | toJson }}
{{- else -}}
{{- $with := $root.Values.metrics.prometheusRule -}}
{{- $theirs := get $with.alerts .rule.alert | default dict -}}
{{- $own := merge (dict) $theirs (get .defaults .rule.alert) -}}
{{- /* merge takes false for nothing. */ -}}
{{- if ternary $theirs.enabled (dig "enabled" true $own) (hasKey $theirs "enabled") -}}
{{- $threshold := $own.threshold | default "" -}}
alert: {{ .rule.alert }}
expr: {{ include "omendb.fill" (dict "root" $root "text" .rule.expr "threshold" $threshold) | toJson }}
{{- with $own.for }}
for: {{ . }}
{{- end }}
{{- with $own.keepFiringFor }}
keep_firing_for: {{ . }}
{{- end }}
labels:
  {{- toYaml (merge (dict "severity" $own.severity "service" "omendb") $with.alertLabels) | nindent 2 }}
annotations:
  {{- range $name, $text := .rule.annotations }}
  {{ $name }}: {{ include "omendb.fill" (dict "root" $root "text" $text "threshold" $threshold) | toJson }}
  {{- end }}
{{- end -}}
{{- end -}}
{{- end -}}
