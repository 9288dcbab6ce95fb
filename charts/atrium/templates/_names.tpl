{{/* Names and labels. Most helpers take a dict of root (the top-level context) and component (auth, nats, …). */}}

{{- define "atrium.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains "atrium" .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-atrium" (.Release.Name | trunc 33 | trimSuffix "-") -}}
{{- end -}}
{{- end -}}

{{/* atrium.name is the name of a component's objects. */}}
{{- define "atrium.name" -}}
{{- printf "%s-%s" (include "atrium.fullname" .root) .component -}}
{{- end -}}

{{- define "atrium.selectorLabels" -}}
app.kubernetes.io/name: atrium
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "atrium.labels" -}}
{{ include "atrium.selectorLabels" . }}
app.kubernetes.io/part-of: atrium
app.kubernetes.io/version: {{ .root.Values.image.tag | default .root.Chart.AppVersion | trunc 63 | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version | replace "+" "_" | trunc 63 }}
{{- end -}}

{{/* atrium.metadata is the metadata of an object that is called like its component. */}}
{{- define "atrium.metadata" -}}
name: {{ include "atrium.name" . }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "atrium.labels" . | nindent 2 }}
{{- end -}}

{{/* atrium.image is the image of a program of the mesh. A digest names exactly one image, whatever becomes of the tag before it. */}}
{{- define "atrium.image" -}}
{{- $image := .root.Values.image -}}
{{- printf "%s/%s:%s" $image.registry .component ($image.tag | default .root.Chart.AppVersion) -}}
{{- with index $image.digests .component }}@{{ . }}{{ end -}}
{{- end -}}

{{/* atrium.secretName is the secret of a service: the given one, or the one that the chart keeps. */}}
{{- define "atrium.secretName" -}}
{{- (index .root.Values .component).existingSecret | default (include "atrium.name" .) -}}
{{- end -}}

{{- define "atrium.services" -}}
auth users notifications gateway
{{- end -}}

{{- define "atrium.databases" -}}
auth users notifications
{{- end -}}

{{/* atrium.replicas is how many pods of a service there are at least. */}}
{{- define "atrium.replicas" -}}
{{- $own := index .root.Values .component -}}
{{- if $own.autoscaling.enabled -}}
{{- $own.autoscaling.minReplicas -}}
{{- else if kindIs "invalid" $own.replicas -}}
{{- .root.Values.replicas -}}
{{- else -}}
{{- $own.replicas -}}
{{- end -}}
{{- end -}}

{{/* atrium.inbox says whether the mail catcher runs: it is enabled, and no SMTP server is given. */}}
{{- define "atrium.inbox" -}}
{{- if and .Values.inbox.enabled (not .Values.mail.existingSecret) -}}true{{- end -}}
{{- end -}}

{{/* atrium.peer is a component as one end of a NetworkPolicy's arrow. */}}
{{- define "atrium.peer" -}}
- podSelector:
    matchLabels:
      {{- include "atrium.selectorLabels" . | nindent 6 }}
{{- end -}}

{{/* atrium.metricsPeers is who may read metrics: the release's namespace, the monitoring namespace, and whom the values add. */}}
{{- define "atrium.metricsPeers" -}}
- podSelector: {}
{{- with .Values.monitoring.namespace }}
- namespaceSelector:
    matchLabels:
      kubernetes.io/metadata.name: {{ . }}
{{- end }}
{{- with .Values.networkPolicy.metricsFrom }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* atrium.urlPort is the port that a URL leads to. */}}
{{- define "atrium.urlPort" -}}
{{- $url := urlParse . -}}
{{- regexFind "[0-9]+$" (regexFind ":[0-9]+$" $url.host) | default (ternary "443" "80" (eq $url.scheme "https")) -}}
{{- end -}}
