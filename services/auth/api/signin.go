package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/op"
)

const tagSignIn = "Sign-in"

// The cookies that auth sets, and what each proves. All are HttpOnly, Secure and SameSite=Lax.
const (
	// CookieAccess is an access token: whoever sends it is the person, until it expires.
	CookieAccess = "__Host-atrium_access"
	// CookieRefresh is a refresh token: it gives new tokens and ends the session. It is sent to CookieRefreshPath only.
	CookieRefresh     = "__Secure-atrium_refresh"
	CookieRefreshPath = "/api/v1/auth"
	// CookieDevice is no token. At sign-in it proves a browser of before, whose owner is not told of a new device.
	CookieDevice = "__Host-atrium_device"
	// CookieSignUp is no token either. With the link of the mail it proves the browser that signed up, where the password of the sign-up is
	// not asked for again.
	CookieSignUp = "__Host-atrium_sign_up"
)

// Cookies are the names of all of them. Each decides something for a person, so that they are treated alike: one that is there twice is
// refused, since two readers could take different ones, and with any of them the page that asks must be of an allowed origin.
func Cookies() []string { return []string{CookieAccess, CookieRefresh, CookieDevice, CookieSignUp} }

// The transports of tokens.
const (
	TransportBody   = "body"
	TransportCookie = "cookie"
)

// Credentials are what a person signs in with.
type Credentials struct {
	Email     string `json:"email" minLength:"1" maxLength:"254" doc:"The address of the account" example:"ada@example.com"`
	Password  string `json:"password" minLength:"1" maxLength:"256" writeOnly:"true" doc:"The password" example:"seven green bicycles"`
	Transport string `json:"transport,omitempty" enum:"body,cookie" default:"body" doc:"Where the tokens go: into the answer's body, or into HttpOnly cookies that scripts cannot read" example:"body"`
}

// HeaderCookiesLost is how the gateway says why the browser that asks would not keep cookies of ours: [LostCrossSite], [LostInsecure].
// It is not there for one that would, and for programs, which do as they like. Clients cannot send it.
const HeaderCookiesLost = "X-Atrium-Cookies-Lost"

// Why a browser would not keep cookies.
const (
	LostCrossSite = "cross_site" // the page is of another site: browsers drop SameSite=Lax cookies of answers to it
	LostInsecure  = "insecure"   // plain HTTP, not on this machine: browsers drop Secure cookies
)

// LoginRequest signs in.
type LoginRequest struct {
	Device      string `cookie:"__Host-atrium_device" doc:"What the browser is recognised by, so that its owner is not told of a new device"`
	Refresh     string `cookie:"__Secure-atrium_refresh" doc:"The session that the browser has so far. Signing in with cookies ends it"`
	CookiesLost string `header:"X-Atrium-Cookies-Lost" hidden:"true" doc:"Set by the gateway"`
	Body        Credentials
}

// Tokens are what a client calls with. With cookies, the tokens themselves are not in the body.
type Tokens struct {
	AccessToken  string `json:"access_token,omitempty" doc:"A JWT to call with, as a bearer token; absent when it went into a cookie" example:"eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.c2ln"`
	TokenType    string `json:"token_type" doc:"How to use it" example:"Bearer"`
	ExpiresIn    int    `json:"expires_in" doc:"In how many seconds the access token expires" example:"900"`
	RefreshToken string `json:"refresh_token,omitempty" doc:"Gives new tokens, once; absent when it went into a cookie" example:"AZjFoG9efDuaUT99HCtKXmV4YW1wbGUtb25seS1ub3QtYS10b2tlbg"`
	Scope        string `json:"scope,omitempty" doc:"The permissions of the access token, space separated" example:"users:read sessions:read"`

	RefreshExpiresIn int `json:"refresh_expires_in" doc:"In how many seconds the session ends unless it is used: the refresh token is good until then. It is less towards the end of the session's absolute lifetime" example:"2592000"`
}

// TokensResponse hands tokens out. It must never be cached.
type TokensResponse struct {
	CacheControl string        `header:"Cache-Control" doc:"no-store: tokens must not be cached" example:"no-store"`
	SetCookie    []http.Cookie `header:"Set-Cookie" doc:"The tokens, when cookies were asked for"`
	Body         Tokens
}

