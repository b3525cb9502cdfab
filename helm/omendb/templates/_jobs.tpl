{{/*
Jobs that read or write stores: backup, verify, restore.
*/}}

{{/* true when there is one, else empty. */}}
{{- define "omendb.jobs" -}}
{{- if or .Values.backup.enabled .Values.verify.enabled .Values.restore.enabled -}}true{{- end -}}
{{- end -}}

{{/* The volume of a StatefulSet's one pod that a job must read: the data when there is no bucket, else nothing. */}}
{{- define "omendb.jobVolume" -}}
{{- if not (or (include "omendb.bucket" .) (eq .Values.storage.medium "EmptyDir")) -}}
data-{{ include "omendb.server" . }}-0
{{- end -}}
{{- end -}}

{{/* A JobSpec of (dict "root" $ "name" "backup" "args" LIST "ownStore" true): ownStore when it needs the servers' data. */}}
{{- define "omendb.job" -}}
{{- $ := .root -}}
{{- $with := $.Values.backup -}}
{{- $claim := ternary (include "omendb.jobVolume" $) "" .ownStore -}}
backoffLimit: {{ $with.backoffLimit }}
activeDeadlineSeconds: {{ $with.activeDeadlineSeconds }}
ttlSecondsAfterFinished: {{ $with.ttlSecondsAfterFinished }}
podFailurePolicy:
  rules:
    # A node that is drained is no fault of the job.
    - action: Ignore
      onPodConditions:
        - type: DisruptionTarget
          status: "True"
    # A wrong setting or argument stays wrong.
    - action: FailJob
      onExitCodes:
        containerName: {{ .name }}
        operator: In
        values: [2]
template:
  metadata:
    labels:
      {{- include "omendb.podLabels" (dict "root" $ "component" "backup") | nindent 6 }}
    {{- with merge (dict) $with.podAnnotations $.Values.commonAnnotations }}
    annotations:
      {{- toYaml . | nindent 6 }}
    {{- end }}
  spec:
    restartPolicy: Never
    serviceAccountName: {{ include "omendb.serviceAccount.backup" $ }}
    automountServiceAccountToken: false
    enableServiceLinks: false
    {{- with include "omendb.pullSecrets" $ }}
    {{- . | nindent 4 }}
    {{- end }}
    securityContext:
      {{- toYaml $.Values.podSecurityContext | nindent 6 }}
    {{- if $claim }}
    # The volume can be used on one node at a time.
    affinity:
      podAffinity:
        requiredDuringSchedulingIgnoredDuringExecution:
          - topologyKey: kubernetes.io/hostname
            labelSelector:
              matchLabels:
                {{- include "omendb.selector" (dict "root" $ "component" "server") | nindent 16 }}
    {{- end }}
    {{- with $.Values.scheduling.nodeSelector }}
    nodeSelector:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    {{- with include "omendb.tolerations" $ }}
    tolerations:
      {{- . | nindent 6 }}
    {{- end }}
    containers:
      - name: {{ .name }}
        image: {{ include "omendb.image" $ }}
        imagePullPolicy: {{ $.Values.image.pullPolicy }}
        args:
          {{- toYaml .args | nindent 10 }}
        env:
          {{- include "omendb.env" (dict "root" $ "own" (include "omendb.jobEnv" $)) | nindent 10 }}
        {{- with $.Values.extraEnvFrom }}
        envFrom:
          {{- toYaml . | nindent 10 }}
        {{- end }}
        {{- with $with.resources }}
        resources:
          {{- toYaml . | nindent 10 }}
        {{- end }}
        securityContext:
          {{- toYaml $.Values.containerSecurityContext | nindent 10 }}
        volumeMounts:
          - name: tmp
            mountPath: /tmp
          {{- if $claim }}
          - name: data
            mountPath: {{ include "omendb.dataDir" $ }}
          {{- end }}
          {{- with $with.volumeMounts }}
          {{- toYaml . | nindent 10 }}
          {{- end }}
    volumes:
      - name: tmp
        emptyDir:
          sizeLimit: {{ $.Values.tmpSize }}
      {{- if $claim }}
      - name: data
        persistentVolumeClaim:
          claimName: {{ $claim }}
      {{- end }}
      {{- with $with.volumes }}
      {{- toYaml . | nindent 6 }}
      {{- end }}
{{- end -}}

{{/* Of the settings only what is about stores: a job needs no key and no engine. */}}
{{- define "omendb.jobEnv" -}}
{{- range $name, $value := merge (include "omendb.settings" . | fromYaml) (include "omendb.liveSettings" . | fromYaml) }}
{{- if regexMatch "^OMENDB_(OBJECT_STORE|S3_.*|RETENTION|LOG_LEVEL|DATA_DIR)$" $name }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end }}
{{- with include "omendb.nodeOptions" (dict "resources" .Values.backup.resources "share" 0.6 "options" .Values.nodeOptions) }}
- name: NODE_OPTIONS
  value: {{ . | quote }}
{{- end }}
{{- include "omendb.bucketEnv" . }}
{{- end -}}
