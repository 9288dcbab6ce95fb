// Package auth is the auth service as a value: what cmd/auth runs, and what `atrium up` runs beside the others.
package auth

import (
	"github.com/atrium-mesh/atrium/pkg/service"
	"github.com/atrium-mesh/atrium/services/auth/internal/app"
	"github.com/atrium-mesh/atrium/services/auth/internal/config"
)

// Service is the auth service.
func Service() service.Definition {
	return service.Definition{
		Name: "auth", About: "who you are: accounts, passwords, sessions, tokens and roles.",
		Config: service.ConfigOf[config.Config](), Build: app.Build,
	}
}
