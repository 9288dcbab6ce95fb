package keys

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/atrium-mesh/atrium/services/auth/api"
)

// JWKS publishes every key that a token may be signed with now or soon, or was signed with a while ago. While the database is away it
// answers what was read last.
func (r *Ring) JWKS(ctx context.Context, _ *struct{}) (*api.JWKSResponse, error) {
	s, err := r.fresh(ctx)
	if err != nil {
		if s = r.current.Load(); s == nil {
			return nil, err
		}
	}
	now := r.Clock()
	out := &api.JWKSResponse{CacheControl: CacheControl, Body: api.JSONWebKeySet{Keys: []api.JSONWebKey{}}}
	for _, life := range s.lives {
		if !life.published(now) {
			continue
		}
		key, err := published(s.pairs[life.ID])
		if err != nil {
			return nil, err
		}
		out.Body.Keys = append(out.Body.Keys, key)
	}
	return out, nil
}

// Document is JWKS as JSON, for the verifier of auth itself.
func (r *Ring) Document(ctx context.Context) ([]byte, error) {
	set, err := r.JWKS(ctx, nil)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(set.Body)
	if err != nil {
		return nil, fmt.Errorf("encode the key set: %w", err)
	}
	return text, nil
}

// published is the public half, as go-jose writes it.
func published(p pair) (key api.JSONWebKey, err error) {
	text, err := json.Marshal(p.public)
	if err != nil {
		return key, fmt.Errorf("encode a public key: %w", err)
	}
	if err := json.Unmarshal(text, &key); err != nil {
		return key, fmt.Errorf("encode a public key: %w", err)
	}
	return key, nil
}

// Discovery answers the discovery documents of an issuer. It names only what is there: there is no authorization endpoint yet.
type Discovery struct {
	Issuer     string   // ISSUER, without a slash at the end
	Algorithms []string // of Ring
}

// OpenID is OpenID Connect Discovery 1.0, section 3.
func (d Discovery) OpenID(context.Context, *struct{}) (*api.MetadataResponse, error) {
	return d.metadata(), nil
}

// OAuth is RFC 8414, section 2.
func (d Discovery) OAuth(context.Context, *struct{}) (*api.MetadataResponse, error) {
	return d.metadata(), nil
}

func (d Discovery) metadata() *api.MetadataResponse {
	return &api.MetadataResponse{CacheControl: CacheControl, Body: api.ProviderMetadata{
		Issuer:                           d.Issuer,
		TokenEndpoint:                    d.Issuer + api.Token.Path,
		JWKSURI:                          d.Issuer + api.JWKS.Path,
		ScopesSupported:                  api.Permissions(),
		ResponseTypesSupported:           []string{},
		GrantTypesSupported:              []string{"password", "refresh_token"},
		SubjectTypesSupported:            []string{"public"},
		IDTokenSigningAlgValuesSupported: d.Algorithms,
		TokenEndpointAuthMethods:         []string{"none"},
		ClaimsSupported:                  []string{"iss", "sub", "aud", "exp", "iat", "jti", "sid", "org_id", "roles", "scope", "type"},
	}}
}
