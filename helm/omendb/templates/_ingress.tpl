{{/*
What controllers of Ingress need to be told, by kind of controller and protocol: (dict "root" $ "protocol" "http").
*/}}
{{- define "omendb.ingressAnnotations" -}}
{{- $ingress := .root.Values.ingress -}}
{{- $found := dict -}}
{{- if and $ingress.tls.enabled $ingress.tls.clusterIssuer -}}
{{- $_ := set $found "cert-manager.io/cluster-issuer" $ingress.tls.clusterIssuer -}}
{{- end -}}
{{- if eq $ingress.controller "nginx" -}}
{{- $found = merge $found (include "omendb.ingressNginx" . | fromYaml) -}}
{{- else if eq $ingress.controller "aws" -}}
{{- $found = merge $found (include "omendb.ingressAws" . | fromYaml) -}}
{{- end -}}
{{- toYaml (merge (dict) (index $ingress .protocol).annotations $ingress.annotations $found) -}}
{{- end -}}

{{- define "omendb.ingressNginx" -}}
{{- $ingress := .root.Values.ingress -}}
nginx.ingress.kubernetes.io/backend-protocol: {{ upper .protocol | quote }}
nginx.ingress.kubernetes.io/ssl-redirect: {{ $ingress.tls.enabled | quote }}
# The server has limits of its own; the largest body of it is 64 MiB.
nginx.ingress.kubernetes.io/proxy-body-size: 64m
nginx.ingress.kubernetes.io/proxy-read-timeout: "75"
nginx.ingress.kubernetes.io/proxy-send-timeout: "75"
{{- with $ingress.rateLimit.requestsPerSecond }}
nginx.ingress.kubernetes.io/limit-rps: {{ . | quote }}
nginx.ingress.kubernetes.io/limit-burst-multiplier: {{ $ingress.rateLimit.burstMultiplier | quote }}
{{- end }}
{{- with $ingress.rateLimit.connections }}
nginx.ingress.kubernetes.io/limit-connections: {{ . | quote }}
{{- end }}
{{- end -}}

{{/* One load balancer for both objects. It asks gRPC's health service, and takes gRPC first where they share a host. */}}
{{- define "omendb.ingressAws" -}}
{{- $ingress := .root.Values.ingress -}}
{{- $server := include "omendb.server" .root -}}
alb.ingress.kubernetes.io/group.name: {{ printf "%s.%s" (include "omendb.namespace" .root) $server | quote }}
alb.ingress.kubernetes.io/target-type: ip
alb.ingress.kubernetes.io/load-balancer-attributes: idle_timeout.timeout_seconds=60
alb.ingress.kubernetes.io/target-group-attributes: deregistration_delay.timeout_seconds={{ .root.Values.termination.preStopSeconds }}
{{- if $ingress.tls.enabled }}
alb.ingress.kubernetes.io/listen-ports: '[{"HTTPS": 443}]'
alb.ingress.kubernetes.io/certificate-arn: {{ $ingress.tls.certificateArn | quote }}
{{- end }}
{{- with $ingress.wafAclArn }}
alb.ingress.kubernetes.io/wafv2-acl-arn: {{ . | quote }}
{{- end }}
{{- if eq .protocol "grpc" }}
alb.ingress.kubernetes.io/group.order: "1"
alb.ingress.kubernetes.io/backend-protocol-version: GRPC
alb.ingress.kubernetes.io/healthcheck-path: /grpc.health.v1.Health/Check
alb.ingress.kubernetes.io/success-codes: "0"
{{- if eq $ingress.host $ingress.grpc.host }}
alb.ingress.kubernetes.io/conditions.{{ $server }}: '[{"field":"http-header","httpHeaderConfig":{"httpHeaderName":"Content-Type","values":["application/grpc*"]}}]'
{{- end }}
{{- else }}
alb.ingress.kubernetes.io/group.order: "2"
alb.ingress.kubernetes.io/healthcheck-path: /health
{{- end }}
{{- end -}}
