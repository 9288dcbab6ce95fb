{{/* TLS between the parts of the mesh. */}}

{{/* atrium.tls is the mode in force: cert-manager, generated, given or off. An install that generated its certificates stays so. */}}
{{- define "atrium.tls" -}}
{{- if ne .Values.tls.mode "auto" -}}
{{- .Values.tls.mode -}}
{{- else if lookup "v1" "Secret" .Release.Namespace (printf "%s-generated-ca" (include "atrium.fullname" .)) -}}
generated
{{- else if .Capabilities.APIVersions.Has "cert-manager.io/v1" -}}
cert-manager
{{- else -}}
generated
{{- end -}}
{{- end -}}

{{/* atrium.tlsOn is empty when nothing is encrypted. */}}
{{- define "atrium.tlsOn" -}}
{{- if ne (include "atrium.tls" .) "off" -}}true{{- end -}}
{{- end -}}

{{/* atrium.tlsSecret is the secret with tls.crt, tls.key and ca.crt of a component. */}}
{{- define "atrium.tlsSecret" -}}
{{- if eq (include "atrium.tls" .root) "given" -}}
{{- index .root.Values.tls.given .component -}}
{{- else -}}
{{- printf "%s-tls" (include "atrium.name" .) -}}
{{- end -}}
{{- end -}}

{{/* atrium.tlsComponents lists those that have a certificate. */}}
{{- define "atrium.tlsComponents" -}}
{{- include "atrium.services" . -}}
{{- if eq .Values.nats.mode "bundled" }} nats{{ end -}}
{{- if eq .Values.postgres.mode "bundled" }} postgres{{ end -}}
{{- end -}}

{{/* atrium.tlsNames is a JSON list of the names that a component is reached by. */}}
{{- define "atrium.tlsNames" -}}
{{- $ns := .root.Release.Namespace -}}
{{- $hosts := list (include "atrium.name" .) -}}
{{- if eq .component "nats" -}}
{{- $hosts = append $hosts (printf "*.%s-headless" (include "atrium.name" .)) -}}
{{- end -}}
{{- $names := list -}}
{{- range $host := $hosts -}}
{{- $names = concat $names (list $host (printf "%s.%s" $host $ns) (printf "%s.%s.svc" $host $ns) (printf "%s.%s.svc.%s" $host $ns $.root.Values.clusterDomain)) -}}
{{- end -}}
{{- append $names "localhost" | toJson -}}
{{- end -}}

{{/* atrium.scheme is that of the services' URLs; the gateway has its own switch. */}}
{{- define "atrium.scheme" -}}
{{- if not (include "atrium.tlsOn" .root) -}}http
{{- else if and (eq .component "gateway") (not .root.Values.gateway.tls.enabled) -}}http
{{- else -}}https
{{- end -}}
{{- end -}}

{{- define "atrium.url" -}}
{{- printf "%s://%s:8080" (include "atrium.scheme" .) (include "atrium.name" .) -}}
{{- end -}}
