package sessions

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/tokens"
)

// issued is a pair of tokens.
type issued struct {
	access  lasting
	refresh lasting
	scope   string
}

// lasting is a token, and for how long it is good.
type lasting struct {
	text string
	ttl  time.Duration
}

func (l lasting) seconds() int { return int(l.ttl.Seconds()) }

// issue signs the access token of a grant that is committed.
func (s *Service) issue(ctx context.Context, grant tokens.Grant, refresh tokens.Refresh, session identity.Session) (issued, error) {
	access, err := s.Access.Issue(ctx, grant)
	if err != nil {
		return issued{}, err
	}
	return issued{
		access:  lasting{text: access, ttl: s.Access.Expiry(grant).Sub(grant.At)},
		refresh: lasting{text: refresh.Text(), ttl: session.ExpiresAt.Sub(session.LastSeenAt)},
		scope:   strings.Join(grant.Permissions, " "),
	}, nil
}

const (
	noStore    = "no-store"
	typeBearer = "Bearer"
)

// answer hands tokens out, in the body or in cookies.
func (s *Service) answer(made issued, cookies bool) *api.TokensResponse {
	out := &api.TokensResponse{
		CacheControl: noStore,
		Body: api.Tokens{
			TokenType:        typeBearer,
			ExpiresIn:        made.access.seconds(),
			RefreshExpiresIn: made.refresh.seconds(),
			Scope:            made.scope,
		},
	}
	if cookies {
		out.SetCookie = []http.Cookie{accessCookie(made.access), refreshCookie(made.refresh)}
		return out
	}
	out.Body.AccessToken, out.Body.RefreshToken = made.access.text, made.refresh.text
	return out
}

// accessCookie is sent with every request of the site (__Host-: over TLS, by this host only).
func accessCookie(token lasting) http.Cookie {
	return http.Cookie{
		Name: api.CookieAccess, Value: token.text, Path: "/", MaxAge: token.seconds(), Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// refreshCookie is sent to auth only.
func refreshCookie(token lasting) http.Cookie {
	return http.Cookie{
		Name: api.CookieRefresh, Value: token.text, Path: api.CookieRefreshPath, MaxAge: token.seconds(), Secure: true, HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	}
}

// deviceLife is as long as browsers keep a cookie at most (RFC 6265bis section 5.5).
const deviceLife = 400 * 24 * time.Hour

// deviceCookie lets the browser be recognised when it signs in again, also after signing out. It opens nothing. The prefix __Host- keeps
// neighbouring hosts from planting one of theirs, by which they would be recognised, too.
func deviceCookie(value string) http.Cookie {
	return http.Cookie{
		Name:     api.CookieDevice,
		Value:    value,
		Path:     "/",
		MaxAge:   int(deviceLife.Seconds()),
		Secure:   true,
		HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	}
}

// noCookies removes both cookies with tokens.
func noCookies() []http.Cookie {
	access, refresh := accessCookie(lasting{}), refreshCookie(lasting{}) //nolint:gosec // both are Secure and HttpOnly, see above
	access.MaxAge, refresh.MaxAge = -1, -1
	return []http.Cookie{access, refresh}
}
