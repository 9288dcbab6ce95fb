package token

import (
	"cmp"
	"context"
	"crypto"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"github.com/go-jose/go-jose/v4"
	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/sync/singleflight"

	"github.com/atrium-mesh/atrium/pkg/authz"
)

var (
	ownAlgorithms      = []string{oidc.ES256, oidc.RS256}
	externalAlgorithms = []string{oidc.ES256, oidc.RS256, oidc.PS256, oidc.ES384, oidc.EdDSA}

	ownTypes      = []string{"application/at+jwt"}                        // RFC 9068, section 4
	externalTypes = []string{"application/at+jwt", "application/jwt", ""} // many issuers say JWT, or nothing
)

// Verifier verifies access tokens. Make one for a process and share it: it holds the keys and the tokens verified before. It makes no
// request until the first token comes. It is safe for concurrent use, and a lifecycle component.
type Verifier struct {
	people     realm
	services   realm // empty without [Config.Service]
	watermarks *Watermarks
	clock      func() time.Time
	metrics    metrics
}

// realm is one kind of bearer, people or services. Nothing that is good in one counts in the other, remembered results included.
type realm struct {
	issuers  map[string]*trusted
	verified *lru.Cache[hash, verified] // positive results only
	flights  *singleflight.Group
}

type hash [sha256.Size]byte

// verified is a token that was good: whom it speaks for, and by which keys. It counts for as long as these stand.
type verified struct {
	principal *authz.Principal
	keys      *keySet
	asOf      uint64
}

// trusted is an issuer with what is needed to believe it.
type trusted struct {
	Issuer
	algorithms []string
	types      []string
	keys       *keySet
	oidc       *oidc.Config
	services   bool // its tokens speak for services, not for people
}

// NewVerifier makes a verifier. It panics when the configuration is not valid: see [Config.Validate].
func NewVerifier(c Config) *Verifier {
	if err := c.Validate(); err != nil {
		panic(err)
	}
	v := &Verifier{
		people:     newRealm(cmp.Or(c.CacheSize, defaultCacheSize)),
		services:   newRealm(servicesCacheSize),
		watermarks: c.Watermarks,
		clock:      c.Clock,
		metrics:    newMetrics(c.Meter),
	}
	if v.clock == nil {
		v.clock = time.Now
	}
	if v.watermarks == nil {
		v.watermarks = NewWatermarks(v.clock)
	}
	client := cmp.Or(c.HTTPClient, &http.Client{Timeout: fetchTimeout})
	for _, issuer := range c.Issuers {
		t := v.trust(issuer, client)
		v.people.issuers[issuer.URL] = t
		if issuer.Own && c.Service != "" {
			v.services.issuers[issuer.URL] = t.forServices(c.Service)
		}
	}
	return v
}

func newRealm(size int) realm {
	cache, err := lru.New[hash, verified](size)
	if err != nil { // only for a size that Validate refuses
		panic(err)
	}
	return realm{issuers: map[string]*trusted{}, verified: cache, flights: new(singleflight.Group)}
}

func (v *Verifier) trust(issuer Issuer, client *http.Client) *trusted {
	t := &trusted{Issuer: issuer, algorithms: externalAlgorithms, types: externalTypes}
	announced := func() uint64 { return 0 } // nobody tells us of the keys of others
	if issuer.Own {
		t.algorithms, t.types, announced = ownAlgorithms, ownTypes, v.watermarks.withdrawals.Load
	}
	t.keys = newKeySet(issuer.asker(client), v.clock, announced)
	t.oidc = &oidc.Config{ClientID: issuer.Audience, SupportedSigningAlgs: t.algorithms, Now: v.clock}
	return t
}

// Verify returns whom the token speaks for. It answers [errs.Unauthenticated] with one of the codes token_missing, token_invalid,
// token_expired and token_revoked; [errs.Unavailable] when the issuer's keys cannot be had; and the error of ctx. The principal is
// shared and read-only.
func (v *Verifier) Verify(ctx context.Context, raw string) (*authz.Principal, error) {
	principal, outcome, err := v.verify(ctx, v.people, raw)
	v.metrics.verified(ctx, outcome, err)
	return principal, err
}

