package accounts_test

import (
	"context"
	"net/url"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/accounts"
	"github.com/atrium-mesh/atrium/services/auth/internal/password"
)

func tokenOf(t *testing.T, link string) string {
	t.Helper()
	u, err := url.Parse(link)
	require.NoError(t, err)
	return u.Query().Get("token")
}

// counted is a hasher that counts.
type counted struct {
	accounts.Passwords
	hashes *atomic.Int32
}

func (c counted) Hash(ctx context.Context, password string) (string, error) {
	c.hashes.Add(1)
	return c.Passwords.Hash(ctx, password)
}

func (c counted) Verify(ctx context.Context, text, encoded string) (password.Result, error) {
	c.hashes.Add(1)
	return c.Passwords.Verify(ctx, text, encoded)
}

// Signing up is the same work whether or not there is an account: one hash, and about as many statements, all of which are within the time
// after which the answer comes.
func TestRegister_is_the_same_work(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var hashes atomic.Int32
	quiet := *b.tested
	quiet.RevealsAccounts = false
	quiet.Passwords = counted{b.tested.Passwords, &hashes}
	work := func(email string) (statements int, hashed int32) {
		before := hashes.Load()
		statements = b.Statements(func() {
			_, err := quiet.Register(t.Context(), &api.RegisterRequest{
				Body: api.Registration{Email: email, Password: goodPassword, FullName: "Ada"},
			})
			require.NoError(t, err)
		})
		return statements, hashes.Load() - before
	}
	fresh, once := work("a@example.com")
	taken, again := work("a@example.com")
	require.EqualValues(t, 1, once)
	require.EqualValues(t, 1, again)
	require.Greater(t, fresh, 5)
	t.Logf("%d statements for a new address, %d for a taken one", fresh, taken)
	require.InDelta(t, fresh, taken, 6)

	verify := b.link(t, b.idOf(t, "a@example.com"), api.LinkVerifyEmail)
	_, err := quiet.VerifyEmail(t.Context(), &api.VerifyEmailRequest{Body: api.Verification{Token: verify, Password: goodPassword}})
	require.NoError(t, err)
	owned, _ := work("a@example.com")
	t.Logf("%d statements for an address that is proved", owned)
	require.InDelta(t, fresh, owned, 3)
}