// Login signs a person in.
var Login = op.Op[LoginRequest, TokensResponse]{
	Operation: huma.Operation{
		OperationID: "login", Method: http.MethodPost, Path: "/api/v1/auth/login", Tags: []string{tagSignIn},
		Summary: "Sign in", Errors: []int{http.StatusUnauthorized, http.StatusForbidden},
		Description: "Starts a session. 401 `invalid_credentials` for an unknown address, a wrong password, a disabled account and an address that is " +
			"not verified yet alike. Where REGISTRATION_REVEALS_ACCOUNTS is on, the last is 403 `email_not_verified` when the password is right. " +
			"429 `too_many_attempts` after many failures. The owner is told of a sign-in from a browser that is new in its network, unless the " +
			"browser has the device cookie that it is given with `transport` `cookie`; at most ten times a day. " +
			"With `transport: cookie` the page must be of this server's site, over TLS or on localhost, and call with `credentials: 'include'` when " +
			"its origin is another one: browsers keep no cookies otherwise. The session whose cookies are replaced ends. What the gateway can see of that is 422 `cookies_not_possible`, and " +
			"nothing was tried.",
	},
	Allow: authz.Public(), Limit: op.LimitSignIn,
}

// TokenForm is a request to the OAuth 2.0 token endpoint. Parameters that are not known are ignored (RFC 6749 section 3.2).
type TokenForm struct {
	_            struct{} `json:"-" additionalProperties:"true"`
	GrantType    string   `json:"grant_type,omitempty" maxLength:"64" doc:"password or refresh_token" example:"password"`
	Username     string   `json:"username,omitempty" maxLength:"320" doc:"The address of the account, for the grant password" example:"ada@example.com"`
	Password     string   `json:"password,omitempty" maxLength:"1024" writeOnly:"true" doc:"The password, for the grant password" example:"seven green bicycles"`
	RefreshToken string   `json:"refresh_token,omitempty" maxLength:"512" writeOnly:"true" doc:"The refresh token, for the grant refresh_token"`
	Scope        string   `json:"scope,omitempty" maxLength:"2048" doc:"Ignored: the scope follows from the person's roles"`
}

// TokenRequest is a form of the OAuth 2.0 token endpoint.
type TokenRequest struct {
	Body TokenForm `contentType:"application/x-www-form-urlencoded"`
}

// OAuthAnswer is the answer of the token endpoint: tokens, or what went wrong (RFC 6749 sections 5.1 and 5.2).
type OAuthAnswer struct {
	AccessToken      string `json:"access_token,omitempty" doc:"A JWT to call with, as a bearer token" example:"eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.e30.c2ln"`
	TokenType        string `json:"token_type,omitempty" doc:"How to use it" example:"Bearer"`
	ExpiresIn        int    `json:"expires_in,omitempty" doc:"In how many seconds the access token expires" example:"900"`
	RefreshToken     string `json:"refresh_token,omitempty" doc:"Gives new tokens, once" example:"AZjFoG9efDuaUT99HCtKXmV4YW1wbGUtb25seS1ub3QtYS10b2tlbg"`
	Scope            string `json:"scope,omitempty" doc:"The permissions of the access token, space separated" example:"users:read sessions:read"`
	RefreshExpiresIn int    `json:"refresh_expires_in,omitempty" doc:"In how many seconds the session ends unless it is used" example:"2592000"`
	Error            string `json:"error,omitempty" doc:"On 400 only: invalid_request, invalid_grant or unsupported_grant_type"`
	ErrorDescription string `json:"error_description,omitempty" doc:"On 400 only: what went wrong, for people"`
}

// TokenResponse is an answer of the OAuth 2.0 token endpoint.
type TokenResponse struct {
	Status       int
	CacheControl string `header:"Cache-Control" doc:"no-store: tokens must not be cached" example:"no-store"`
	Body         OAuthAnswer
}