func (v *Verifier) verify(ctx context.Context, in realm, raw string) (*authz.Principal, outcome, error) {
	switch {
	case raw == "":
		return nil, "", errMissing()
	case len(raw) > MaxSize: // before it is hashed
		return nil, "", errInvalid(errors.New("too long"))
	}
	key, now, result := hash(sha256.Sum256([]byte(raw))), v.clock(), cached
	known, ok := in.verified.Get(key)
	switch {
	case ok && !now.Before(known.principal.ExpiresAt):
		in.verified.Remove(key)
		return nil, "", errExpired()
	case !ok || !known.keys.stands(ctx, now, known.asOf):
		var err error
		if known, err = v.full(ctx, in, raw, key); err != nil {
			in.verified.Remove(key)
			return nil, "", err
		}
		result = fresh
	}
	switch { // the same code for a withdrawn key, whether its mark is heard of first or the key set without it
	case v.watermarks.withdrawn(known.principal):
		return nil, "", errInvalid(errUnknownKey)
	case v.watermarks.Revoked(known.principal):
		return nil, "", errRevoked()
	}
	return known.principal, result, nil
}

// full verifies a token that is not cached. Of the same token at the same time, by the same keys, one does the work.
func (v *Verifier) full(ctx context.Context, in realm, raw string, key hash) (verified, error) {
	p, err := in.precheck(raw, v.clock())
	if err != nil {
		return verified{}, err
	}
	found, err := p.issuer.keys.find(ctx, p.header)
	if err != nil {
		return verified{}, keyError(ctx, err)
	}
	ctx = context.WithoutCancel(ctx) // others may wait for the result, and it takes a fraction of a millisecond
	flight := string(binary.BigEndian.AppendUint64(key[:], found.asOf))
	result, err, _ := in.flights.Do(flight, func() (any, error) {
		principal, err := p.verify(ctx, raw, found.keys)
		if err != nil {
			return nil, err
		}
		good := verified{principal: principal, keys: p.issuer.keys, asOf: found.asOf}
		in.verified.Add(key, good)
		return good, nil
	})
	if err != nil {
		return verified{}, err
	}
	good, _ := result.(verified) // what the function above returns
	return good, nil
}

func keyError(ctx context.Context, err error) error {
	switch {
	case errors.Is(err, errUnknownKey):
		return errInvalid(err)
	case ctx.Err() != nil:
		return fmt.Errorf("wait for the issuer's keys: %w", err)
	default:
		return errKeysUnavailable(err)
	}
}

// verify checks the signature, and with go-oidc the issuer, the audience and the expiry once more. It makes no request.
func (p *parsed) verify(ctx context.Context, raw string, keys []jose.JSONWebKey) (*authz.Principal, error) {
	public := make([]crypto.PublicKey, len(keys))
	for i, key := range keys {
		public[i] = key.Key
	}
	verifier := oidc.NewVerifier(p.issuer.URL, &oidc.StaticKeySet{PublicKeys: public}, p.issuer.oidc)
	if _, err := verifier.Verify(ctx, raw); err != nil {
		if _, expired := errors.AsType[*oidc.TokenExpiredError](err); expired {
			return nil, errExpired()
		}
		return nil, errInvalid(err)
	}
	principal, err := p.principal()
	if err != nil {
		return nil, errInvalid(err)
	}
	return principal, nil
}

// Start does nothing: keys are fetched when they are needed, so that a service starts while the issuer is away.
func (v *Verifier) Start(context.Context) error { return nil }

// Stop ends the requests for keys that are under way and waits for them.
func (v *Verifier) Stop(context.Context) error {
	for _, issuer := range v.people.issuers {
		issuer.keys.stop()
	}
	return nil
}
