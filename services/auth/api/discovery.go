package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/op"
)

const tagDiscovery = "Discovery"

// JSONWebKey is a public key that access tokens are verified with (RFC 7517).
type JSONWebKey struct {
	KeyType   string `json:"kty" doc:"Family of the key" example:"EC"`
	Use       string `json:"use" doc:"What it is for: signatures" example:"sig"`
	KeyID     string `json:"kid" doc:"What a token's header names it by" example:"0198c5a06f5e7c3b"`
	Algorithm string `json:"alg" doc:"The algorithm it signs with" example:"ES256"`
	Curve     string `json:"crv,omitempty" doc:"The curve of an EC key" example:"P-256"`
	X         string `json:"x,omitempty" doc:"A coordinate of an EC key" example:"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4"`
	Y         string `json:"y,omitempty" doc:"The other coordinate of an EC key" example:"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"`
	N         string `json:"n,omitempty" doc:"The modulus of an RSA key"`
	E         string `json:"e,omitempty" doc:"The exponent of an RSA key"`
}

// JSONWebKeySet is every public key that a token may be signed with now or soon.
type JSONWebKeySet struct {
	Keys []JSONWebKey `json:"keys" nullable:"false" doc:"The keys, the one that signs now among them"`
}

// JWKSResponse is the key set.
type JWKSResponse struct {
	CacheControl string `header:"Cache-Control" doc:"How long it may be cached" example:"public, max-age=300"`
	Body         JSONWebKeySet
}

// JWKS publishes the keys that tokens are verified with.
var JWKS = op.Op[struct{}, JWKSResponse]{
	Operation: huma.Operation{
		OperationID: "jwks", Method: http.MethodGet, Path: "/.well-known/jwks.json", Tags: []string{tagDiscovery},
		Summary: "Keys that verify tokens", Description: "The public keys as a JSON Web Key Set. A new key is here long before it signs.",
	},
	Subject: "rpc.auth.jwks", Allow: authz.Public(), Limit: op.LimitNone,
}

// ProviderMetadata describes the issuer (RFC 8414, OpenID Connect Discovery 1.0).
type ProviderMetadata struct {
	Issuer                           string   `json:"issuer" doc:"The iss of tokens" example:"https://atrium.example.com"`
	TokenEndpoint                    string   `json:"token_endpoint" doc:"Where tokens come from" example:"https://atrium.example.com/api/v1/auth/token"`
	JWKSURI                          string   `json:"jwks_uri" doc:"Where the keys are" example:"https://atrium.example.com/.well-known/jwks.json"`
	ScopesSupported                  []string `json:"scopes_supported" nullable:"false" doc:"The permissions there are" example:"[\"users:read\"]"`
	ResponseTypesSupported           []string `json:"response_types_supported" nullable:"false" doc:"The response types of the authorization endpoint: there is none yet" example:"[]"`
	GrantTypesSupported              []string `json:"grant_types_supported" nullable:"false" doc:"The grants of the token endpoint" example:"[\"password\",\"refresh_token\"]"`
	SubjectTypesSupported            []string `json:"subject_types_supported" nullable:"false" doc:"How subjects are named" example:"[\"public\"]"`
	IDTokenSigningAlgValuesSupported []string `json:"id_token_signing_alg_values_supported" nullable:"false" doc:"The algorithms that sign" example:"[\"ES256\"]"`
	TokenEndpointAuthMethods         []string `json:"token_endpoint_auth_methods_supported" nullable:"false" doc:"How clients authenticate at the token endpoint" example:"[\"none\"]"`
	ClaimsSupported                  []string `json:"claims_supported" nullable:"false" doc:"The claims of tokens" example:"[\"sub\",\"iss\"]"`
}

// MetadataResponse is the issuer's description.
type MetadataResponse struct {
	CacheControl string `header:"Cache-Control" doc:"How long it may be cached" example:"public, max-age=300"`
	Body         ProviderMetadata
}

// OpenIDConfiguration is the discovery document of OpenID Connect.
var OpenIDConfiguration = op.Op[struct{}, MetadataResponse]{
	Operation: huma.Operation{
		OperationID: "openid-configuration", Method: http.MethodGet, Path: "/.well-known/openid-configuration", Tags: []string{tagDiscovery},
		Summary: "Discovery document of OpenID Connect", Description: "Where the issuer's endpoints are and what they offer.",
	},
	Allow: authz.Public(), Limit: op.LimitNone,
}

// OAuthMetadata is the discovery document of OAuth 2.0.
var OAuthMetadata = op.Op[struct{}, MetadataResponse]{
	Operation: huma.Operation{
		OperationID: "oauth-authorization-server", Method: http.MethodGet, Path: "/.well-known/oauth-authorization-server", Tags: []string{tagDiscovery},
		Summary: "Discovery document of OAuth 2.0", Description: "Where the issuer's endpoints are and what they offer (RFC 8414).",
	},
	Allow: authz.Public(), Limit: op.LimitNone,
}
