{{/* Environment of the services. */}}

{{/* atrium.serviceEnv is what every service is told. own.env comes last, and wins. */}}
{{- define "atrium.serviceEnv" -}}
{{- $v := .root.Values -}}
{{- $tls := include "atrium.tlsOn" .root -}}
{{- $secret := include "atrium.secretName" . -}}
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
- name: JWKS_URL
  value: {{ include "atrium.url" (dict "root" .root "component" "auth") }}/.well-known/jwks.json
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
- name: SECRET_KEY
  valueFrom:
    secretKeyRef:
      name: {{ $secret }}
      key: secret-key
{{- include "atrium.serviceSecretEnv" . | nindent 0 }}
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
{{- if has .component (splitList " " (include "atrium.databases" .)) }}
- name: DATABASE_URL
  valueFrom:
    secretKeyRef:
      name: {{ include "atrium.databaseSecret" . }}
      key: {{ .own.database.key }}
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

{{/* atrium.serviceSecretEnv is what a service shows auth who it is by, and for auth what it knows each of them by. */}}
{{- define "atrium.serviceSecretEnv" -}}
{{- if eq .component "auth" -}}
{{- range $service := without (splitList " " (include "atrium.services" .root)) "auth" }}
- name: SERVICE_SECRET_{{ upper $service }}
  valueFrom:
    secretKeyRef:
      name: {{ include "atrium.secretName" (dict "root" $.root "component" $service) }}
      key: service-secret
- name: SERVICE_SECRET_{{ upper $service }}_OLD
  valueFrom:
    secretKeyRef:
      name: {{ include "atrium.secretName" (dict "root" $.root "component" $service) }}
      key: service-secret-old
      optional: true
{{- end }}
{{- else }}
- name: SERVICE_SECRET
  valueFrom:
    secretKeyRef:
      name: {{ include "atrium.secretName" . }}
      key: service-secret
{{- end }}
{{- end -}}

{{- define "atrium.natsEnv" -}}
{{- $nats := .root.Values.nats -}}
{{- $bundled := eq $nats.mode "bundled" -}}
- name: NATS_URL
  value: {{ include "atrium.natsURL" .root | quote }}
{{- if or $bundled $nats.external.passwords }}
- name: NATS_USERNAME
  value: {{ .component }}
- name: NATS_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ include "atrium.secretName" . }}
      key: nats-password
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
- name: ADMIN_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ .existingSecret | default (include "atrium.secretName" $) }}
      key: admin-password
{{- end }}
{{- end }}
{{- end -}}

{{- define "atrium.env.users" -}}
{{- end -}}

{{- define "atrium.env.notifications" }}
- name: MAIL_FROM
  value: {{ .root.Values.mail.from | quote }}
- name: SMTP_URL
  {{- if include "atrium.inbox" .root }}
  value: smtp://{{ include "atrium.name" (dict "root" .root "component" "inbox") }}:1025?tls=none
  {{- else }}
  valueFrom:
    secretKeyRef:
      name: {{ .root.Values.mail.existingSecret }}
      key: smtp-url
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
{{- with .root.Values.redis.existingSecret }}
- name: REDIS_URL
  valueFrom:
    secretKeyRef:
      name: {{ . }}
      key: redis-url
{{- end }}
{{- end -}}
