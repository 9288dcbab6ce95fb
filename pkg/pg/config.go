package pg

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/exaring/otelpgx"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
	"go.opentelemetry.io/otel/trace"
)

// Config is how a service reaches its database. The zero value of a limit means its default.
type Config struct {
	URL              string        `env:"DATABASE_URL,required" secret:"true" doc:"PostgreSQL URL of this service's own database, for example postgres://users@db:5432/atrium_users."`
	MaxConns         int32         `env:"DB_MAX_CONNS" envDefault:"10" doc:"Most connections in the pool. One more is held outside it by the job runner, and up to three by event relays and consumers."`
	MinConns         int32         `env:"DB_MIN_CONNS" envDefault:"0" doc:"Connections kept open when idle."`
	ConnMaxLifetime  time.Duration `env:"DB_CONN_MAX_LIFETIME" envDefault:"30m" doc:"Age at which a connection is replaced, give or take a tenth."`
	ConnMaxIdle      time.Duration `env:"DB_CONN_MAX_IDLE" envDefault:"5m" doc:"Idle time after which a connection is closed."`
	ConnectTimeout   time.Duration `env:"DB_CONNECT_TIMEOUT" envDefault:"3s" doc:"Time within which a connection must be made."`
	StatementTimeout time.Duration `env:"DB_STATEMENT_TIMEOUT" envDefault:"10s" doc:"Time after which the server ends a statement. Migrations have none."`
}

// idleInTransaction bounds a transaction whose client hangs, so that it cannot hold locks for ever.
const idleInTransaction = time.Minute

// Open makes a pool. It does not connect: a database that is away is an error of the first query, not of Open. Queries become
// spans of tracer (nil: none) in the caller's trace, with their SQL text and without their parameters.
func Open(ctx context.Context, cfg Config, tracer trace.TracerProvider) (*pgxpool.Pool, error) {
	pc, err := poolConfig(cfg, tracer)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, pc)
	if err != nil {
		return nil, fmt.Errorf("open the connection pool: %w", err)
	}
	return pool, nil
}

func poolConfig(cfg Config, tracer trace.TracerProvider) (*pgxpool.Config, error) {
	pc, err := pgxpool.ParseConfig(cfg.URL)
	if err != nil {
		return nil, fmt.Errorf("DATABASE_URL cannot be read: %w", redact(err))
	}
	lifetime := orDefault(cfg.ConnMaxLifetime, 30*time.Minute)
	pc.MaxConns = orDefault(cfg.MaxConns, 10)
	pc.MinConns = min(cfg.MinConns, pc.MaxConns)
	pc.MaxConnLifetime = lifetime
	pc.MaxConnLifetimeJitter = lifetime / 10
	pc.MaxConnIdleTime = orDefault(cfg.ConnMaxIdle, 5*time.Minute)
	pc.PingTimeout = time.Second
	pc.PrepareConn = acquired
	pc.ConnConfig.DialFunc = dial
	pc.ConnConfig.ConnectTimeout = orDefault(cfg.ConnectTimeout, 3*time.Second)
	setParam(pc.ConnConfig, "statement_timeout", orDefault(cfg.StatementTimeout, 10*time.Second))
	setParam(pc.ConnConfig, "idle_in_transaction_session_timeout", idleInTransaction)
	if tracer != nil {
		pc.ConnConfig.Tracer = otelpgx.NewTracer(otelpgx.WithTracerProvider(tracer),
			otelpgx.WithDisableAcquireTracer(), otelpgx.WithDisableConnectionDetailsInAttributes())
	}
	return pc, nil
}

// setParam sets a timeout of the session, unless the URL has said something else.
func setParam(cc *pgx.ConnConfig, name string, d time.Duration) {
	if _, said := cc.RuntimeParams[name]; !said {
		cc.RuntimeParams[name] = strconv.FormatInt(d.Milliseconds(), 10)
	}
}

// redact drops the URL, and the password in it, from a parse error.
func redact(err error) error {
	if pe, ok := errors.AsType[*pgconn.ParseConfigError](err); ok {
		if cause := pe.Unwrap(); cause != nil {
			return cause
		}
	}
	return fmt.Errorf("want postgres://user:password@host:port/database")
}

func orDefault[T int32 | time.Duration](v, d T) T {
	if v == 0 {
		return d
	}
	return v
}
