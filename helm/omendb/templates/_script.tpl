{{/*
The rest of a pod that runs a script of files/scripts with the Node of the image: (dict "root" $ "name" "make-secret"
"env" LIST "apiServer" true), the last when it talks to the API server. Modules of the server can be imported from it.
*/}}
{{- define "omendb.scriptPod" -}}
{{- $ := .root -}}
{{- with include "omendb.pullSecrets" $ -}}
{{ . }}
{{ end -}}
securityContext:
  {{- toYaml $.Values.podSecurityContext | nindent 2 }}
{{- with $.Values.scheduling.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with include "omendb.tolerations" $ }}
tolerations:
  {{- . | nindent 2 }}
{{- end }}
containers:
  - name: {{ .name }}
    image: {{ include "omendb.image" $ }}
    imagePullPolicy: {{ $.Values.image.pullPolicy }}
    workingDir: /app
    command: [node, --input-type=module, --eval]
    args:
      - |
        {{- $.Files.Get (printf "files/scripts/%s.mjs" .name) | trim | nindent 8 }}
    env:
      {{- if .apiServer }}
      - name: NODE_EXTRA_CA_CERTS
        value: /var/run/secrets/kubernetes.io/serviceaccount/ca.crt
      {{- end }}
      {{- toYaml .env | nindent 6 }}
    resources:
      requests:
        cpu: 50m
        memory: 128Mi
        ephemeral-storage: 16Mi
      limits:
        cpu: 500m
        memory: 256Mi
        ephemeral-storage: 64Mi
    securityContext:
      {{- toYaml $.Values.containerSecurityContext | nindent 6 }}
{{- end -}}
