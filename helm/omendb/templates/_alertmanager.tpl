{{/* Matchers of Alertmanager, such as severity=~"warning|info", as the operator writes them. */}}
{{- define "omendb.matchers" -}}
{{- range . }}
- name: {{ regexFind "^[a-z_]+" . }}
  matchType: {{ regexFind "(=~|!~|!=|=)" . | quote }}
  value: {{ regexReplaceAll `^[^"]*"(.*)"$` . "${1}" | quote }}
{{- end }}
{{- end -}}

{{/* How a receiver is told: (dict "with" VALUES "secret" NAME "receivers" LIST), the last for the texts. */}}
{{- define "omendb.receiver" -}}
{{- $key := dict "name" .secret "key" .with.key -}}
{{- if eq .with.type "pagerduty" -}}
{{- $texts := index (index .receivers 0).pagerduty_configs 0 -}}
pagerdutyConfigs:
  - sendResolved: true
    routingKey:
      {{- toYaml $key | nindent 6 }}
    severity: {{ $texts.severity }}
    description: {{ $texts.description | toJson }}
    pagerDutyLinkConfigs:
      {{- range $texts.links }}
      - href: {{ .href | toJson }}
        alt: {{ .text }}
      {{- end }}
{{- else if eq .with.type "slack" -}}
{{- $texts := index (index .receivers 1).slack_configs 0 -}}
slackConfigs:
  - sendResolved: true
    apiURL:
      {{- toYaml $key | nindent 6 }}
    channel: {{ .with.channel | quote }}
    title: {{ $texts.title | toJson }}
    text: {{ $texts.text | toJson }}
{{- else -}}
webhookConfigs:
  - sendResolved: true
    urlSecret:
      {{- toYaml $key | nindent 6 }}
{{- end -}}
{{- end -}}
