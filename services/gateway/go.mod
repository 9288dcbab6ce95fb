module github.com/atrium-mesh/atrium/services/gateway

go 1.26.0

require (
	github.com/atrium-mesh/atrium/pkg v0.0.0
	github.com/atrium-mesh/atrium/services/auth v0.0.0
	github.com/atrium-mesh/atrium/services/notifications v0.0.0
	github.com/atrium-mesh/atrium/services/users v0.0.0
)

require (
	github.com/coder/websocket v1.8.15
	github.com/danielgtaylor/huma/v2 v2.37.2 // indirect
	github.com/gorilla/mux v1.8.1 // indirect
	github.com/mvrilo/go-redoc v0.1.5 // indirect
	github.com/rs/cors v1.11.1 // indirect
	github.com/sony/gobreaker/v2 v2.4.0 // indirect
	github.com/stretchr/testify v1.12.1 // indirect
	github.com/swaggest/swgui v1.8.5 // indirect
	github.com/vearutop/statigz v1.4.0
)

replace github.com/atrium-mesh/atrium/pkg => ../../pkg

replace github.com/atrium-mesh/atrium/services/auth => ../auth

replace github.com/atrium-mesh/atrium/services/users => ../users

replace github.com/atrium-mesh/atrium/services/notifications => ../notifications
