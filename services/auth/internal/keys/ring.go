package keys

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"go.opentelemetry.io/otel/metric"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/lifecycle"
)

const (
	reloadEvery  = 10 * time.Second
	staleAfter   = time.Minute // nothing is signed with keys that were read longer ago
	reloadWithin = 5 * time.Second

	// Whoever signs or publishes reads the table again after freshFor, so that no replica goes on with a key that was withdrawn as
	// compromised; while the database does not answer within askWithin, it goes on with what it knows.
	freshFor  = 100 * time.Millisecond
	askWithin = time.Second
)

// Deps is what a ring is made of. All but Clock and Logger are required.
type Deps struct {
	Store         Store
	SealKey       []byte               // 32 bytes, derived from SECRET_KEY
	TokenLifetime time.Duration        // the longest that anything signed is valid
	Clock         func() time.Time     // nil: time.Now
	Logger        *slog.Logger         // nil: silent
	Meter         metric.MeterProvider // nil: none
}

// Ring is the keys of all algorithms. It is a lifecycle component, and safe for concurrent use.
type Ring struct {
	Deps
	schedule   schedule
	algorithms []jose.SignatureAlgorithm
	box        box
	current    atomic.Pointer[snapshot]
	loop       *lifecycle.Loop
}

// snapshot is the table as it was read.
type snapshot struct {
	at    time.Time
	lives []Life
	pairs map[string]pair
}

// NewRing makes a ring that has no keys before Start.
func NewRing(cfg Config, deps Deps) (*Ring, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	sealed, err := newBox(deps.SealKey)
	if err != nil {
		return nil, err
	}
	if deps.Clock == nil {
		deps.Clock = time.Now
	}
	if deps.Logger == nil {
		deps.Logger = slog.New(slog.DiscardHandler)
	}
	r := &Ring{Deps: deps, box: sealed, schedule: schedule{cfg.Rotation, cfg.PublishBefore, deps.TokenLifetime}}
	for _, a := range cfg.Algorithms {
		r.algorithms = append(r.algorithms, jose.SignatureAlgorithm(a))
	}
	if err := r.observe(deps.Meter); err != nil {
		return nil, err
	}
	r.loop = lifecycle.Go(r.run)
	return r, nil
}

// Start reads the keys, makes those that are missing, and goes on to do both from time to time.
func (r *Ring) Start(ctx context.Context) error {
	if err := r.Tick(ctx); err != nil {
		return err
	}
	return r.loop.Start(ctx)
}

// Stop ends the reading and rotating.
func (r *Ring) Stop(ctx context.Context) error { return r.loop.Stop(ctx) }

// Failed receives a panic of the loop.
func (r *Ring) Failed() <-chan error { return r.loop.Failed() }

func (r *Ring) run(ctx context.Context) error {
	healthy := true
	for {
		timer := time.NewTimer(reloadEvery*9/10 + rand.N(reloadEvery/5)) //nolint:gosec // jitter
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
		err := r.Tick(ctx)
		if err != nil && healthy && ctx.Err() == nil {
			r.Logger.WarnContext(ctx, "signing keys cannot be read; going on with those known", "error", err)
		}
		healthy = err == nil
	}
}

// Tick reads the keys and, when it is time, rotates them.
func (r *Ring) Tick(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reloadWithin)
	defer cancel()
	s, err := r.reload(ctx)
	if err != nil || !r.due(s.lives) {
		return err
	}
	if err := r.rotate(ctx); err != nil {
		return err
	}
	_, err = r.reload(ctx)
	return err
}

// due reports whether a key must be made, or one leaves the table.
func (r *Ring) due(lives []Life) bool {
	now := r.Clock()
	for _, a := range r.algorithms {
		if _, _, due := r.schedule.successor(lives, a, now); due {
			return true
		}
	}
	for _, l := range lives {
		if !l.published(now) {
			return true
		}
	}
	return false
}

func (r *Ring) reload(ctx context.Context) (*snapshot, error) {
	at := r.Clock()
	rows, err := r.Store.SigningKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the signing keys: %w", err)
	}
	before := r.current.Load()
	s := &snapshot{at: at, pairs: make(map[string]pair, len(rows))}
	for _, row := range rows {
		life := row.Life
		known, ok := pair{}, false
		if before != nil {
			known, ok = before.pairs[life.ID]
		}
		if !ok {
			if known, err = r.box.open(life.ID, life.Algorithm, row.PrivateKey); err != nil {
				return nil, err
			}
		}
		s.lives = append(s.lives, life)
		s.pairs[life.ID] = known
	}
	r.remember(s)
	return s, nil
}

// remember keeps the snapshot that was read last, also when an earlier one arrives later.
func (r *Ring) remember(s *snapshot) {
	for {
		known := r.current.Load()
		if known != nil && known.at.After(s.at) || r.current.CompareAndSwap(known, s) {
			return
		}
	}
}

// fresh is the keys as of a moment ago, or of a minute ago at most while the database is away. In a replica whose loop hangs, a key might
// have been removed meanwhile.
func (r *Ring) fresh(ctx context.Context) (*snapshot, error) {
	known := r.current.Load()
	age := staleAfter + 1
	if known != nil {
		age = r.Clock().Sub(known.at)
	}
	if age <= freshFor {
		return known, nil
	}
	within := reloadWithin
	if age <= staleAfter {
		within = askWithin
	}
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	s, err := r.reload(ctx)
	if err != nil && age <= staleAfter {
		return known, nil
	}
	return s, err
}

// Algorithms are those that there are keys of; the first signs access tokens.
func (r *Ring) Algorithms() []string {
	names := make([]string, len(r.algorithms))
	for i, a := range r.algorithms {
		names[i] = string(a)
	}
	return names
}

// Sign makes a compact JWT of claims, which become its JSON payload, with the key of the first algorithm. Typ is the header's type, for
// example "at+jwt" (RFC 9068 section 2.1). It is errs.Unavailable while there is no key.
func (r *Ring) Sign(ctx context.Context, typ string, claims any) (string, error) {
	s, err := r.fresh(ctx)
	if err != nil {
		return "", err
	}
	life, ok := signer(s.lives, r.algorithms[0], r.Clock())
	if !ok {
		return "", errs.New(errs.Unavailable, "keys_missing", "Nobody can sign in just now; try again in a moment.").WithRetryAfter(time.Second)
	}
	key := jose.SigningKey{Algorithm: life.Algorithm, Key: jose.JSONWebKey{Key: s.pairs[life.ID].private, KeyID: life.ID}}
	signer, err := jose.NewSigner(key, (&jose.SignerOptions{}).WithType(jose.ContentType(typ)))
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	raw, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		return "", fmt.Errorf("sign a token: %w", err)
	}
	return raw, nil
}
