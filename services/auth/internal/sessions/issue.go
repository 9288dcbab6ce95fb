package sessions

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/tokens"
)

// issued is a pair of tokens.
type issued struct {
	access  string
	refresh string
	scope   string
}

// issue signs the access token of a grant that is committed.
func (s *Service) issue(ctx context.Context, grant tokens.Grant, refresh tokens.Refresh) (issued, error) {
	access, err := s.Access.Issue(ctx, grant)
	if err != nil {
		return issued{}, err
	}
	return issued{access: access, refresh: refresh.Text(), scope: strings.Join(grant.Permissions, " ")}, nil
}

const (
	noStore    = "no-store"
	typeBearer = "Bearer"
)

// answer hands tokens out, in the body or in cookies.
func (s *Service) answer(made issued, cookies bool) *api.TokensResponse {
	out := &api.TokensResponse{
		CacheControl: noStore,
		Body:         api.Tokens{TokenType: typeBearer, ExpiresIn: int(s.Access.TTL.Seconds()), Scope: made.scope},
	}
	if cookies {
		out.SetCookie = []http.Cookie{accessCookie(made.access, s.Access.TTL), refreshCookie(made.refresh, s.RefreshTTL)}
		return out
	}
	out.Body.AccessToken, out.Body.RefreshToken = made.access, made.refresh
	return out
}

// accessCookie is sent with every request of the site (__Host-: over TLS, by this host only).
func accessCookie(value string, ttl time.Duration) http.Cookie {
	return http.Cookie{
		Name: api.CookieAccess, Value: value, Path: "/", MaxAge: int(ttl.Seconds()), Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	}
}

// refreshCookie is sent to auth only.
func refreshCookie(value string, ttl time.Duration) http.Cookie {
	return http.Cookie{
		Name: api.CookieRefresh, Value: value, Path: api.CookieRefreshPath, MaxAge: int(ttl.Seconds()), Secure: true, HttpOnly: true,
		SameSite: http.SameSiteLaxMode,
	}
}

// noCookies removes both cookies.
func noCookies() []http.Cookie {
	access, refresh := accessCookie("", 0), refreshCookie("", 0) //nolint:gosec // both are Secure and HttpOnly, see above
	access.MaxAge, refresh.MaxAge = -1, -1
	return []http.Cookie{access, refresh}
}
