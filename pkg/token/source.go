package token

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/lifecycle"
)

const (
	refusedWait = time.Second     // a token that was refused is replaced at most so often
	patience    = 2 * time.Second // how long a call waits for a token where there is none, as at start
)

// IssueFunc asks our issuer for a token that says who this service is to the target, and how long it is good for from now on.
type IssueFunc func(ctx context.Context, target string) (raw string, lifetime time.Duration, err error)

// ExchangeFunc gives an assertion for the token that it asks for, and says how long that is good for from now on.
type ExchangeFunc func(ctx context.Context, assertion string) (raw string, lifetime time.Duration, err error)

// SourceConfig is what a Source is made of. Targets and Issue are required.
type SourceConfig struct {
	Targets    []string // the services that are called: each gets a token that is good for it alone
	Issue      IssueFunc
	Watermarks *Watermarks          // nil: nothing is revoked
	Logger     *slog.Logger         // nil: silent
	Meter      metric.MeterProvider // nil: none
}

// Source holds the tokens by which a service says who it is. They are fetched and renewed beside requests, at half of their life; while
// auth is away those that are there go on for as long as they are good. It is a lifecycle component and starts while auth is away.
type Source struct {
	SourceConfig
	kick         chan struct{}
	loop         *lifecycle.Loop
	registration metric.Registration

	mu      sync.Mutex
	held    map[string]held
	changed chan struct{} // closed when something was fetched
	failure error         // of the last fetch; nil when it succeeded
}

// held is the token for one target. The zero value is none.
type held struct {
	raw     string
	bearer  *authz.Principal // what watermarks judge it by
	renewAt time.Time
	until   time.Time
	refused time.Time // when a token for this target was last refused
}

// NewSource makes a source that holds nothing before it was started. It panics without Targets or Issue.
func NewSource(c SourceConfig) *Source {
	if len(c.Targets) == 0 || c.Issue == nil {
		panic("token: a source needs Targets and Issue")
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.Watermarks == nil {
		c.Watermarks = NewWatermarks(nil)
	}
	s := &Source{SourceConfig: c, kick: make(chan struct{}, 1), held: map[string]held{}, changed: make(chan struct{})}
	s.loop = lifecycle.Go(s.run)
	return s
}

// Start begins to fetch; readiness waits for it.
func (s *Source) Start(ctx context.Context) error {
	registration, err := s.observe()
	if err != nil {
		return fmt.Errorf("service tokens: %w", err)
	}
	s.registration = registration
	return s.loop.Start(ctx)
}

// Stop ends the fetching and waits for the one under way.
func (s *Source) Stop(ctx context.Context) error {
	return errors.Join(s.loop.Stop(ctx), s.registration.Unregister())
}

// Failed receives a panic of the loop.
func (s *Source) Failed() <-chan error { return s.loop.Failed() }

// Token is what says to the target who this service is. Where there is none it waits for one a little, no longer than ctx. It answers
// [errs.Unavailable] when there is none then.
func (s *Source) Token(ctx context.Context, target string) (string, error) {
	if !slices.Contains(s.Targets, target) {
		return "", fmt.Errorf("service tokens: %s is not among the targets", target)
	}
	var timer *time.Timer
	for {
		raw, changed := s.now(target)
		if raw != "" {
			return raw, nil
		}
		if timer == nil {
			s.wake()
			timer = time.NewTimer(patience)
			defer timer.Stop()
		}
		select {
		case <-changed:
		case <-timer.C:
			return "", s.missing()
		case <-ctx.Done():
			return "", s.missing()
		}
	}
}

// now is the token that can be shown at this instant, or "" and what is closed when there may be another.
func (s *Source) now(target string) (raw string, changed <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.held[target]; s.good(t) {
		return t.raw, nil
	}
	return "", s.changed
}

func (s *Source) good(t held) bool {
	return t.raw != "" && time.Now().Before(t.until) && !s.Watermarks.Revoked(t.bearer)
}

// Refused says that the target did not believe a token, as after a key was withdrawn: another is fetched at once.
func (s *Source) Refused(target, raw string) {
	s.mu.Lock()
	t := s.held[target]
	ours := t.raw == raw && time.Since(t.refused) > refusedWait
	if ours {
		s.held[target] = held{refused: time.Now()}
	}
	s.mu.Unlock()
	if ours {
		s.wake()
	}
}

// Ready is a readiness check: an error as long as a token is missing.
func (s *Source) Ready(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, target := range s.Targets {
		if !s.good(s.held[target]) {
			return s.missingLocked()
		}
	}
	return nil
}

func (s *Source) missing() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.missingLocked()
}

// missingLocked is what a stranger may hear, whatever the reason. The cause says it to the log and to readiness.
func (s *Source) missingLocked() error {
	return errs.New(errs.Unavailable, "service_identity_missing", "A part of the service is away for a moment; try again.").
		WithRetryAfter(retryAfter).WithCause(cmp.Or(s.failure, errNotYet))
}

var (
	errNotYet      = errors.New("this service has not yet been able to show auth who it is")
	errWrongSecret = errors.New("auth does not believe who this service is: SERVICE_SECRET is not the one that auth has for it")
)

func (s *Source) wake() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

func (s *Source) observe() (metric.Registration, error) {
	meter := meterOf(s.Meter)
	remaining, err := meter.Float64ObservableGauge("atrium.token.service.remaining",
		metric.WithDescription("How long the service can still show who it is, by its token that ends first"), metric.WithUnit("s"))
	if err != nil {
		return nil, fmt.Errorf("gauge: %w", err)
	}
	return meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		o.ObserveFloat64(remaining, s.remaining().Seconds())
		return nil
	}, remaining)
}

func (s *Source) remaining() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	least := time.Duration(-1)
	for _, target := range s.Targets {
		left := max(0, time.Until(s.held[target].until))
		if least < 0 || left < least {
			least = left
		}
	}
	return least
}
