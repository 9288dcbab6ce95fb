{{/* What the services read from files: certificates. */}}

{{- define "atrium.serviceMounts" -}}
{{- if include "atrium.tlsOn" .root }}
- name: tls
  mountPath: /etc/atrium/tls
  readOnly: true
{{- end }}
{{- if include "atrium.databaseCA" . }}
- name: postgres-ca
  mountPath: /etc/atrium/postgres
  readOnly: true
{{- end }}
{{- if and (eq .root.Values.nats.mode "external") .root.Values.nats.external.caSecret }}
- name: nats-ca
  mountPath: /etc/atrium/nats
  readOnly: true
{{- end }}
{{- end -}}

{{- define "atrium.serviceVolumes" -}}
{{- if include "atrium.tlsOn" .root }}
- name: tls
  secret:
    secretName: {{ include "atrium.tlsSecret" . }}
    defaultMode: 0440
{{- end }}
{{- with include "atrium.databaseCA" . }}
- name: postgres-ca
  secret:
    secretName: {{ . }}
    items:
      - {key: ca.crt, path: ca.crt}
{{- end }}
{{- if and (eq .root.Values.nats.mode "external") .root.Values.nats.external.caSecret }}
- name: nats-ca
  secret:
    secretName: {{ .root.Values.nats.external.caSecret }}
    items:
      - {key: ca.crt, path: ca.crt}
{{- end }}
{{- end -}}

{{/* atrium.databaseCA is the secret that vouches for a PostgreSQL which has no certificate of ours. */}}
{{- define "atrium.databaseCA" -}}
{{- if has .component (splitList " " (include "atrium.databases" .)) -}}
{{- if eq .root.Values.postgres.mode "cloudnativepg" -}}
{{- include "atrium.name" (dict "root" .root "component" "postgres") }}-ca
{{- else if eq .root.Values.postgres.mode "external" -}}
{{- .root.Values.postgres.external.caSecret -}}
{{- end -}}
{{- end -}}
{{- end -}}
