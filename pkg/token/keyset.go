package token

import (
	"context"
	"crypto"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	refetchAfter = 5 * time.Second // an unknown key id causes at most one fetch in this time
	retryAfter   = time.Second     // the same while there are no keys at all, as at start
	refreshAfter = time.Minute     // known keys are asked for again, so that new ones are there before they sign and withdrawn ones go
	waitAfter    = 2 * time.Minute // nobody is believed by a copy this old before the keys were asked for again
	fetchTimeout = 5 * time.Second
)

var (
	errUnknownKey = errors.New("no such key")
	errTooSoon    = errors.New("the keys could not be fetched a moment ago")
	errStopped    = errors.New("the verifier was stopped")
)

// keySet is the cached keys of one issuer. coreos/go-oidc's RemoteKeySet asks again for every token with an unknown key id, which lets
// anybody make requests; this one does so at most every five seconds. While the endpoint is away it goes on with the keys it has.
// A key that is withdrawn is used no longer than [waitAfter], plus the time of a fetch, while the endpoint answers.
type keySet struct {
	ask       func(context.Context) ([]jose.JSONWebKey, error) // the issuer for its keys
	clock     func() time.Time
	announced func() uint64 // how many keys are known to be withdrawn

	mu        sync.Mutex
	keys      []jose.JSONWebKey
	fetched   time.Time // when the fetch that brought them began
	attempted time.Time // when the last fetch began
	heard     uint64    // what was announced by then
	failure   error     // of the last fetch
	inflight  *fetch

	due         atomic.Int64  // the Unix nanosecond from which a token that is verified has the keys asked for again
	withdrawals atomic.Uint64 // how many fetches found that a key is gone; changed together with keys

	fetches sync.WaitGroup
	stopped bool
}

// fetch is one request for the keys, on which several callers may wait.
type fetch struct {
	done   chan struct{}
	cancel context.CancelFunc
}

func newKeySet(ask func(context.Context) ([]jose.JSONWebKey, error), clock func() time.Time, announced func() uint64) *keySet {
	return &keySet{ask: ask, clock: clock, announced: announced}
}

// candidates are keys that may have signed a token, as of a number of withdrawals: see [keySet.stands].
type candidates struct {
	keys []jose.JSONWebKey
	asOf uint64
}

// find returns the keys that may have signed a token with this header: the one with its kid, or all that fit its alg when it has none.
// It answers errUnknownKey when the issuer has no such key, and the reason when that cannot be known now.
func (s *keySet) find(ctx context.Context, h header) (candidates, error) {
	s.mu.Lock()
	found, flight := s.match(h), s.refresh(ctx)
	if len(found.keys) > 0 && (flight == nil || s.clock().Sub(s.fetched) < waitAfter) {
		s.mu.Unlock()
		return found, nil
	}
	if flight == nil {
		if s.clock().Sub(s.attempted) < s.pause() {
			defer s.mu.Unlock()
			return candidates{}, s.absence()
		}
		flight = s.start(ctx)
	}
	s.mu.Unlock()

	select {
	case <-flight.done:
	case <-ctx.Done():
		return candidates{}, context.Cause(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := s.match(h); len(found.keys) > 0 {
		return found, nil
	}
	return candidates{}, s.absence()
}

// stands reports whether what the keys as of a number of withdrawals have verified counts at now: when a key has gone since, or the copy
// is old, everything is verified again. It takes a lock only while the keys are being asked for again.
func (s *keySet) stands(ctx context.Context, now time.Time, asOf uint64) bool {
	if now.UnixNano() >= s.due.Load() {
		s.mu.Lock()
		old := s.refresh(ctx) != nil && now.Sub(s.fetched) >= waitAfter
		s.mu.Unlock()
		if old {
			return false
		}
	}
	return s.withdrawals.Load() == asOf
}

// refresh is the fetch under way, which it begins when it is time to ask for known keys again, or one is announced to be withdrawn, which
// has a successor then; nil when it is not. s.mu is held.
func (s *keySet) refresh(ctx context.Context) *fetch {
	if len(s.keys) > 0 && (s.clock().Sub(s.attempted) >= refreshAfter || s.announced() != s.heard) {
		return s.start(ctx)
	}
	return s.inflight
}

// pause is how long to wait between two fetches that an unknown key id causes.
func (s *keySet) pause() time.Duration {
	if len(s.keys) == 0 {
		return retryAfter
	}
	return refetchAfter
}

// absence says why a key was not found.
func (s *keySet) absence() error {
	if s.failure != nil {
		return errors.Join(errTooSoon, s.failure)
	}
	return errUnknownKey
}

// start begins a fetch, unless one is under way. It outlives the request that caused it, since others wait for it. s.mu is held.
func (s *keySet) start(ctx context.Context) *fetch {
	if s.inflight != nil {
		return s.inflight
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), fetchTimeout)
	flight := &fetch{done: make(chan struct{}), cancel: cancel}
	if s.stopped {
		s.failure = errStopped
		cancel()
		close(flight.done)
		return flight
	}
	began := s.clock()
	s.inflight, s.attempted, s.heard = flight, began, s.announced()
	s.fetches.Go(func() {
		defer close(flight.done)
		defer cancel()
		keys, err := s.ask(ctx)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.inflight, s.failure = nil, err
		s.due.Store(began.Add(refreshAfter).UnixNano()) // not before: who meets an old copy meanwhile waits
		if err != nil {
			return
		}
		if withdrawn(s.keys, keys) {
			s.withdrawals.Add(1)
		}
		s.keys, s.fetched = keys, began
	})
	return flight
}

// stop ends the fetch under way, waits for it, and lets no other begin.
func (s *keySet) stop() {
	s.mu.Lock()
	s.stopped = true
	if s.inflight != nil {
		s.inflight.cancel()
	}
	s.mu.Unlock()
	s.fetches.Wait()
}

// match is the keys that fit the header, of those there are now. s.mu is held.
func (s *keySet) match(h header) candidates {
	return candidates{keys: match(s.keys, h), asOf: s.withdrawals.Load()}
}

// match is the keys that fit the header. A key that names an algorithm is used for no other (RFC 8725, section 3.1).
func match(keys []jose.JSONWebKey, h header) []jose.JSONWebKey {
	var found []jose.JSONWebKey
	for _, key := range keys {
		if (h.Kid == "" || key.KeyID == h.Kid) && (key.Algorithm == "" || key.Algorithm == h.Alg) {
			found = append(found, key)
		}
	}
	return found
}

// withdrawn reports whether a key of before is not among those of after, or is another one under the same id.
func withdrawn(before, after []jose.JSONWebKey) bool {
	return slices.ContainsFunc(before, func(old jose.JSONWebKey) bool {
		return !slices.ContainsFunc(after, func(key jose.JSONWebKey) bool {
			public, ok := old.Key.(interface{ Equal(crypto.PublicKey) bool })
			return ok && public.Equal(key.Key) && old.KeyID == key.KeyID && old.Algorithm == key.Algorithm
		})
	})
}
