package token

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
)

const (
	firstTry    = 25 * time.Millisecond // doubled after each failure
	longestTry  = 500 * time.Millisecond
	issueWithin = 5 * time.Second
	expiresSoon = 5 * time.Second // a token is not shown in its last seconds: it has a way to go
)

func (s *Source) run(ctx context.Context) error {
	healthy, retry := true, firstTry
	for {
		err := s.renew(ctx)
		pause := s.untilNext() // which is spread already: see fetch
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			if healthy {
				s.Logger.WarnContext(ctx, "auth gives no service token; going on with those that are good", "error", err)
			}
			pause, retry = jitter(retry), min(2*retry, longestTry)
		default:
			if !healthy {
				s.Logger.InfoContext(ctx, "auth gives service tokens again")
			}
			retry = firstTry
		}
		healthy = err == nil
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-timer.C:
		case <-s.woken(err): // a failure is not retried sooner because somebody waits
		}
		timer.Stop()
	}
}

func (s *Source) woken(failure error) <-chan struct{} {
	if failure != nil {
		return nil
	}
	return s.kick
}

// renew fetches what is missing or due. After a failure it fetches no more: it is the same auth that would be asked.
func (s *Source) renew(ctx context.Context) (err error) {
	for _, target := range s.Targets {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if !s.due(target) {
			continue
		}
		if err = s.fetch(ctx, target); err != nil {
			break
		}
	}
	s.mu.Lock()
	s.failure = err
	s.mu.Unlock()
	return err
}

func (s *Source) due(target string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	t := s.held[target]
	return !s.good(t) || !time.Now().Before(t.renewAt)
}

func (s *Source) fetch(ctx context.Context, target string) error {
	ctx, cancel := context.WithTimeout(ctx, issueWithin)
	defer cancel()
	began := time.Now()
	raw, lifetime, err := s.Issue(ctx, target)
	if errors.Is(err, errs.Unauthenticated) {
		err = fmt.Errorf("%w: %w", errWrongSecret, err)
	}
	if err != nil {
		return fmt.Errorf("fetch the token for %s: %w", target, err)
	}
	bearer, err := bearerOf(raw)
	if err != nil {
		return fmt.Errorf("fetch the token for %s: %w", target, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.held[target] = held{
		raw:     raw,
		bearer:  bearer,
		renewAt: began.Add(jitter(lifetime / 2)),
		until:   began.Add(lifetime - expiresSoon),
		refused: s.held[target].refused,
	}
	close(s.changed)
	s.changed = make(chan struct{})
	return nil
}

// bearerOf is what watermarks need to know of a token of our own, which came from auth itself.
func bearerOf(raw string) (*authz.Principal, error) {
	head, payload, err := split(raw)
	if err != nil {
		return nil, err
	}
	var h header
	var c registered
	if err := errors.Join(json.Unmarshal(head, &h), json.Unmarshal(payload, &c)); err != nil {
		return nil, fmt.Errorf("read it: %w", err)
	}
	if c.IssuedAt == nil {
		return nil, errors.New("read it: no iat")
	}
	return &authz.Principal{Subject: c.Subject, KeyID: KeyID(h.Kid), IssuedAt: IssuedAt(c.ID, c.IssuedAt.Time())}, nil
}

// untilNext is how long nothing is due.
func (s *Source) untilNext() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	next := time.Now().Add(time.Hour)
	for _, t := range s.held {
		if t.raw != "" && t.renewAt.Before(next) {
			next = t.renewAt
		}
	}
	return max(firstTry, time.Until(next))
}
