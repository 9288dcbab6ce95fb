// Package app is the gateway's composition root: every dependency in one place, and the order in which things start.
package app

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/url"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/lifecycle"
	"github.com/atrium-mesh/atrium/pkg/netaddr"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/ratelimit"
	"github.com/atrium-mesh/atrium/pkg/service"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
	"github.com/atrium-mesh/atrium/pkg/tlsfile"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	gateway "github.com/atrium-mesh/atrium/services/gateway/internal/config"
	"github.com/atrium-mesh/atrium/services/gateway/internal/pipeline"
	"github.com/atrium-mesh/atrium/services/gateway/internal/routes"
	"github.com/atrium-mesh/atrium/services/gateway/internal/upstream"
	notifications "github.com/atrium-mesh/atrium/services/notifications/api"
	users "github.com/atrium-mesh/atrium/services/users/api"
)

// Services are those behind the gateway, with what they declare.
func Services() []routes.Service {
	return []routes.Service{
		{Name: "auth", Operations: auth.Operations()},
		{Name: "users", Operations: users.Operations()},
		{Name: "notifications", Operations: notifications.Operations()},
	}
}

// Operations are those of all services.
func Operations() []op.Declared {
	var all []op.Declared
	for _, s := range Services() {
		all = append(all, s.Operations...)
	}
	return all
}

// Build composes the gateway.
func Build(ctx context.Context, src config.Source, tel *telemetry.Telemetry, more Own) (*lifecycle.Group, error) {
	cfg, err := config.Load[gateway.Config](src)
	if err != nil {
		return nil, err
	}
	cfg.JWKSURL = cmp.Or(cfg.JWKSURL, cfg.AuthURL.JoinPath("/.well-known/jwks.json").String())
	base, err := service.NewBase(ctx, cfg.Config, service.Options{
		Name: "gateway", Tel: tel, HTTP2: true,
		Calls: &service.Calls{Identity: cfg.Identity, Targets: []string{"auth", "users", "notifications"}, Exchange: auth.ServiceTokens},
	})
	if err != nil {
		return nil, err
	}
	roots, err := tlsfile.LoadRoots(cfg.TLS.CAFile, false, tel.Logger)
	if err != nil {
		return nil, fmt.Errorf("TLS_CA_FILE: %w", err)
	}
	table := routes.New(Services())
	proxy, err := upstream.New(upstream.Config{
		Services: map[string]*url.URL{"auth": cfg.AuthURL, "users": cfg.UsersURL, "notifications": cfg.NotificationsURL},
		Routes:   table.All(), Roots: roots, Identity: base.Identity,
		Tracer: tel.Tracer, Meter: tel.Meter, Propagator: tel.Propagator, Logger: tel.Logger,
	})
	if err != nil {
		return nil, err
	}
	base.Group.Add("upstream", proxy)
	front, err := newPipeline(cfg, base, table, proxy, more)
	if err != nil {
		return nil, err
	}
	base.WrapHTTP(func(http.Handler) http.Handler { return front })
	base.FollowWatermarks(auth.PollWatermarks(base.Caller))
	return base.Group, nil
}

func newPipeline(cfg gateway.Config, base *service.Base, table *routes.Table, proxy http.Handler, more Own) (http.Handler, error) {
	trusted, err := netaddr.ParseTrusted(cfg.TrustedProxies)
	if err != nil {
		return nil, fmt.Errorf("TRUSTED_PROXIES: %w", err)
	}
	limits, err := limiters(cfg, base)
	if err != nil {
		return nil, err
	}
	own, err := own(cfg, base.Health, more)
	if err != nil {
		return nil, err
	}
	origin, err := cfg.Origin()
	if err != nil {
		return nil, err
	}
	return pipeline.New(pipeline.Config{
		Logger: base.Tel.Logger, Tracer: base.Tel.Tracer, Meter: base.Tel.Meter, Propagator: base.Tel.Propagator,
		Routes: table, Verifier: base.Verifier, Watermarks: base.Watermarks, Redeem: redeemer(base.Caller),
		TrustedProxies: trusted, Origin: origin, Origins: cfg.CORSOrigins, Limits: limits, MaxBody: cfg.MaxBodyBytes,
		Upstream: proxy, Own: own, HSTS: cfg.HSTS(), LogClient: cfg.LogClientAddress.Name,
	})
}

// redeemer asks notifications for the access token that the ticket of a stream stands for.
func redeemer(caller *op.NATSCaller) func(context.Context, string) (string, error) {
	redeem := op.NATSClient(caller, notifications.RedeemStreamTicket)
	return func(ctx context.Context, ticket string) (string, error) {
		out, err := redeem(ctx, &notifications.RedeemStreamTicketRequest{Ticket: ticket})
		if err != nil {
			return "", err
		}
		return out.AccessToken, nil
	}
}

// limiters makes the rate limits, shared through Redis when there is one. A limit that is off is not there.
func limiters(cfg gateway.Config, base *service.Base) (map[op.Limit]pipeline.Limit, error) {
	var redis *ratelimit.Connection
	if cfg.RedisURL != "" {
		var err error
		if redis, err = ratelimit.Open(cfg.RedisURL); err != nil {
			return nil, fmt.Errorf("REDIS_URL: %w", err)
		}
		base.Group.Add("redis", redis)
	}
	out := map[op.Limit]pipeline.Limit{}
	for key, limit := range map[op.Limit]ratelimit.Limit{
		op.LimitSignIn: cfg.RateLimitSignIn, op.LimitSignUp: cfg.RateLimitSignUp, op.LimitAPI: cfg.RateLimitAPI,
	} {
		if limit.Off() {
			continue
		}
		name := cmp.Or(string(key), "api")
		l, err := ratelimit.New(ratelimit.Config{Name: name, Limit: limit, Redis: redis, Logger: base.Tel.Logger, Meter: base.Tel.Meter})
		if err != nil {
			return nil, err
		}
		out[key] = pipeline.Limit{Name: name, Limit: limit, Limiter: l}
	}
	return out, nil
}
