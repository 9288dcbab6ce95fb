package e2e_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	authapi "github.com/atrium-mesh/atrium/services/auth/api"
	usersapi "github.com/atrium-mesh/atrium/services/users/api"
	"github.com/atrium-mesh/atrium/test/e2e/client"
	"github.com/atrium-mesh/atrium/test/e2e/mesh"
)

func refreshWith(c *client.Client, token string) *client.Answer {
	return c.Post(authapi.Refresh.Path, map[string]string{"refresh_token": token})
}

// TestSessions_end: an answer that was lost accuses nobody, a thief is noticed at once, and no session outlives its lifetime.
func TestSessions_end(t *testing.T) {
	t.Parallel()
	m := mesh.Processes(t, mesh.Options{EnvOf: map[string]string{"auth.REFRESH_GRACE": "60s", "auth.SESSION_MAX_AGE": "15s"}})
	nobody := visitor(t, m)

	t.Run("a_lost_answer_is_given_again", func(t *testing.T) {
		t.Parallel()
		_, phone := nobody.For(t).SignUp("lost")
		lost := client.Decode[authapi.Tokens](refreshWith(phone, phone.Refresh).Want(http.StatusOK))
		again := client.Decode[authapi.Tokens](refreshWith(phone, phone.Refresh).Want(http.StatusOK))
		require.Equal(t, lost.RefreshToken, again.RefreshToken)
		refreshWith(phone, again.RefreshToken).Want(http.StatusOK)
	})

	t.Run("a_used_successor_makes_its_parent_reuse_within_the_grace", func(t *testing.T) {
		t.Parallel()
		p, phone := nobody.For(t).SignUp("stolen")
		child := client.Decode[authapi.Tokens](refreshWith(phone, phone.Refresh).Want(http.StatusOK))
		last := client.Decode[authapi.Tokens](refreshWith(phone, child.RefreshToken).Want(http.StatusOK))
		refreshWith(phone, phone.Refresh).WantProblem(http.StatusUnauthorized, "refresh_token_reused")
		refreshWith(phone, last.RefreshToken).WantProblem(http.StatusUnauthorized, "refresh_token_invalid")
		phone.ReadMail(p.Email, client.SubjectCompromised)
	})

	t.Run("a_session_that_is_used_ends_with_its_lifetime", func(t *testing.T) {
		t.Parallel()
		p, phone := nobody.For(t).SignUp("long")
		refresh := phone.Refresh
		var last *client.Answer
		phone.Eventually("the lifetime is over", func() bool {
			if last = refreshWith(phone, refresh); last.Status == http.StatusOK {
				tokens := client.Decode[authapi.Tokens](last)
				require.LessOrEqual(t, tokens.RefreshExpiresIn, 15)
				require.LessOrEqual(t, tokens.ExpiresIn, 15)
				refresh, phone.Access = tokens.RefreshToken, tokens.AccessToken
			}
			return last.Status != http.StatusOK
		})
		last.WantProblem(http.StatusUnauthorized, "refresh_token_invalid")
		phone.Get(usersapi.GetMe.Path).Want(http.StatusUnauthorized)
		phone.Login(p)
		phone.Get(authapi.ListSessions.Path).Want(http.StatusOK)
	})
}

// TestReauthenticate: the password makes a session fresh again, and a wrong one does not.
func TestReauthenticate(t *testing.T) {
	t.Parallel()
	everywhere(t, func(t *testing.T, m *mesh.Mesh) {
		t.Helper()
		p, phone := visitor(t, m).SignUp("fresh")
		phone.Post(authapi.Reauthenticate.Path, map[string]string{"password": "eleven quiet mistakes"}).
			WantProblem(http.StatusForbidden, "wrong_password")
		phone.Post(authapi.Reauthenticate.Path, map[string]string{"password": p.Password}).Want(http.StatusNoContent)
		phone.WithToken("").Post(authapi.Reauthenticate.Path, map[string]string{"password": p.Password}).
			WantProblem(http.StatusUnauthorized, "token_missing")
	})
}
