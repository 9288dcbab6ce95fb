{{/*
atrium.nats.conf is nats.conf. Each service is a user who may do what its code does and nothing else; test/chart asks a real server
whether that is so for every operation and event of the mesh. The variables $NATS_… are passwords, and routes with one; they are in
secrets.conf, which a Secret holds and the pod mounts beside it.
*/}}
{{- define "atrium.nats.conf" -}}
{{- $name := include "atrium.name" (dict "root" . "component" "nats") -}}
{{- $tls := include "atrium.tlsOn" . -}}
{{- $replicas := int .Values.nats.bundled.replicas -}}
include secrets.conf

server_name: $POD_NAME
port: 4222
http_port: 8222
pid_file: /var/run/nats/nats.pid
max_payload: 1MB
ping_interval: 10s
ping_max: 2
{{- if gt $replicas 1 }}
# At a stop, clients are sent to other nodes over lame_duck_duration.
lame_duck_grace_period: 2s
lame_duck_duration: 30s
{{- end }}

jetstream {
  store_dir: /data
  max_file_store: {{ .Values.nats.bundled.storage.size }}
  max_memory_store: 64MB
}
{{- if $tls }}

tls {
  cert_file: /etc/atrium/tls/tls.crt
  key_file: /etc/atrium/tls/tls.key
  ca_file: /etc/atrium/tls/ca.crt
}
{{- end }}
{{- if gt $replicas 1 }}

cluster {
  name: {{ $name }}
  port: 6222
  no_advertise: true
  authorization { user: cluster, password: $NATS_PASSWORD_CLUSTER, timeout: 5 }
  routes: [
    {{- range until $replicas }}
    $NATS_ROUTE_{{ . }}
    {{- end }}
  ]
  {{- if $tls }}
  tls {
    cert_file: /etc/atrium/tls/tls.crt
    key_file: /etc/atrium/tls/tls.key
    ca_file: /etc/atrium/tls/ca.crt
    verify: true
    timeout: 5
  }
  {{- end }}
}
{{- end }}

authorization {
  timeout: 5
  users: [
    {{- range $user := splitList " " (include "atrium.services" .) }}
    {{- $may := include "atrium.nats.permissions" $user | fromYaml }}
    {
      user: {{ $user }}, password: $NATS_PASSWORD_{{ upper $user }}
      permissions: {
        publish: { allow: [
          {{- range $may.publish }}
          {{ . | quote }}
          {{- end }}
        ] }
        subscribe: { allow: [
          {{- range $may.subscribe }}
          {{ . | quote }}
          {{- end }}
        ] }
        {{- if $may.answers }}
        allow_responses: { max: 1, expires: "1m" }
        {{- end }}
      }
    }
    {{- end }}
  ]
}
{{- end -}}

{{/* atrium.nats.secrets is secrets.conf: a variable for each password that nats.conf has a use for. passwords is a dict by user. */}}
{{- define "atrium.nats.secrets" -}}
{{- $name := include "atrium.name" (dict "root" .root "component" "nats") -}}
{{- $replicas := int .root.Values.nats.bundled.replicas -}}
{{- range splitList " " (include "atrium.services" .root) }}
NATS_PASSWORD_{{ upper . }}: {{ index $.passwords . | quote }}
{{- end }}
{{- if gt $replicas 1 }}
NATS_PASSWORD_CLUSTER: {{ .passwords.cluster | quote }}
{{- range until $replicas }}
NATS_ROUTE_{{ . }}: "nats-route://cluster:{{ urlquery $.passwords.cluster }}@{{ $name }}-{{ . }}.{{ $name }}-headless:6222"
{{- end }}
{{- end }}
{{- end -}}

{{/*
Only auth makes and changes streams: whoever may change one may have it copy whatever it can name, answers to others among it, to wherever
they listen.
*/}}
{{/* atrium.nats.calls is which operations of other services a service calls, and which streams it consumes. */}}
{{- define "atrium.nats.relations" -}}
auth:
  stream: AUTH
  keeps: [AUTH, USERS, NOTIFICATIONS]
  consumes: [USERS]
  calls: []
users:
  stream: USERS
  consumes: [AUTH]
  calls:
    - rpc.auth.activate-account
    - rpc.auth.create-account
    - rpc.auth.deactivate-account
    - rpc.auth.delete-account
    - rpc.auth.erase-account
    - rpc.auth.get-account
    - rpc.auth.issue-service-token
    - rpc.auth.list-watermarks
    - rpc.auth.may-edit-account
    - rpc.auth.restore-account
notifications:
  stream: NOTIFICATIONS
  consumes: [AUTH, USERS]
  calls: [rpc.auth.issue-service-token, rpc.auth.announce-link, rpc.auth.list-watermarks, rpc.auth.send-link]
  live: [live.notifications.*]
gateway:
  consumes: []
  calls: [rpc.auth.issue-service-token, rpc.auth.list-watermarks, rpc.notifications.redeem-stream-ticket]
{{- end -}}

{{/* atrium.nats.permissions is what a service may publish and subscribe, as YAML. */}}
{{- define "atrium.nats.permissions" -}}
{{- $user := . -}}
{{- $does := index (include "atrium.nats.relations" . | fromYaml) $user -}}
{{- $publish := concat list $does.calls ($does.live | default list) -}}
{{- $subscribe := concat (list (printf "_INBOX_%s.>" $user) "events.auth.watermark.raised.v1") ($does.live | default list) -}}
{{- with $does.stream -}}
{{- $subscribe = append $subscribe (printf "rpc.%s.> %s" $user $user) -}}
{{- $publish = append $publish (printf "events.%s.>" $user) -}}
{{- $publish = append $publish (printf "$JS.API.STREAM.INFO.%s" $does.stream) -}}
{{- end -}}
{{- range $stream := $does.keeps -}}
{{- range list "CREATE" "UPDATE" "INFO" -}}
{{- $publish = append $publish (printf "$JS.API.STREAM.%s.%s" . $stream) -}}
{{- end -}}
{{- end -}}
{{- range $stream := $does.consumes -}}
{{- range list "CREATE" "INFO" "MSG.NEXT" "RESET" -}}
{{- $publish = append $publish (printf "$JS.API.CONSUMER.%s.%s.%s" . $stream $user) -}}
{{- end -}}
{{- $publish = append $publish (printf "$JS.API.CONSUMER.CREATE.%s.%s.>" $stream $user) -}}
{{- $publish = append $publish (printf "$JS.ACK.%s.%s.>" $stream $user) -}}
{{- end -}}
publish: {{ $publish | toJson }}
subscribe: {{ $subscribe | toJson }}
answers: {{ not (empty $does.stream) }}
{{- end -}}
