{{/* atrium.databaseURL is the URL of a service's database, where the chart knows it. */}}
{{- define "atrium.databaseURL" -}}
{{- $name := include "atrium.name" (dict "root" .root "component" "postgres") -}}
{{- $user := printf "atrium_%s" .component -}}
{{- if eq .root.Values.postgres.mode "cloudnativepg" -}}
{{- printf "postgres://%s:%s@%s-rw:5432/%s?sslmode=verify-full&sslrootcert=/etc/atrium/postgres/ca.crt" $user .password $name $user -}}
{{- else if include "atrium.tlsOn" .root -}}
{{- printf "postgres://%s:%s@%s:5432/%s?sslmode=verify-full&sslrootcert=/etc/atrium/tls/ca.crt" $user .password $name $user -}}
{{- else -}}
{{- printf "postgres://%s:%s@%s:5432/%s?sslmode=disable" $user .password $name $user -}}
{{- end -}}
{{- end -}}

{{/* atrium.databaseSecret is the secret with the URL of a service's database. */}}
{{- define "atrium.databaseSecret" -}}
{{- $own := index .root.Values .component -}}
{{- if $own.database.existingSecret -}}
{{- $own.database.existingSecret -}}
{{- else if and $own.existingSecret (ne .root.Values.postgres.mode "external") -}}
{{- include "atrium.name" . }}-database
{{- else -}}
{{- include "atrium.secretName" . -}}
{{- end -}}
{{- end -}}
