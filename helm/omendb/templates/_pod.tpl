{{/*
The pod of a server, the same in a Deployment and a StatefulSet.
*/}}
{{- define "omendb.pod" -}}
{{- $part := dict "root" . "component" "server" -}}
metadata:
  labels:
    {{- include "omendb.podLabels" (merge (dict "labels" .Values.podLabels) $part) | nindent 4 }}
  annotations:
    # A change of these settings replaces the pods.
    checksum/settings: {{ include "omendb.settings" . | sha256sum }}
    {{- toYaml (merge (dict) (omit .Values.podAnnotations "checksum/settings") .Values.commonAnnotations (dict "kubectl.kubernetes.io/default-container" "omendb")) | nindent 4 }}
spec:
  serviceAccountName: {{ include "omendb.serviceAccount.server" . }}
  automountServiceAccountToken: false
  # Services whose names begin with omendb would become variables that look like settings.
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ .Values.termination.gracePeriodSeconds }}
  {{- with include "omendb.pullSecrets" . }}
  {{- . | nindent 2 }}
  {{- end }}
  securityContext:
    {{- toYaml .Values.podSecurityContext | nindent 4 }}
  {{- include "omendb.scheduling" . | nindent 2 }}
  {{- with .Values.hostAliases }}
  hostAliases:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.dnsPolicy }}
  dnsPolicy: {{ . }}
  {{- end }}
  {{- with .Values.dnsConfig }}
  dnsConfig:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.initContainers }}
  initContainers:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  containers:
    - name: omendb
      image: {{ include "omendb.image" . }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args: [serve]
      envFrom:
        - configMapRef:
            name: {{ include "omendb.server" . }}
        {{- with .Values.extraEnvFrom }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      env:
        {{- include "omendb.env" (dict "root" . "own" (include "omendb.serverEnv" .)) | nindent 8 }}
      ports:
        - name: http
          containerPort: {{ include "omendb.port" (list . "http") }}
        - name: grpc
          containerPort: {{ include "omendb.port" (list . "grpc") }}
        - name: ops
          containerPort: {{ include "omendb.port" (list . "ops") }}
      startupProbe:
        httpGet:
          path: /startupz
          port: ops
        {{- toYaml .Values.probes.startup | nindent 8 }}
      livenessProbe:
        httpGet:
          path: /livez
          port: ops
        {{- toYaml .Values.probes.liveness | nindent 8 }}
      readinessProbe:
        httpGet:
          path: /readyz
          port: ops
        {{- toYaml .Values.probes.readiness | nindent 8 }}
      {{- with .Values.termination.preStopSeconds }}
      lifecycle:
        preStop:
          sleep:
            seconds: {{ . }}
      {{- end }}
      {{- with .Values.resources }}
      resources:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      securityContext:
        {{- toYaml .Values.containerSecurityContext | nindent 8 }}
      volumeMounts:
        - name: data
          mountPath: {{ include "omendb.dataDir" . }}
        - name: tmp
          mountPath: /tmp
        # Whole folders: a single file of one would never change.
        - name: settings
          mountPath: /etc/omendb
          readOnly: true
        - name: secrets
          mountPath: /run/secrets/omendb
          readOnly: true
        {{- if .Values.tracing.headersSecret.name }}
        - name: tracing
          mountPath: /run/secrets/omendb-tracing
          readOnly: true
        {{- end }}
        {{- with .Values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
    {{- with .Values.sidecars }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  volumes:
    {{- include "omendb.serverVolumes" . | nindent 4 }}
{{- end -}}

{{- define "omendb.serverEnv" -}}
- name: OMENDB_CONFIG_FILE
  value: /etc/omendb/settings.yaml
- name: OMENDB_JWT_SECRET_FILE
  value: /run/secrets/omendb/jwt-secret
- name: OMENDB_POD_NAME
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: OMENDB_POD_NAMESPACE
  valueFrom:
    fieldRef:
      fieldPath: metadata.namespace
- name: OMENDB_NODE_NAME
  valueFrom:
    fieldRef:
      fieldPath: spec.nodeName
{{- with include "omendb.nodeOptions" (dict "resources" .Values.resources "share" .Values.memory.heapShare "options" .Values.nodeOptions) }}
- name: NODE_OPTIONS
  value: {{ . | quote }}
{{- end }}
{{- if .Values.tracing.headersSecret.name }}
- name: OTEL_EXPORTER_OTLP_HEADERS_FILE
  value: /run/secrets/omendb-tracing/headers
{{- end }}
{{- include "omendb.bucketEnv" . }}
{{- end -}}

{{/* Variables for access to the bucket, which jobs need too. */}}
{{- define "omendb.bucketEnv" -}}
{{- with .Values.s3.region }}
- name: AWS_REGION
  value: {{ . | quote }}
{{- end }}
{{- with .Values.s3.credentials }}
{{- if .secretName }}
- name: AWS_ACCESS_KEY_ID
  valueFrom:
    secretKeyRef:
      name: {{ .secretName }}
      key: {{ .accessKeyIdKey }}
- name: AWS_SECRET_ACCESS_KEY
  valueFrom:
    secretKeyRef:
      name: {{ .secretName }}
      key: {{ .secretAccessKeyKey }}
{{- end }}
{{- end }}
{{- end -}}

{{/* Variables of (dict "root" $ "own" TEXT): those of the user replace the chart's. A name must not come twice. */}}
{{- define "omendb.env" -}}
{{- $theirs := .root.Values.extraEnv -}}
{{- $names := list -}}
{{- range $theirs -}}
{{- $names = append $names .name -}}
{{- end -}}
{{- $all := list -}}
{{- range .own | fromYamlArray -}}
{{- if not (has .name $names) -}}
{{- $all = append $all . -}}
{{- end -}}
{{- end -}}
{{- toYaml (concat $all $theirs) -}}
{{- end -}}

{{- define "omendb.serverVolumes" -}}
{{- if eq .Values.storage.medium "EmptyDir" -}}
- name: data
  emptyDir:
    sizeLimit: {{ .Values.storage.size }}
{{ else if eq (include "omendb.kind" .) "Deployment" -}}
- name: data
  ephemeral:
    volumeClaimTemplate:
      {{- include "omendb.claim" . | nindent 6 }}
{{ end -}}
- name: tmp
  emptyDir:
    sizeLimit: {{ .Values.tmpSize }}
- name: settings
  configMap:
    name: {{ include "omendb.server" . }}-live
- name: secrets
  secret:
    secretName: {{ include "omendb.authSecret" . }}
    # 0440: readable by the group of the pod.
    defaultMode: 288
    items:
      - key: {{ .Values.auth.secretKey }}
        path: jwt-secret
{{- with .Values.tracing.headersSecret }}
{{- if .name }}
- name: tracing
  secret:
    secretName: {{ .name }}
    defaultMode: 288
    items:
      - key: {{ .key }}
        path: headers
{{- end }}
{{- end }}
{{- with .Values.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/*
Metadata and spec of a claim for the data volume. In a StatefulSet none of it may change, so nothing is in it that
other values decide.
*/}}
{{- define "omendb.claim" -}}
metadata:
  labels:
    {{- include "omendb.selector" (dict "root" . "component" "server") | nindent 4 }}
  {{- with .Values.storage.annotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  accessModes:
    {{- toYaml .Values.storage.accessModes | nindent 4 }}
  {{- with default .Values.global.storageClass .Values.storage.storageClassName }}
  storageClassName: {{ . }}
  {{- end }}
  {{- with .Values.storage.volumeAttributesClassName }}
  volumeAttributesClassName: {{ . }}
  {{- end }}
  resources:
    requests:
      storage: {{ .Values.storage.size }}
{{- end -}}
