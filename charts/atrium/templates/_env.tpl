{{/* Environment of the services. */}}

{{/* atrium.serviceEnv is what every service is told. own.env comes last, and wins. */}}
{{- define "atrium.serviceEnv" -}}
{{- $v := .root.Values -}}
{{- $tls := include "atrium.tlsOn" .root -}}
- name: HTTP_ADDR
  value: ":8080"
- name: ADMIN_ADDR
  value: ":9090"
- name: REPLICA
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
- name: ISSUER
  value: {{ $v.publicURL | quote }}
{{- if ne .component "auth" }}
- name: JWKS_URL
  value: {{ include "atrium.url" (dict "root" .root "component" "auth") }}/.well-known/jwks.json
{{- end }}
- name: DRAIN_DELAY
  value: {{ printf "%ds" (int $v.shutdown.drainDelay) }}
- name: SHUTDOWN_TIMEOUT
  value: {{ printf "%ds" (int $v.shutdown.timeout) }}
- name: LOG_LEVEL
  value: {{ $v.logLevel }}
{{- with include "atrium.memoryLimit" .own.resources }}
- name: GOMEMLIMIT
  value: {{ . }}
{{- end }}
{{- range include "atrium.secretFiles" . | fromYamlArray }}
- name: {{ .variable }}_FILE
  value: /etc/atrium/secrets/{{ .variable | lower | replace "_" "-" }}
{{- end }}
{{- include "atrium.natsEnv" . | nindent 0 }}
{{- if $tls }}
- name: TLS_CA_FILE
  value: /etc/atrium/tls/ca.crt
{{- end }}
{{- if eq (include "atrium.scheme" .) "https" }}
- name: TLS_CERT_FILE
  value: /etc/atrium/tls/tls.crt
- name: TLS_KEY_FILE
  value: /etc/atrium/tls/tls.key
{{- end }}
{{- with $v.telemetry.otlpEndpoint }}
- name: OTEL_EXPORTER_OTLP_ENDPOINT
  value: {{ . | quote }}
- name: OTEL_EXPORTER_OTLP_PROTOCOL
  value: {{ $v.telemetry.otlpProtocol }}
- name: OTEL_TRACES_SAMPLER
  value: parentbased_traceidratio
- name: OTEL_TRACES_SAMPLER_ARG
  value: {{ $v.telemetry.sampleRatio | quote }}
{{- end }}
{{- include (printf "atrium.env.%s" .component) . }}
{{- range $name, $value := .own.env }}
- name: {{ $name }}
  value: {{ $value | quote }}
{{- end }}
{{- end -}}

{{/*
atrium.secretFiles lists the secrets of a service: the variable that it reads as a file (VARIABLE_FILE), and where the value is. A secret in
the environment would be inherited by every child process, and be in what crash handlers print.
*/}}
{{- define "atrium.secretFiles" -}}
{{- $v := .root.Values -}}
{{- $own := index $v .component -}}
{{- $secret := include "atrium.secretName" . -}}
- {variable: SECRET_KEY, secret: {{ $secret }}, key: secret-key}
{{- if eq .component "auth" }}
{{- range $service := without (splitList " " (include "atrium.services" .root)) "auth" }}
{{- $of := include "atrium.secretName" (dict "root" $.root "component" $service) }}
- {variable: SERVICE_SECRET_{{ upper $service }}, secret: {{ $of }}, key: service-secret}
{{- /* While one is replaced. A file that is missing would be a mistake, so the variable is there when the key is. */}}
{{- if or (has $service $v.auth.serviceSecretsOld) (index ((lookup "v1" "Secret" $.root.Release.Namespace $of).data | default dict) "service-secret-old") }}
- {variable: SERVICE_SECRET_{{ upper $service }}_OLD, secret: {{ $of }}, key: service-secret-old}
{{- end }}
{{- end }}
{{- else }}
- {variable: SERVICE_SECRET, secret: {{ $secret }}, key: service-secret}
{{- end }}
{{- if include "atrium.natsSignsIn" .root }}
- {variable: NATS_PASSWORD, secret: {{ $secret }}, key: nats-password}
{{- end }}
{{- if has .component (splitList " " (include "atrium.databases" .)) }}
- {variable: DATABASE_URL, secret: {{ include "atrium.databaseSecret" . }}, key: {{ $own.database.key }}}
{{- end }}
{{- if and (eq .component "auth") $v.admin.email }}
- {variable: ADMIN_PASSWORD, secret: {{ $v.admin.existingSecret | default $secret }}, key: admin-password}
{{- end }}
{{- if and (has .component (list "auth" "notifications")) (not (include "atrium.inbox" .root)) }}
- {variable: SMTP_URL, secret: {{ $v.mail.existingSecret }}, key: smtp-url}
{{- end }}
{{- if and (eq .component "gateway") $v.redis.existingSecret }}
- {variable: REDIS_URL, secret: {{ $v.redis.existingSecret }}, key: redis-url}
{{- end }}
{{- if and $v.telemetry.otlpEndpoint $v.telemetry.existingSecret }}
- {variable: OTEL_EXPORTER_OTLP_HEADERS, secret: {{ $v.telemetry.existingSecret }}, key: otlp-headers}
{{- end }}
{{- end -}}

