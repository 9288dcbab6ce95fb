// Package auth is the auth service as a value: what cmd/auth runs, and what `atrium up` runs beside the others.
package auth

import (
	"context"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/lifecycle"
	"github.com/atrium-mesh/atrium/pkg/service"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
	"github.com/atrium-mesh/atrium/services/auth/internal/app"
	authconfig "github.com/atrium-mesh/atrium/services/auth/internal/config"
)

// Option changes how auth is run.
type Option func(*app.Options)

// WithSetupLink tells whoever runs auth in their own process the link that makes the first administrator, or "" when there is one, once
// auth has started. No network leads to it.
func WithSetupLink(tell func(link string)) Option {
	return func(o *app.Options) { o.SetupLink = tell }
}

// Service is the auth service.
func Service(options ...Option) service.Definition {
	var o app.Options
	for _, option := range options {
		option(&o)
	}
	return service.Definition{
		Name: "auth", About: "who you are: accounts, passwords, sessions, tokens and roles.",
		Config: service.ConfigOf[authconfig.Config](),
		Build: func(ctx context.Context, src config.Source, tel *telemetry.Telemetry) (*lifecycle.Group, error) {
			return app.Build(ctx, src, tel, o)
		},
	}
}
