// Package app is the composition root of auth: every dependency in one place, and the order in which things start.
package app

import (
	"context"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/pkg/jobs"
	"github.com/atrium-mesh/atrium/pkg/lifecycle"
	"github.com/atrium-mesh/atrium/pkg/mail"
	"github.com/atrium-mesh/atrium/pkg/mail/letter"
	"github.com/atrium-mesh/atrium/pkg/page"
	"github.com/atrium-mesh/atrium/pkg/service"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
	"github.com/atrium-mesh/atrium/services/auth/internal/accounts"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/authority"
	authconfig "github.com/atrium-mesh/atrium/services/auth/internal/config"
	"github.com/atrium-mesh/atrium/services/auth/internal/consumers"
	"github.com/atrium-mesh/atrium/services/auth/internal/devices"
	"github.com/atrium-mesh/atrium/services/auth/internal/keys"
	"github.com/atrium-mesh/atrium/services/auth/internal/letters"
	"github.com/atrium-mesh/atrium/services/auth/internal/links"
	"github.com/atrium-mesh/atrium/services/auth/internal/mailboxes"
	"github.com/atrium-mesh/atrium/services/auth/internal/pages"
	"github.com/atrium-mesh/atrium/services/auth/internal/password"
	"github.com/atrium-mesh/atrium/services/auth/internal/password/breach"
	"github.com/atrium-mesh/atrium/services/auth/internal/revocation"
	"github.com/atrium-mesh/atrium/services/auth/internal/roles"
	"github.com/atrium-mesh/atrium/services/auth/internal/services"
	"github.com/atrium-mesh/atrium/services/auth/internal/sessions"
	"github.com/atrium-mesh/atrium/services/auth/internal/setup"
	"github.com/atrium-mesh/atrium/services/auth/internal/standing"
	"github.com/atrium-mesh/atrium/services/auth/internal/store"
	"github.com/atrium-mesh/atrium/services/auth/internal/store/migrations"
	"github.com/atrium-mesh/atrium/services/auth/internal/tasks"
	"github.com/atrium-mesh/atrium/services/auth/internal/throttle"
	"github.com/atrium-mesh/atrium/services/auth/internal/tokens"
	"github.com/atrium-mesh/atrium/services/auth/internal/watermarks"
)

// Options are what a program that runs auth in its own process asks of it.
type Options struct {
	// SetupLink is told the link that makes the first administrator, or "" when there is one, once auth has started. It is never sent
	// anywhere: whoever starts auth is who may have it. nil: nobody is told.
	SetupLink func(link string)
}

// Build composes the service.
func Build(ctx context.Context, src config.Source, tel *telemetry.Telemetry, o Options) (*lifecycle.Group, error) {
	cfg, err := config.Load[authconfig.Config](src)
	if err != nil {
		return nil, err
	}
	cfg = cfg.WithDefaults()
	var all domain
	base, err := service.NewBase(ctx, cfg.Config, service.Options{
		Name:       "auth",
		Tel:        tel,
		Database:   &cfg.Database,
		Migrations: migrations.FS,
		Stream:     "AUTH",
		OwnKeys:    func(ctx context.Context) ([]byte, error) { return all.keys.Document(ctx) },
	})
	if err != nil {
		return nil, err
	}
	if all, err = compose(cfg, base); err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	operations(base.Ops, all)              //nolint:contextcheck // each request brings its own
	base.AddWithDatabase("keys", all.keys) // first: without them nobody can sign in
	base.AddWithDatabase("setup", lifecycle.Func(func(ctx context.Context) error {
		if err := all.setup.Start(ctx); err != nil || o.SetupLink == nil {
			return err
		}
		return all.setup.Tell(ctx, o.SetupLink) // only now is it known whether there is an administrator
	}, nil))
	base.Group.Add("streams", events.KeepStreams(events.StreamsConfig{
		JS:       base.JS,
		Names:    []string{"AUTH", "USERS", "NOTIFICATIONS"},
		Replicas: cfg.NATS.Replicas,
		Logger:   tel.Logger,
	}))
	base.Group.Add("mail", all.sender)
	base.AddWithDatabase("jobs", all.jobs)
	base.AddWithDatabase("consumer", all.consumer)
	base.FollowWatermarks(all.watermarks.Poll)
	return base.Group, nil
}

// domain is the parts of auth that operations are bound to, and what works in the background.
type domain struct {
	accounts   *accounts.Service
	sessions   *sessions.Service
	keys       *keys.Ring
	discovery  keys.Discovery
	links      *links.Links
	letters    *letters.Letters
	sender     *mail.Sender
	watermarks *watermarks.List
	setup      *setup.Service
	roles      *roles.Service
	services   *services.Services
	trail      *audit.Trail
	pages      *pages.Pages
	standing   *standing.Service
	consumer   *events.Consumer
	jobs       *jobs.Runner
}

