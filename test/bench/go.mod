module github.com/atrium-mesh/atrium/test/bench

go 1.26.0

require (
	github.com/atrium-mesh/atrium/pkg v0.0.0
	github.com/atrium-mesh/atrium/services/auth v0.0.0
	github.com/atrium-mesh/atrium/services/notifications v0.0.0
	github.com/atrium-mesh/atrium/services/users v0.0.0
	github.com/atrium-mesh/atrium/test/e2e v0.0.0
	github.com/stretchr/testify v1.12.1
)

replace github.com/atrium-mesh/atrium/pkg => ../../pkg

replace github.com/atrium-mesh/atrium/services/auth => ../../services/auth

replace github.com/atrium-mesh/atrium/services/users => ../../services/users

replace github.com/atrium-mesh/atrium/services/notifications => ../../services/notifications

replace github.com/atrium-mesh/atrium/test/e2e => ../e2e
