package token

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/strictjson"
)

// TypeExternal is the Type of a principal whose token a further issuer signed.
const TypeExternal = "external"

// ownClaims are those that only our own issuer's tokens are believed.
type ownClaims struct {
	SessionID string   `json:"sid"`
	OrgID     string   `json:"org_id"`
	Roles     []string `json:"roles"`
	Scope     string   `json:"scope"`
	Type      string   `json:"type"`
}

// externalClaims are those taken from a further issuer.
type externalClaims struct {
	SessionID string `json:"sid"`
	Scope     string `json:"scope"`
}

// principal is who a verified token speaks for.
func (p *parsed) principal() (*authz.Principal, error) {
	if p.issuer.Own {
		return p.ownPrincipal()
	}
	return p.externalPrincipal()
}

func (p *parsed) ownPrincipal() (*authz.Principal, error) {
	var c ownClaims
	if err := strictjson.Unmarshal(p.payload, &c); err != nil {
		return nil, fmt.Errorf("claims: %w", err)
	}
	if err := p.checkBearer(c); err != nil {
		return nil, err
	}
	return &authz.Principal{
		Subject:     p.claims.Subject,
		SessionID:   c.SessionID,
		OrgID:       c.OrgID,
		TokenID:     p.claims.ID,
		KeyID:       KeyID(p.header.Kid),
		Issuer:      p.claims.Issuer,
		Type:        c.Type,
		Roles:       slices.Clip(c.Roles),
		Permissions: slices.Clip(strings.Fields(c.Scope)),
		IssuedAt:    IssuedAt(p.claims.ID, p.claims.IssuedAt.Time()),
		ExpiresAt:   p.claims.ExpiresAt.Time(),
	}, nil
}

// externalPrincipal gives the token of a further issuer a subject and a session that can never equal ours, no role and no
// organization, and of its scope what that issuer may grant.
func (p *parsed) externalPrincipal() (*authz.Principal, error) {
	var c externalClaims
	if err := strictjson.Unmarshal(p.payload, &c); err != nil {
		return nil, fmt.Errorf("claims: %w", err)
	}
	principal := &authz.Principal{
		Subject:   p.claims.Issuer + "|" + p.claims.Subject,
		TokenID:   p.claims.ID,
		Issuer:    p.claims.Issuer,
		Type:      TypeExternal,
		ExpiresAt: p.claims.ExpiresAt.Time(),
	}
	if c.SessionID != "" {
		principal.SessionID = p.claims.Issuer + "|" + c.SessionID
	}
	if p.claims.IssuedAt != nil {
		principal.IssuedAt = p.claims.IssuedAt.Time()
	}
	for permission := range strings.FieldsSeq(c.Scope) {
		if slices.Contains(p.issuer.Permissions, permission) {
			principal.Permissions = append(principal.Permissions, permission)
		}
	}
	principal.Permissions = slices.Clip(principal.Permissions)
	return principal, nil
}

// IssuedAt is the instant, to the millisecond, at which a token of ours was issued: the time in its id, which is a UUIDv7 (RFC 9562,
// section 5.7). For any other id it is iat, which has whole seconds and is thus early: such a token is revoked rather than spared.
func IssuedAt(tokenID string, iat time.Time) time.Time {
	id, err := uuid.Parse(tokenID)
	if err != nil || id.Version() != 7 {
		return iat
	}
	milliseconds := int64(id[0])<<40 | int64(id[1])<<32 | int64(id[2])<<24 | int64(id[3])<<16 | int64(id[4])<<8 | int64(id[5])
	return time.UnixMilli(milliseconds).UTC()
}

// NewID makes the jti of a token of ours, and the instant that is in it: now, or notBefore when that is later, rounded as a watermark
// rounds it, so that the token is not void before it is used. Whoever signs a token after a revocation hands the latest watermark in.
func NewID(now, notBefore time.Time) (id string, issuedAt time.Time, err error) {
	v7, err := uuid.NewV7()
	if err != nil {
		return "", time.Time{}, fmt.Errorf("token id: %w", err)
	}
	issuedAt = later(now.Truncate(time.Millisecond), ceilMillisecond(notBefore)).UTC()
	for n, shift := 0, 40; n < 6; n, shift = n+1, shift-8 {
		v7[n] = byte(issuedAt.UnixMilli() >> shift) //nolint:gosec // the lowest byte is what is meant
	}
	return v7.String(), issuedAt, nil
}