{{/* atrium.natsSignsIn says whether services sign in to NATS with a password. */}}
{{- define "atrium.natsSignsIn" -}}
{{- if or (eq .Values.nats.mode "bundled") .Values.nats.external.passwords -}}true{{- end -}}
{{- end -}}

{{- define "atrium.natsEnv" -}}
{{- $nats := .root.Values.nats -}}
{{- $bundled := eq $nats.mode "bundled" -}}
- name: NATS_URL
  value: {{ include "atrium.natsURL" .root | quote }}
{{- if include "atrium.natsSignsIn" .root }}
- name: NATS_USERNAME
  value: {{ .component }}
{{- end }}
{{- if and $bundled (include "atrium.tlsOn" .root) }}
- name: NATS_CA_FILE
  value: /etc/atrium/tls/ca.crt
{{- else if and (not $bundled) $nats.external.caSecret }}
- name: NATS_CA_FILE
  value: /etc/atrium/nats/ca.crt
{{- end }}
- name: NATS_STREAM_REPLICAS
  value: {{ ternary $nats.bundled.replicas $nats.external.streamReplicas $bundled | int | quote }}
{{- end -}}

{{/* atrium.natsURL names every node, so that a client that loses one goes to the next at once. */}}
{{- define "atrium.natsURL" -}}
{{- if eq .Values.nats.mode "external" -}}
{{- .Values.nats.external.url -}}
{{- else -}}
{{- $name := include "atrium.name" (dict "root" . "component" "nats") -}}
{{- $scheme := ternary "tls" "nats" (eq (include "atrium.tlsOn" .) "true") -}}
{{- $urls := list -}}
{{- if eq (int .Values.nats.bundled.replicas) 1 -}}
{{- $urls = append $urls (printf "%s://%s:4222" $scheme $name) -}}
{{- else -}}
{{- range until (int .Values.nats.bundled.replicas) -}}
{{- $urls = append $urls (printf "%s://%s-%d.%s-headless:4222" $scheme $name . $name) -}}
{{- end -}}
{{- end -}}
{{- join "," $urls -}}
{{- end -}}
{{- end -}}

{{- define "atrium.env.auth" -}}
{{- with .root.Values.admin }}
{{- if .email }}
- name: ADMIN_EMAIL
  value: {{ .email | quote }}
{{- end }}
{{- end }}
{{- with .own.passwordBreachURL }}
- name: PASSWORD_BREACH_URL
  value: {{ . | quote }}
{{- end }}
{{- include "atrium.mailEnv" . }}
{{- end -}}

{{- define "atrium.env.users" -}}
{{- end -}}

{{- define "atrium.env.notifications" }}
{{- include "atrium.mailEnv" . }}
{{- end -}}

{{/* atrium.mailEnv is for those who send mails: auth, those with a link that opens an account, and notifications, all others. */}}
{{- define "atrium.mailEnv" }}
- name: MAIL_FROM
  value: {{ .root.Values.mail.from | quote }}
{{- if include "atrium.inbox" .root }}
- name: SMTP_URL
  value: smtp://{{ include "atrium.name" (dict "root" .root "component" "inbox") }}:1025?tls=none
{{- end }}
{{- end -}}

{{- define "atrium.env.gateway" }}
{{- range $service := list "auth" "users" "notifications" }}
- name: {{ upper $service }}_URL
  value: {{ include "atrium.url" (dict "root" $.root "component" $service) }}
{{- end }}
{{- with .own.trustedProxies }}
- name: TRUSTED_PROXIES
  value: {{ join "," . | quote }}
{{- end }}
- name: RATE_LIMIT_SIGN_IN
  value: {{ .own.rateLimits.signIn | quote }}
- name: RATE_LIMIT_SIGN_UP
  value: {{ .own.rateLimits.signUp | quote }}
- name: RATE_LIMIT_API
  value: {{ .own.rateLimits.api | quote }}
{{- end -}}
