{{- define "tidegate.name" -}}
{{- if contains .Chart.Name .Release.Name -}}
{{- .Release.Name | trunc 52 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name .Chart.Name | trunc 52 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "tidegate.selector" -}}
app.kubernetes.io/name: {{ .Chart.Name }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "tidegate.labels" -}}
{{ include "tidegate.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end -}}

{{- define "tidegate.secret" -}}
{{- .Values.existingSecret | default (printf "%s-environment" (include "tidegate.name" .)) -}}
{{- end -}}

{{- define "tidegate.drain" -}}
{{- dig "server" "drain_timeout_seconds" 30 .Values.config | ceil | int -}}
{{- end -}}

{{- define "tidegate.locked" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{/* What would break quietly is refused aloud. */}}
{{- define "tidegate.checked" -}}
{{- if or (gt (int .Values.replicas) 1) .Values.autoscaling.enabled -}}
{{- if not (dig "cluster" "url" "" .Values.config) -}}
{{- fail "several gates without config.cluster.url would each spend the whole quota: name a Redis or Valkey, or set replicas to 1 and autoscaling.enabled to false" -}}
{{- end -}}
{{- if not (hasPrefix "postgres" (dig "ledger" "database" "" .Values.config)) -}}
{{- fail "several gates without a PostgreSQL in config.ledger.database would each have keys and a ledger of their own: name one, or set replicas to 1 and autoscaling.enabled to false" -}}
{{- end -}}
{{- end -}}
{{- end -}}
