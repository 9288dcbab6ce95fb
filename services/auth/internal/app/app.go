// Package app is the composition root of auth: every dependency in one place, and the order in which things start.
package app

import (
	"context"
	"fmt"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/lifecycle"
	"github.com/atrium-mesh/atrium/pkg/page"
	"github.com/atrium-mesh/atrium/pkg/service"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
	"github.com/atrium-mesh/atrium/services/auth/internal/accounts"
	authconfig "github.com/atrium-mesh/atrium/services/auth/internal/config"
	"github.com/atrium-mesh/atrium/services/auth/internal/keys"
	"github.com/atrium-mesh/atrium/services/auth/internal/links"
	"github.com/atrium-mesh/atrium/services/auth/internal/password"
	"github.com/atrium-mesh/atrium/services/auth/internal/revocation"
	"github.com/atrium-mesh/atrium/services/auth/internal/sessions"
	"github.com/atrium-mesh/atrium/services/auth/internal/store"
	"github.com/atrium-mesh/atrium/services/auth/internal/store/migrations"
	"github.com/atrium-mesh/atrium/services/auth/internal/throttle"
	"github.com/atrium-mesh/atrium/services/auth/internal/tokens"
	"github.com/atrium-mesh/atrium/services/auth/internal/watermarks"
)

// Build composes the service.
func Build(ctx context.Context, src config.Source, tel *telemetry.Telemetry) (*lifecycle.Group, error) {
	cfg, err := config.Load[authconfig.Config](src)
	if err != nil {
		return nil, err
	}
	cfg = cfg.WithDefaults()
	base, err := service.NewBase(ctx, cfg.Config, service.Options{
		Name: "auth", Tel: tel, Database: &cfg.Database, Migrations: migrations.FS, Stream: "AUTH",
	})
	if err != nil {
		return nil, err
	}
	all, err := compose(cfg, base)
	if err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	operations(base.Ops, all)
	base.AddWithDatabase("keys", all.keys)
	base.FollowWatermarks(all.watermarks.Poll)
	return base.Group, nil
}

// domain is the parts of auth that operations are bound to.
type domain struct {
	accounts   *accounts.Service
	sessions   *sessions.Service
	keys       *keys.Ring
	discovery  keys.Discovery
	links      *links.Links
	watermarks *watermarks.List
}

func compose(cfg authconfig.Config, base *service.Base) (domain, error) {
	records, tel := store.New(base.Pool), base.Tel
	hasher, err := password.NewHasher(cfg.Passwords)
	if err != nil {
		return domain{}, err
	}
	policy, err := password.NewPolicy()
	if err != nil {
		return domain{}, err
	}
	ring, err := keys.NewRing(cfg.Keys, keys.Deps{
		Store: records.Keys(), SealKey: base.Key("auth signing keys"), TokenLifetime: cfg.AccessTokenTTL, Logger: tel.Logger,
	})
	if err != nil {
		return domain{}, err
	}
	slowing := throttle.New(records.Throttle(), base.Key("auth throttle"), nil)
	ender := revocation.NewEnder(cfg.AccessTokenTTL)
	onetime := links.New(cfg.Links, links.Deps{Store: records, Key: base.Key("auth links")})
	cursors := page.NewCursors(base.Key("auth cursors"))
	return domain{
		accounts: accounts.New(accounts.Config{
			RegistrationEnabled: cfg.RegistrationEnabled, AnswerAfter: cfg.AnswerAfter,
		}, accounts.Deps{
			Store: records, Passwords: hasher, Policy: policy, Throttle: slowing, Links: onetime, Ender: ender,
		}),
		sessions: sessions.New(sessions.Config{
			RefreshTTL: cfg.RefreshTokenTTL, Grace: cfg.RefreshGrace, RequireVerifiedEmail: cfg.RequireVerifiedEmail,
		}, sessions.Deps{
			Store: records, Passwords: hasher, Throttle: slowing, Ender: ender, Cursors: cursors, Logger: tel.Logger,
			Access: tokens.NewAccess(tokens.Config{Issuer: cfg.Issuer, Audience: cfg.Audience, TTL: cfg.AccessTokenTTL}, ring),
			Family: tokens.NewFamily(base.Key("auth refresh tokens")),
		}),
		keys:       ring,
		discovery:  keys.Discovery{Issuer: cfg.Issuer, Algorithms: ring.Algorithms()},
		links:      onetime,
		watermarks: watermarks.NewList(records, cursors, nil),
	}, nil
}
