{{/* Mistakes that can be known before anything is installed, each in one sentence. NOTES.txt and every service include it. */}}

{{- define "atrium.validate" -}}
{{- if hasSuffix "/" .Values.publicURL -}}
{{- fail "publicURL must not end in a slash." -}}
{{- end -}}
{{- if not (regexMatch "^https?://[^/?#@]+$" .Values.publicURL) -}}
{{- fail "publicURL must be scheme, host and port alone, without a path, query, fragment or user, such as https://atrium.example.com." -}}
{{- end -}}
{{- if and (eq .Values.nats.mode "bundled") (not (has (int .Values.nats.bundled.replicas) (list 1 3))) -}}
{{- fail (printf "nats.bundled.replicas must be 1 or 3, not %v." .Values.nats.bundled.replicas) -}}
{{- end -}}
{{- if and (eq .Values.nats.mode "external") (not .Values.nats.external.url) -}}
{{- fail "nats.external.url is required with nats.mode external." -}}
{{- end -}}
{{- if not (or .Values.mail.existingSecret .Values.inbox.enabled) -}}
{{- fail "mail.existingSecret is required when inbox.enabled is false: there must be somewhere for mails to go." -}}
{{- end -}}
{{- /* Auth sends the mails with a link, notifications all others: what is set for one alone makes two kinds of mail. */}}
{{- range $one, $other := dict "auth" "notifications" "notifications" "auth" -}}
{{- range $name, $value := (index $.Values $one).env -}}
{{- if and (regexMatch "^(SMTP_.*|PRODUCT_.*|MAIL_FROM)$" $name) (ne (toString $value) (toString (dig $name "" (index $.Values $other).env))) -}}
{{- fail (printf "%s.env.%s must be set to the same in %s.env: both send mails." $one $name $other) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if lt (int .Values.shutdown.gracePeriod) (add .Values.shutdown.drainDelay .Values.shutdown.timeout | int) -}}
{{- fail "shutdown.gracePeriod must be at least shutdown.drainDelay and shutdown.timeout together." -}}
{{- end -}}
{{- range splitList " " (include "atrium.databases" .) -}}
{{- $own := index $.Values . -}}
{{- if and (eq $.Values.postgres.mode "external") (not (or $own.database.existingSecret $own.existingSecret)) -}}
{{- fail (printf "%s.database.existingSecret is required with postgres.mode external: a secret whose key %s is the URL of the database." . $own.database.key) -}}
{{- end -}}
{{- end -}}
{{- if and (eq .Values.nats.mode "external") .Values.nats.external.passwords -}}
{{- range splitList " " (include "atrium.services" .) -}}
{{- if not (index $.Values .).existingSecret -}}
{{- fail (printf "%s.existingSecret is required with nats.external.passwords: a secret whose key nats-password is the password of the user %s." . .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and (eq .Values.nats.mode "bundled") (not .Values.nats.bundled.existingSecret) -}}
{{- range splitList " " (include "atrium.services" .) -}}
{{- if (index $.Values .).existingSecret -}}
{{- fail (printf "nats.bundled.existingSecret is required with %s.existingSecret: a secret whose key secrets.conf has the passwords of all services, since NATS must know them; charts/atrium/README.md has its lines." .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if eq .Values.tls.mode "given" -}}
{{- range splitList " " (include "atrium.tlsComponents" .) -}}
{{- if not (index $.Values.tls.given .) -}}
{{- fail (printf "tls.given.%s is required with tls.mode given: a secret with tls.crt, tls.key and ca.crt." .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) -}}
{{- fail "httpRoute.parentRefs is required with httpRoute.enabled: the Gateway that the route belongs to." -}}
{{- end -}}
{{- range $way := list "ingress" "httpRoute" -}}
{{- if and (index $.Values $way).enabled (not $.Values.gateway.trustedProxies) -}}
{{- fail (printf "gateway.trustedProxies is required with %s.enabled: the addresses of the proxies in front, for example [10.0.40.0/28]. Without it all clients share one proxy's address and its rate limits." $way) -}}
{{- end -}}
{{- end -}}
{{- range .Values.gateway.trustedProxies -}}
{{- $bits := regexFind "/[0-9]+$" . | trimPrefix "/" -}}
{{- if and $bits (lt (int $bits) (ternary 32 12 (contains ":" .))) -}}
{{- fail (printf "gateway.trustedProxies must not hold %s: whoever has an address in it says which address a client has. Name the proxies' own network." .) -}}
{{- end -}}
{{- end -}}
{{- range $name, $digest := .Values.image.digests -}}
{{- if and $digest $.Values.image.tag -}}
{{- fail (printf "image.tag and image.digests.%s are both set, and the digest would decide: empty one of them." $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}
