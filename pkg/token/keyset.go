package token

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	refetchAfter = 5 * time.Second // an unknown key id causes at most one fetch in this time
	retryAfter   = time.Second     // the same while there are no keys at all, as at start
	refreshAfter = 5 * time.Minute // known keys are asked for again, so that new ones are there before they sign and withdrawn ones go
	fetchTimeout = 5 * time.Second
)

var (
	errUnknownKey = errors.New("no such key")
	errTooSoon    = errors.New("the keys could not be fetched a moment ago")
	errStopped    = errors.New("the verifier was stopped")
)

// keySet is the cached keys of one issuer. coreos/go-oidc's RemoteKeySet asks again for every token with an unknown key id, which lets
// anybody make requests; this one does so at most every five seconds. While the endpoint is away it goes on with the keys it has.
type keySet struct {
	url    string
	client *http.Client
	clock  func() time.Time

	mu        sync.Mutex
	keys      []jose.JSONWebKey
	attempted time.Time // when the last fetch began
	failure   error     // of the last fetch
	inflight  *fetch

	fetches sync.WaitGroup
	stopped bool
}

// fetch is one request for the keys, on which several callers may wait.
type fetch struct {
	done   chan struct{}
	cancel context.CancelFunc
}

func newKeySet(url string, client *http.Client, clock func() time.Time) *keySet {
	return &keySet{url: url, client: client, clock: clock}
}

// find returns the keys that may have signed a token with this header: the one with its kid, or all that fit its alg when it has none.
// It answers errUnknownKey when the issuer has no such key, and the reason when that cannot be known now.
func (s *keySet) find(ctx context.Context, h header) ([]jose.JSONWebKey, error) {
	s.mu.Lock()
	if found := match(s.keys, h); len(found) > 0 {
		if s.clock().Sub(s.attempted) >= refreshAfter {
			s.start(ctx) // nobody waits for it
		}
		s.mu.Unlock()
		return found, nil
	}
	flight := s.inflight
	if flight == nil {
		if s.clock().Sub(s.attempted) < s.pause() {
			defer s.mu.Unlock()
			return nil, s.absence()
		}
		flight = s.start(ctx)
	}
	s.mu.Unlock()

	select {
	case <-flight.done:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if found := match(s.keys, h); len(found) > 0 {
		return found, nil
	}
	return nil, s.absence()
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
	s.inflight, s.attempted = flight, s.clock()
	s.fetches.Go(func() {
		defer close(flight.done)
		defer cancel()
		keys, err := fetchKeys(ctx, s.client, s.url)
		s.mu.Lock()
		defer s.mu.Unlock()
		s.inflight, s.failure = nil, err
		if err == nil {
			s.keys = keys
		}
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
