// Package notifications is the notifications service as a value: what cmd/notifications runs, and what `atrium up` runs beside the others.
package notifications

import (
	"github.com/atrium-mesh/atrium/pkg/service"
	"github.com/atrium-mesh/atrium/services/notifications/internal/app"
	"github.com/atrium-mesh/atrium/services/notifications/internal/config"
)

// Service is the notifications service.
func Service() service.Definition {
	return service.Definition{
		Name: "notifications", About: "telling people: e-mails, notifications in the app, and their live stream.",
		Config: service.ConfigOf[config.Config](), Build: app.Build,
	}
}