func compose(cfg authconfig.Config, base *service.Base) (domain, error) {
	records, tel := store.New(base.Pool), base.Tel
	hasher, err := password.NewHasher(cfg.Passwords)
	if err != nil {
		return domain{}, err
	}
	policy, err := choosing(cfg, tel)
	if err != nil {
		return domain{}, err
	}
	ring, err := keys.NewRing(cfg.Keys, keys.Deps{
		Store:         records.Keys(),
		SealKey:       base.Key("auth signing keys"),
		TokenLifetime: cfg.AccessTokenTTL,
		Logger:        tel.Logger,
		Meter:         tel.Meter,
	})
	if err != nil {
		return domain{}, err
	}
	runner, err := background(base, records, cfg.AuditRetention)
	if err != nil {
		return domain{}, err
	}
	shown, err := pages.New()
	if err != nil {
		return domain{}, err
	}
	slowing := throttle.New(records.Throttle(), base.Key("auth throttle"), nil, sessions.Throttled{Store: records, Clock: time.Now})
	ender := revocation.NewEnder(cfg.AccessTokenTTL)
	onetime := links.New(cfg.Links, links.Deps{Store: records, Key: base.Key("auth links")})
	counter, err := mailboxes.New(cfg.Mailboxes, base.Key("auth mailboxes"), tel.Meter)
	if err != nil {
		return domain{}, err
	}
	layout, err := letter.NewLayout(cfg.Brand())
	if err != nil {
		return domain{}, err
	}
	sender, err := mail.NewSender(cfg.Mail, tel.Tracer, time.Now)
	if err != nil {
		return domain{}, err
	}
	cursors := page.NewCursors(base.Key("auth cursors"))
	access := tokens.NewAccess(tokens.Config{Issuer: cfg.Issuer, Audience: cfg.Audience, TTL: cfg.AccessTokenTTL}, ring)
	rule := authority.New(authority.Config{VerifiedOnly: cfg.RequireVerifiedEmail})
	stands := standing.New(standing.Config{ProofMaxAge: cfg.ProofMaxAge}, standing.Deps{Store: records.Standing(), Rule: rule, Ender: ender})
	return domain{
		accounts: accounts.New(accounts.Config{
			RegistrationEnabled: cfg.RegistrationEnabled,
			RevealsAccounts:     cfg.RegistrationReveals,
			AnswerAfter:         cfg.AnswerAfter,
		}, accounts.Deps{
			Store:     records,
			Passwords: hasher,
			Policy:    policy,
			Throttle:  slowing,
			Links:     onetime,
			Ender:     ender,
			Rule:      rule,
			Mailboxes: counter,
		}),
		sessions: sessions.New(sessions.Config{
			RefreshTTL:           cfg.RefreshTokenTTL,
			MaxAge:               cfg.SessionMaxAge,
			Grace:                cfg.RefreshGrace,
			MostOpen:             cfg.SessionsMax,
			RequireVerifiedEmail: cfg.RequireVerifiedEmail,
			AnswerAfter:          cfg.AnswerAfter,
			RevealsAccounts:      cfg.RegistrationReveals,
		}, sessions.Deps{
			Store:     records,
			Passwords: hasher,
			Throttle:  slowing,
			Ender:     ender,
			Rule:      rule,
			Cursors:   cursors,
			Logger:    tel.Logger,
			Access:    access,
			Family:    tokens.NewFamily(base.Key("auth refresh tokens")),
			Devices:   devices.NewRecogniser(base.Key("auth devices")),
		}),
		keys:      ring,
		discovery: keys.Discovery{Issuer: cfg.Issuer, Algorithms: ring.Algorithms()},
		links:     onetime,
		letters: letters.New(letters.Deps{
			Links:    onetime,
			Layout:   layout,
			HandOver: sender.Send,
			Logger:   tel.Logger,
		}),
		sender:     sender,
		watermarks: watermarks.NewList(records, cursors, nil),
		setup: setup.New(cfg.Setup, setup.Deps{
			Store:     records.Setup(),
			Passwords: hasher,
			Policy:    policy,
			Links:     onetime,
			Logger:    tel.Logger,
		}),
		services: services.New(cfg.Services, services.Deps{
			Store:  records,
			Access: access,
			Issuer: cfg.Issuer,
			Logger: tel.Logger,
		}),
		roles: roles.New(roles.Deps{
			Store:   records.Roles(),
			Rule:    rule,
			Keep:    ender.Keep(),
			Cursors: cursors,
		}),
		trail:    audit.NewTrail(records, cursors),
		pages:    shown,
		standing: stands,
		consumer: events.NewConsumer(events.ConsumerConfig{
			Name:     "auth",
			Pool:     base.Pool,
			JS:       base.JS,
			Handlers: consumers.Handlers(stands),
			Tracer:   tel.Tracer,
			Meter:    tel.Meter,
			Logger:   tel.Logger,
		}),
		jobs: runner,
	}, nil
}

// choosing is which passwords may be chosen here.
func choosing(cfg authconfig.Config, tel *telemetry.Telemetry) (*password.Policy, error) {
	c := password.PolicyConfig{Context: cfg.Passwords.Context(cfg.Issuer)}
	if cfg.Passwords.BreachURL != "" {
		asked, err := breach.New(cfg.Passwords.BreachURL, breach.Deps{Logger: tel.Logger, Meter: tel.Meter})
		if err != nil {
			return nil, err
		}
		c.Breaches = asked
	}
	return password.NewPolicy(c)
}

// background is the jobs that auth does by itself.
func background(base *service.Base, records *store.Store, keepAudit time.Duration) (*jobs.Runner, error) {
	workers := river.NewWorkers()
	cleaner, err := jobs.NewCleaner(jobs.CleanerConfig{
		Service: "auth",
		Kinds:   records.Expiring(keepAudit),
		DB:      base.Pool,
		Logger:  base.Tel.Logger,
		Meter:   base.Tel.Meter,
	})
	if err != nil {
		return nil, err
	}
	if err := river.AddWorkerSafely(workers, &tasks.CleanupWorker{Cleaner: cleaner}); err != nil {
		return nil, fmt.Errorf("add the clean-up: %w", err)
	}
	return jobs.New(jobs.Config{
		Pool:     base.Pool,
		Replica:  base.Replica(),
		Workers:  workers,
		Queues:   tasks.Queues(),
		Periodic: tasks.Periodic(),
		Tracer:   base.Tel.Tracer,
		Meter:    base.Tel.Meter,
		Logger:   base.Tel.Logger,
	})
}
