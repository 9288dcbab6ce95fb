{{/* What the services read from files: secrets and certificates. */}}

{{- define "atrium.serviceMounts" -}}
- name: secrets
  mountPath: /etc/atrium/secrets
  readOnly: true
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
- name: secrets
  projected:
    defaultMode: 0440
    sources:
      {{- range include "atrium.secretFiles" . | fromYamlArray }}
      - secret:
          name: {{ .secret }}
          items:
            - {key: {{ .key }}, path: {{ .variable | lower | replace "_" "-" }}}
      {{- end }}
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
    defaultMode: 0440
    items:
      - {key: ca.crt, path: ca.crt}
{{- end }}
{{- if and (eq .root.Values.nats.mode "external") .root.Values.nats.external.caSecret }}
- name: nats-ca
  secret:
    secretName: {{ .root.Values.nats.external.caSecret }}
    defaultMode: 0440
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
