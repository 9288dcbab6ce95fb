module github.com/atrium-mesh/atrium/test/e2e

go 1.26.0

require (
	github.com/atrium-mesh/atrium/pkg v0.0.0
	github.com/atrium-mesh/atrium/services/auth v0.0.0
	github.com/atrium-mesh/atrium/services/notifications v0.0.0
	github.com/atrium-mesh/atrium/services/users v0.0.0
	github.com/coder/websocket v1.8.15
	github.com/go-jose/go-jose/v4 v4.1.9
	github.com/google/uuid v1.6.0
	github.com/jackc/pgx/v5 v5.12.0
	github.com/nats-io/nats-server/v2 v2.15.2
	github.com/nats-io/nats.go v1.55.0
	github.com/stretchr/testify v1.12.1
	go.opentelemetry.io/proto/otlp v1.11.1
	google.golang.org/protobuf v1.36.12
)

require (
	github.com/chromedp/cdproto v0.159.0 // indirect
	github.com/chromedp/chromedp v0.23.0 // indirect
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
)

replace github.com/atrium-mesh/atrium/pkg => ../../pkg

replace github.com/atrium-mesh/atrium/services/auth => ../../services/auth

replace github.com/atrium-mesh/atrium/services/users => ../../services/users

replace github.com/atrium-mesh/atrium/services/notifications => ../../services/notifications
