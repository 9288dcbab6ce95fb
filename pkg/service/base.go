package service

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"github.com/atrium-mesh/atrium/pkg/health"
	"github.com/atrium-mesh/atrium/pkg/lifecycle"
	"github.com/atrium-mesh/atrium/pkg/natsconn"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
	"github.com/atrium-mesh/atrium/pkg/token"
)

// Options say what kind of service a Base is for. Name and Tel are required.
type Options struct {
	Name string
	Tel  *telemetry.Telemetry

	Database   *pg.Config // nil: the service has no database, and none of what needs one
	Migrations fs.FS      // *.sql at the root
	Stream     string     // "USERS": the service publishes events.users.>; empty: it publishes nothing
	HTTP2      bool       // over TLS the service also offers HTTP/2: only for one that browsers call
	Calls      *Calls     // nil: the service calls no other
	// OwnKeys is the mesh's key set as JSON, of the service that has it: auth. It is asked from when the group runs, unless JWKS_URL says
	// where to ask. nil: the keys are fetched.
	OwnKeys func(ctx context.Context) ([]byte, error)
}

// Calls says whom a service calls, and how it shows who it is.
type Calls struct {
	Identity Identity
	Targets  []string // the services that it calls, over NATS or HTTP
	// Exchange makes what gives an assertion to auth for a token, by a caller that does not say who it is.
	Exchange func(*op.NATSCaller) token.ExchangeFunc
}

// Base is what a service is built on. Everything in it works as soon as the group runs.
type Base struct {
	Tel        *telemetry.Telemetry
	Pool       *pgxpool.Pool // nil without a database
	NATS       *nats.Conn
	JS         jetstream.JetStream
	Ops        *op.Server     // tie operations to it before the group runs
	Caller     *op.NATSCaller // calls other services, and says which one calls
	Identity   *token.Source  // what Caller says; nil for a service that calls no other
	Verifier   *token.Verifier
	Watermarks *token.Watermarks
	Health     *health.Checks
	Group      *lifecycle.Group // add components to it; return it from Build

	config   Config
	migrated chan struct{} // closed once the database is up to date
	wrappers []func(http.Handler) http.Handler
	tls      *tls.Config // of the service's server; nil: plain HTTP
}

// NewBase makes the base of a service. It opens no connection; PostgreSQL and NATS may be away.
func NewBase(ctx context.Context, cfg Config, o Options) (*Base, error) {
	b := &Base{
		Tel:        o.Tel,
		Watermarks: token.NewWatermarks(nil),
		Health:     health.New(health.Options{Logger: o.Tel.Logger, Meter: o.Tel.Meter}),
		Group:      lifecycle.NewGroup(o.Tel.Logger),
		config:     cfg,
		migrated:   make(chan struct{}),
	}
	if err := b.addVerifier(o); err != nil {
		return nil, err
	}
	b.Ops = op.NewServer(op.Config{
		Service: o.Name, Logger: o.Tel.Logger, Tracer: o.Tel.Tracer, Meter: o.Tel.Meter,
		Propagator: o.Tel.Propagator, Verify: b.Verifier.Verify, VerifyService: b.Verifier.VerifyService,
	})
	if err := b.open(ctx, o); err != nil {
		return nil, err
	}
	b.Group.Add(AdminServer, health.NewAdmin(cfg.AdminAddr, b.Health, o.Tel.Metrics))
	b.addMigrations(o)
	b.addServers()
	return b, nil
}

// addVerifier makes what concerns TLS, and the verifier of tokens, which fetches keys.
func (b *Base) addVerifier(o Options) (err error) {
	if b.tls, err = b.config.TLS.server(o.HTTP2, o.Tel.Logger); err != nil {
		return err
	}
	client, err := b.config.TLS.keysClient(o.Tel.Logger)
	if err != nil {
		return fmt.Errorf("TLS_CA_FILE: %w", err)
	}
	b.Verifier = token.NewVerifier(token.Config{
		Issuers: b.config.issuers(o.OwnKeys), HTTPClient: client, Watermarks: b.Watermarks, Meter: o.Tel.Meter,
		Service: o.Name,
	})
	b.Group.Add("verifier", lifecycle.Func(b.Verifier.Start, func(ctx context.Context) error {
		err := b.Verifier.Stop(ctx)
		if client != nil {
			client.CloseIdleConnections()
		}
		return err
	}))
	return nil
}

