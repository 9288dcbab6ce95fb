// Package users is the users service as a value: what cmd/users runs, and what `atrium up` runs beside the others.
package users

import (
	"github.com/atrium-mesh/atrium/pkg/service"
	"github.com/atrium-mesh/atrium/services/users/internal/app"
	"github.com/atrium-mesh/atrium/services/users/internal/config"
)

// Service is the users service.
func Service() service.Definition {
	return service.Definition{
		Name: "users", About: "who people are: profiles and what happens to them between being made and being erased.",
		Config: service.ConfigOf[config.Config](), Build: app.Build,
	}
}
