package ratelimit

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/metric"
)

// Limiter decides whether something may be done now.
type Limiter interface {
	// Allow counts one for key and reports whether it may be done. What is refused does not count. The error is that of ctx.
	Allow(ctx context.Context, key string) (Decision, error)
}

// Decision is the answer of a Limiter.
type Decision struct {
	Allowed    bool
	Limit      int           // how many in a period; 0: there is no limit
	Remaining  int           // how many more may be done now
	ResetAfter time.Duration // until all of Limit may be done again
	RetryAfter time.Duration // until one may be done; zero when Allowed
}

// Config is what New makes a limiter of. Name is required.
type Config struct {
	Name   string // of the policy: lower-case letters, digits and dashes, such as "sign-in"
	Limit  Limit
	Redis  *Connection // shared by all replicas; nil: count in the process
	Clock  func() time.Time
	Logger *slog.Logger         // nil: silent
	Meter  metric.MeterProvider // nil: none
	// MaxKeys is how many keys are counted in the process; 0: 100,000. Beyond, those not seen for longest are forgotten.
	MaxKeys int
	// Timeout is how long Redis may take; 0: 250 ms.
	Timeout time.Duration
}

// New returns the limiter that the configuration asks for: one that allows everything when the limit is off, one in Redis when there is
// a connection, else one in the process.
func New(c Config) (Limiter, error) {
	if !validName(c.Name) {
		return nil, fmt.Errorf("rate limit %q: a name has lower-case letters, digits and dashes", c.Name)
	}
	if c.MaxKeys < 0 || c.Timeout < 0 {
		return nil, errors.New("rate limit " + c.Name + ": the number of keys and the timeout must not be negative")
	}
	if c.Limit.Off() {
		return Unlimited{}, nil
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Clock == nil {
		c.Clock = time.Now
	}
	memory, err := newMemory(c)
	if err != nil {
		return nil, err
	}
	if c.Redis == nil {
		return memory, nil
	}
	return newRedis(c, memory), nil
}

// Unlimited allows everything.
type Unlimited struct{}

// Allow says yes.
func (Unlimited) Allow(context.Context, string) (Decision, error) {
	return Decision{Allowed: true}, nil
}

type digest [16]byte

func digestOf(key string) digest {
	sum := sha256.Sum256([]byte(key))
	return digest(sum[:16])
}

func validName(name string) bool {
	for _, r := range name {
		if (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' {
			return false
		}
	}
	return name != ""
}