// open makes the pool and the connection, which come first in the group, so that they are closed whatever else fails.
func (b *Base) open(ctx context.Context, o Options) error {
	if o.Database != nil {
		pool, err := pg.Open(ctx, *o.Database, b.Tel.Tracer)
		if err != nil {
			return fmt.Errorf("open the database: %w", err)
		}
		b.Pool = pool
		b.Group.Add("postgres", lifecycle.Func(nil, func(context.Context) error { pool.Close(); return nil }))
		b.Health.Add("postgres", pool.Ping)
	}
	conn, err := natsconn.Open(b.config.NATS, o.Name, b.Tel.Logger)
	if err != nil {
		b.close()
		return fmt.Errorf("open NATS: %w", err)
	}
	if b.JS, err = jetstream.New(conn.Conn); err != nil {
		conn.Close()
		b.close()
		return fmt.Errorf("open JetStream: %w", err)
	}
	b.NATS = conn.Conn
	b.Group.Add("nats", conn)
	b.Health.Add("nats", natsconn.Check(conn.Conn))
	b.addCaller(o)
	return nil
}

// addCaller makes what calls other services, and what says to them who calls. A service is not ready before it can say so.
func (b *Base) addCaller(o Options) {
	caller := op.NewNATSCaller(b.NATS, b.Tel.Tracer, b.Tel.Propagator, nil)
	b.Caller = caller
	if o.Calls == nil {
		return
	}
	exchange, key := o.Calls.Exchange(caller), o.Calls.Identity.ServiceSecret.AssertionKey()
	b.Identity = token.NewSource(token.SourceConfig{
		Targets: o.Calls.Targets,
		Issue: func(ctx context.Context, target string) (string, time.Duration, error) {
			assertion, err := token.NewAssertion(key, o.Name, b.config.Issuer, target, time.Now())
			if err != nil {
				return "", 0, err
			}
			return exchange(ctx, assertion)
		},
		Watermarks: b.Watermarks,
		Logger:     b.Tel.Logger,
		Meter:      b.Tel.Meter,
	})
	b.Caller = op.NewNATSCaller(b.NATS, b.Tel.Tracer, b.Tel.Propagator, b.Identity)
	b.Group.Add("identity", b.Identity)
	b.Health.Add("identity", b.Identity.Ready)
}

func (b *Base) close() {
	if b.Pool != nil {
		b.Pool.Close()
	}
}

// Key returns the 32-byte key for one purpose, derived from SECRET_KEY. See Secret.Derive.
func (b *Base) Key(label string) []byte { return b.config.SecretKey.Derive(label) }

// Replica names this process among its service's, the same before and after a restart. With a port that is chosen anew each time
// there is no such name unless the configuration gives one, and each start has its own.
func (b *Base) Replica() string {
	if b.config.Replica != "" {
		return b.config.Replica
	}
	host, err := os.Hostname()
	if _, port, _ := net.SplitHostPort(b.config.HTTPAddr); err != nil || port == "0" {
		return uuid.Must(uuid.NewV7()).String()
	}
	return host + "/" + b.config.HTTPAddr
}

// Migrated is closed once the database is up to date; at once in a service without one.
func (b *Base) Migrated() <-chan struct{} { return b.migrated }

// WrapHTTP puts a handler around, or in place of, that of the operations. wrap is called once, when the service starts; of
// several, the last is outermost.
func (b *Base) WrapHTTP(wrap func(operations http.Handler) http.Handler) {
	b.wrappers = append(b.wrappers, wrap)
}

// AddWithDatabase adds a component that needs the tables: it starts in the background once they are there, again after
// a wait when its start fails, and the service is not ready before.
func (b *Base) AddWithDatabase(name string, c lifecycle.Component) {
	deferred := lifecycle.NewDeferred(b.migrated, c, func(err error) {
		b.Tel.Logger.Warn("component does not start; trying again", "component", name, "error", err)
	})
	b.Group.Add(name, deferred)
	b.Health.Add(name, func(context.Context) error {
		if !deferred.Started() {
			return errors.New("has not started")
		}
		return nil
	})
}

// FollowWatermarks keeps Watermarks up to date, by events and by poll, and makes their age part of readiness.
func (b *Base) FollowWatermarks(poll token.PollFunc) {
	follower := token.NewFollower(token.FollowerConfig{
		Watermarks: b.Watermarks, Poll: poll, NATS: b.NATS, Logger: b.Tel.Logger, Meter: b.Tel.Meter,
	})
	b.Group.Add("watermarks", follower)
	b.Health.Add("watermarks", follower.Ready)
}