// Token is the OAuth 2.0 token endpoint for tools that speak it, such as the Authorize button of the API reference.
var Token = op.Op[TokenRequest, TokenResponse]{
	Operation: huma.Operation{
		OperationID: "token", Method: http.MethodPost, Path: "/api/v1/auth/token", Tags: []string{tagSignIn},
		Summary: "Sign in as OAuth 2.0 does",
		Description: "The token endpoint of OAuth 2.0 (RFC 6749) with the grants `password` and `refresh_token`. What goes wrong with a grant is answered as " +
			"the RFC says: 400 with `error` and `error_description` in JSON, not as a problem.",
		Responses: map[string]*huma.Response{"400": {
			Description: "The grant is refused (RFC 6749 section 5.2), or the request cannot be read.",
			Content: map[string]*huma.MediaType{"application/json": {
				Schema: &huma.Schema{
					Type: huma.TypeObject, Required: []string{"error"},
					Properties: map[string]*huma.Schema{
						"error":             {Type: huma.TypeString, Description: "What happened, one of the RFC's codes", Examples: []any{"invalid_grant"}},
						"error_description": {Type: huma.TypeString, Description: "What happened, for people", Examples: []any{"The grant is not valid."}},
					},
				},
				Example: map[string]any{"error": "invalid_grant", "error_description": "The grant is not valid."},
			}},
		}},
	},
	Allow: authz.Public(), Limit: op.LimitSignIn,
}

// RefreshTokenBody carries a refresh token, unless the cookie does.
type RefreshTokenBody struct {
	RefreshToken string `json:"refresh_token,omitempty" maxLength:"512" writeOnly:"true" doc:"The refresh token; left out when the cookie has it" example:"AZjFoG9efDuaUT99HCtKXmV4YW1wbGUtb25seS1ub3QtYS10b2tlbg"`
}

// RefreshRequest asks for new tokens. Tokens from a cookie go back into cookies.
type RefreshRequest struct {
	Cookie string            `cookie:"__Secure-atrium_refresh" doc:"The refresh token of a client with cookies"`
	Body   *RefreshTokenBody `required:"false"`
}

// Refresh trades a refresh token for new tokens.
var Refresh = op.Op[RefreshRequest, TokensResponse]{
	Operation: huma.Operation{
		OperationID: "refresh", Method: http.MethodPost, Path: "/api/v1/auth/refresh", Tags: []string{tagSignIn},
		Summary: "Get new tokens", Errors: []int{http.StatusUnauthorized},
		Description: "Use a refresh token once. If the answer was lost, ask again within a minute (`REFRESH_GRACE`): you get the same new token, unless that one was used already. " +
			"So tabs that race both win. Presented after its successor was used, or later than that, it ends the " +
			"session and the person is told: 401 `refresh_token_reused`. 401 `refresh_token_invalid` when it is unknown, expired or revoked, and when the " +
			"session has reached its absolute lifetime (`SESSION_MAX_AGE`, 90 days): the person signs in again.",
	},
	Allow: authz.Public(),
}

// LogoutRequest ends a session: the one of the access token, or else of the refresh token in the body or the cookie.
type LogoutRequest struct {
	Cookie string            `cookie:"__Secure-atrium_refresh" doc:"The refresh token of a client with cookies"`
	Body   *RefreshTokenBody `required:"false"`
}

// SignedOutResponse removes the cookies that hold tokens.
type SignedOutResponse struct {
	SetCookie []http.Cookie `header:"Set-Cookie" doc:"Removes the cookies"`
}

// Logout ends this session.
var Logout = op.Op[LogoutRequest, SignedOutResponse]{
	Operation: huma.Operation{
		OperationID: "logout", Method: http.MethodPost, Path: "/api/v1/auth/logout", Tags: []string{tagSignIn},
		Summary: "Sign out", DefaultStatus: http.StatusNoContent, Errors: []int{http.StatusUnauthorized},
		Description: "Ends the session of the access token, or of the refresh token when there is no valid access token. Its tokens are refused at once. " +
			"401 `token_missing` when there is neither.",
	},
	Allow: authz.Public(),
}

// LogoutAll ends every session of who is signed in.
var LogoutAll = op.Op[struct{}, SignedOutResponse]{
	Operation: huma.Operation{
		OperationID: "logout-all", Method: http.MethodPost, Path: "/api/v1/auth/logout-all", Tags: []string{tagSignIn},
		Summary: "Sign out everywhere", DefaultStatus: http.StatusNoContent,
		Description: "Ends every session of the account, this one too. Their tokens are refused at once.",
	},
	Allow: authz.Authenticated(),
}
