{{- define "omendb.apiPorts" -}}
- protocol: TCP
  port: http
- protocol: TCP
  port: grpc
{{- end -}}

{{/* One rule of (dict "peers" LIST "ports" LIST), or nothing without peers: a rule without peers would allow all. */}}
{{- define "omendb.egressTo" -}}
{{- if .peers -}}
- to:
    {{- toYaml .peers | nindent 4 }}
  ports:
    {{- range $port := .ports }}
    {{- range $protocol := $.protocols | default (list "TCP") }}
    - protocol: {{ $protocol }}
      port: {{ $port }}
    {{- end }}
    {{- end }}
{{- end -}}
{{- end -}}

{{/* What servers and backups may connect to. */}}
{{- define "omendb.egress" -}}
{{- $egress := .Values.networkPolicy.egress -}}
{{- $rules := list
  (include "omendb.egressTo" (dict "peers" $egress.dns "protocols" (list "UDP" "TCP") "ports" (list 53)))
  (include "omendb.egressTo" $egress.objectStore) -}}
{{- if eq .Values.cloudIdentity.provider "podIdentity" -}}
{{- $agent := list (dict "ipBlock" (dict "cidr" "169.254.170.23/32")) (dict "ipBlock" (dict "cidr" "fd00:ec2::23/128")) -}}
{{- $rules = append $rules (include "omendb.egressTo" (dict "peers" $agent "ports" (list 80))) -}}
{{- end -}}
{{- with $egress.extra -}}
{{- $rules = append $rules (toYaml .) -}}
{{- end -}}
{{- $rules | compact | join "\n" -}}
{{- end -}}
