module github.com/atrium-mesh/atrium/services/notifications

go 1.26.0

require (
	github.com/atrium-mesh/atrium/pkg v0.0.0
	github.com/atrium-mesh/atrium/services/auth v0.0.0
	github.com/atrium-mesh/atrium/services/users v0.0.0
)

replace github.com/atrium-mesh/atrium/pkg => ../../pkg

replace github.com/atrium-mesh/atrium/services/auth => ../auth

replace github.com/atrium-mesh/atrium/services/users => ../users
