// Package tokentest owns an issuer of access tokens for tests: real keys, a real JWKS endpoint on loopback, tokens that verify, and
// one of every kind that must not.
package tokentest

import (
	"crypto"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/token"
)

// Audience is the audience of the tokens that an Issuer signs.
const Audience = "https://api.atrium.test"

// Lifetime is how long the tokens of an Issuer live unless Claims say otherwise.
const Lifetime = 15 * time.Minute

// Issuer signs access tokens as auth does and publishes its keys. Its server is closed when the test ends. It is safe for concurrent
// use.
type Issuer struct {
	URL     string // iss
	JWKSURL string

	t     testing.TB
	alg   jose.SignatureAlgorithm
	clock func() time.Time

	fetches atomic.Int64
	down    atomic.Bool

	mu        sync.Mutex
	current   signingKey
	published []jose.JSONWebKey
}

type signingKey struct {
	id      string
	private crypto.Signer
}

// Option changes an Issuer.
type Option func(*Issuer)

// WithAlgorithm signs with another algorithm than ES256.
func WithAlgorithm(alg jose.SignatureAlgorithm) Option { return func(i *Issuer) { i.alg = alg } }

// WithClock takes the times of tokens from clock. Give the same to the verifier.
func WithClock(clock func() time.Time) Option { return func(i *Issuer) { i.clock = clock } }

// NewIssuer starts an issuer.
func NewIssuer(t testing.TB, options ...Option) *Issuer {
	t.Helper()
	i := &Issuer{t: t, alg: jose.ES256, clock: time.Now}
	for _, option := range options {
		option(i)
	}
	server := httptest.NewServer(http.HandlerFunc(i.serveKeys))
	t.Cleanup(server.Close)
	i.URL, i.JWKSURL = server.URL, server.URL+"/.well-known/jwks.json"
	i.Rotate()
	return i
}

// Own is the issuer as configuration of a verifier that takes it for Atrium's own.
func (i *Issuer) Own() token.Issuer {
	return token.Issuer{URL: i.URL, JWKSURL: i.JWKSURL, Audience: Audience, Own: true}
}

// External is the issuer as configuration of a verifier that lets it grant these permissions and no others.
func (i *Issuer) External(permissions ...string) token.Issuer {
	return token.Issuer{URL: i.URL, JWKSURL: i.JWKSURL, Audience: Audience, Permissions: permissions}
}

// Verifier returns one that trusts this issuer as its own and knows these watermarks, which may be nil.
func (i *Issuer) Verifier(watermarks *token.Watermarks) *token.Verifier {
	i.t.Helper()
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	return i.verifier(token.Config{Issuers: []token.Issuer{i.Own()}, HTTPClient: client, Watermarks: watermarks, Clock: i.clock})
}

// VerifierOf is [Issuer.Verifier] for a service, which also believes tokens of other services that are meant for it.
func (i *Issuer) VerifierOf(service string, watermarks *token.Watermarks) *token.Verifier {
	i.t.Helper()
	client := &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	return i.verifier(token.Config{
		Issuers: []token.Issuer{i.Own()}, HTTPClient: client, Watermarks: watermarks, Clock: i.clock, Service: service,
	})
}

func (i *Issuer) verifier(c token.Config) *token.Verifier {
	i.t.Helper()
	v := token.NewVerifier(c)
	i.t.Cleanup(func() { require.NoError(i.t, v.Stop(i.t.Context())) })
	return v
}

// Rotate publishes a new key beside the old ones and signs with it from now on. It returns the new key's id.
func (i *Issuer) Rotate() string {
	key := newKey(i.t, i.alg)
	i.mu.Lock()
	defer i.mu.Unlock()
	i.current = key
	i.published = append(i.published, jose.JSONWebKey{Key: key.private.Public(), KeyID: key.id, Algorithm: string(i.alg), Use: "sig"})
	return key.id
}

// Withdraw publishes a new key in place of all others, as after a theft, and returns the id of the one that signed until now.
func (i *Issuer) Withdraw() string {
	stolen := i.KeyID()
	i.mu.Lock()
	i.published = nil
	i.mu.Unlock()
	i.Rotate()
	return stolen
}

// KeyID is the kid of the key that signs.
func (i *Issuer) KeyID() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.current.id
}

// SetDown makes the JWKS endpoint answer 503, or work again.
func (i *Issuer) SetDown(down bool) { i.down.Store(down) }

// Fetches is how often the keys were asked for.
func (i *Issuer) Fetches() int { return int(i.fetches.Load()) }

func (i *Issuer) serveKeys(w http.ResponseWriter, _ *http.Request) {
	i.fetches.Add(1)
	if i.down.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	i.mu.Lock()
	body, err := json.Marshal(jose.JSONWebKeySet{Keys: i.published})
	i.mu.Unlock()
	if err != nil {
		i.t.Errorf("marshal keys: %v", err)
		return
	}
	w.Header().Set("Content-Type", "application/jwk-set+json")
	if _, err := w.Write(body); err != nil {
		i.t.Logf("write keys: %v", err)
	}
}
