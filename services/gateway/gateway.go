// Package gateway is the gateway as a value: what cmd/gateway runs, and what `atrium up` runs beside the services.
package gateway

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/lifecycle"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/service"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
	"github.com/atrium-mesh/atrium/services/gateway/internal/app"
	gatewayconfig "github.com/atrium-mesh/atrium/services/gateway/internal/config"
	"github.com/atrium-mesh/atrium/services/gateway/internal/docs"
)

// Option changes what the gateway serves.
type Option func(*app.Own)

// WithHandler also serves h below prefix, a [http.ServeMux] pattern such as "/dev/". No service's path can be taken this way.
func WithHandler(prefix string, h http.Handler) Option {
	return func(own *app.Own) { own.Extras = append(own.Extras, app.Extra{Prefix: prefix, Handler: h}) }
}

// WithOwn puts a handler around everything that the gateway serves itself: what was mounted, the API reference, its health.
func WithOwn(wrap func(http.Handler) http.Handler) Option {
	return func(own *app.Own) { own.Wrap = wrap }
}

// Service is the gateway.
func Service(options ...Option) service.Definition {
	var own app.Own
	for _, o := range options {
		o(&own)
	}
	return service.Definition{
		Name: "gateway", About: "the one door of the mesh: OIDC validation, authorization, limits, routing, the API reference.",
		Config: service.ConfigOf[gatewayconfig.Config](),
		Build: func(ctx context.Context, src config.Source, tel *telemetry.Telemetry) (*lifecycle.Group, error) {
			return app.Build(ctx, src, tel, own)
		},
	}
}

// Operations are those of all services behind the gateway.
func Operations() []op.Declared { return app.Operations() }

// OpenAPI is the merged OpenAPI document. Server is the origin that clients call.
func OpenAPI(server string) *huma.OpenAPI { return docs.Document(server, app.Operations()) }
