package tokens

import (
	"context"
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/token"
)

const typeAccess = "at+jwt" // RFC 9068 section 2.1

// Signer makes a compact JWT of claims.
type Signer interface {
	Sign(ctx context.Context, typ string, claims any) (string, error)
}

// Config is what access tokens say.
type Config struct {
	Issuer   string
	Audience string
	TTL      time.Duration // how long an access token lives
}

// Access issues access tokens.
type Access struct {
	Config
	signer Signer
}

// NewAccess makes an issuer of access tokens.
func NewAccess(cfg Config, signer Signer) *Access { return &Access{Config: cfg, signer: signer} }

// Grant is what a token is issued for.
type Grant struct {
	Account     uuid.UUID
	Session     uuid.UUID
	OrgID       string
	Roles       []string
	Permissions []string
	At          time.Time // see Instant
	Until       time.Time // when the session ends: no token of it lives longer
}

type claims struct {
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	Audience  []string `json:"aud"`
	ExpiresAt int64    `json:"exp"`
	IssuedAt  int64    `json:"iat"`
	ID        string   `json:"jti"`
	ClientID  string   `json:"client_id"`
	SessionID string   `json:"sid"`
	OrgID     string   `json:"org_id"`
	Roles     []string `json:"roles"`
	Scope     string   `json:"scope"`
	Type      string   `json:"type"`
}

// clientID stands for Atrium's own clients, all of which are first-party (RFC 9068 section 2.2 wants one).
const clientID = "atrium"

// Issue makes a token.
func (a *Access) Issue(ctx context.Context, g Grant) (string, error) {
	id, err := idAt(g.At)
	if err != nil {
		return "", err
	}
	return a.signer.Sign(ctx, typeAccess, claims{
		Issuer: a.Issuer, Subject: g.Account.String(), Audience: []string{a.Audience},
		ExpiresAt: a.Expiry(g).Unix(), IssuedAt: g.At.Unix(), ID: id.String(), ClientID: clientID,
		SessionID: g.Session.String(), OrgID: g.OrgID, Roles: g.Roles, Scope: strings.Join(g.Permissions, " "), Type: "user",
	})
}

// ServiceGrant is what the token of a service is issued for.
type ServiceGrant struct {
	Service string // who it speaks for
	Target  string // whom it speaks to, and nobody else
	At      time.Time
}

// serviceClaims have neither roles nor a scope: what a service may ask for is up to whoever is asked.
type serviceClaims struct {
	Issuer    string   `json:"iss"`
	Subject   string   `json:"sub"`
	Audience  []string `json:"aud"`
	ExpiresAt int64    `json:"exp"`
	IssuedAt  int64    `json:"iat"`
	ID        string   `json:"jti"`
	ClientID  string   `json:"client_id"`
	Type      string   `json:"type"`
}

// IssueService makes the token of a service. It lives as long as a person's, so that a withdrawn key voids both.
func (a *Access) IssueService(ctx context.Context, g ServiceGrant) (string, error) {
	id, err := idAt(g.At)
	if err != nil {
		return "", err
	}
	return a.signer.Sign(ctx, typeAccess, serviceClaims{
		Issuer:    a.Issuer,
		Subject:   token.ServiceName(g.Service),
		Audience:  []string{token.ServiceName(g.Target)},
		ExpiresAt: g.At.Add(a.TTL).Unix(),
		IssuedAt:  g.At.Unix(),
		ID:        id.String(),
		ClientID:  g.Service,
		Type:      token.TypeService,
	})
}

// Expiry is when a token of this grant expires: after its time, or with its session.
func (a *Access) Expiry(g Grant) time.Time {
	at := g.At.Add(a.TTL)
	if !g.Until.IsZero() && g.Until.Before(at) {
		return g.Until
	}
	return at
}

// Instant is when a token counts as issued: now, or the instant that it must not be older than when a clock elsewhere is ahead. It has
// milliseconds.
func Instant(now, notBefore time.Time) time.Time {
	if notBefore.After(now) {
		now = notBefore
	}
	floor := now.Truncate(time.Millisecond)
	if floor.Before(notBefore) {
		return floor.Add(time.Millisecond)
	}
	return floor
}

// idAt is a UUIDv7 (RFC 9562 section 5.7) of an instant.
func idAt(at time.Time) (uuid.UUID, error) {
	var id uuid.UUID
	if _, err := rand.Read(id[6:]); err != nil {
		return id, fmt.Errorf("make a token id: %w", err)
	}
	milliseconds := at.UnixMilli()
	for i := range 6 {
		id[i] = byte(milliseconds >> (40 - 8*i)) //nolint:gosec // one byte after the other
	}
	id[6] = id[6]&0x0f | 0x70
	id[8] = id[8]&0x3f | 0x80
	return id, nil
}
