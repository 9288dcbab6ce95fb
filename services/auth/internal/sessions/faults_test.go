package sessions_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/crypto/bcrypt"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/page"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/accounts"
	"github.com/atrium-mesh/atrium/services/auth/internal/address"
	"github.com/atrium-mesh/atrium/services/auth/internal/devices"
	"github.com/atrium-mesh/atrium/services/auth/internal/faulttest"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/password"
	"github.com/atrium-mesh/atrium/services/auth/internal/revocation"
	"github.com/atrium-mesh/atrium/services/auth/internal/sessions"
	"github.com/atrium-mesh/atrium/services/auth/internal/store"
	"github.com/atrium-mesh/atrium/services/auth/internal/throttle"
	"github.com/atrium-mesh/atrium/services/auth/internal/tokens"
)

const (
	email        = "ada@example.com"
	goodPassword = "seven green bicycles"
)

// plainSigner writes claims as they are.
type plainSigner struct{ err error }

func (s plainSigner) Sign(_ context.Context, _ string, claims any) (string, error) {
	b, err := json.Marshal(claims)
	if err == nil {
		err = s.err
	}
	return string(b), err
}

// bundle is sessions whose statements can fail, and sessions on the same database whose cannot.
type bundle struct {
	*faulttest.Bench
	tested, plain *sessions.Service
	account       identity.Account
	hasher        *password.Hasher
	clock         func() time.Time
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{Bench: faulttest.New(t), clock: time.Now}
	var err error
	b.hasher, err = password.NewHasher(password.Config{MemoryKiB: 7168, Iterations: 1, Parallelism: 1, QueueLength: 100, QueueWait: time.Minute})
	require.NoError(t, err)
	service := func(s *store.Store) *sessions.Service {
		return sessions.New(sessions.Config{RefreshTTL: time.Hour, MaxAge: 24 * time.Hour, Grace: time.Minute, RequireVerifiedEmail: true}, sessions.Deps{
			Store: s, Passwords: b.hasher, Throttle: throttle.New(s.Throttle(), []byte("key"), nil, nil),
			Access: tokens.NewAccess(tokens.Config{Issuer: "https://a.test", Audience: "atrium", TTL: time.Minute}, plainSigner{}),
			Family: tokens.NewFamily([]byte("key of the family")), Ender: revocation.NewEnder(time.Minute),
			Devices: devices.NewRecogniser([]byte("key of the devices")),
			Cursors: page.NewCursors([]byte("a key for the cursors")), Logger: slog.New(slog.DiscardHandler), Clock: func() time.Time { return b.clock() },
		})
	}
	b.tested, b.plain = service(b.Store), service(b.Plain)
	old, err := bcrypt.GenerateFromPassword([]byte(goodPassword), bcrypt.MinCost)
	require.NoError(t, err)
	where, err := address.Parse("email", email)
	require.NoError(t, err)
	require.NoError(t, b.Plain.InTx(t.Context(), func(tx identity.Tx) error {
		b.account, err = accounts.Add(t.Context(), tx, accounts.NewAccount{
			Address: where, FullName: "Ada", Origin: api.OriginSignUp, Verified: true, PasswordHash: string(old),
		}, time.Now())
		return err
	}))
	return b
}

func (b *bundle) login(ctx context.Context, s *sessions.Service, password string) (*api.TokensResponse, error) {
	return s.Login(ctx, &api.LoginRequest{Body: api.Credentials{Email: email, Password: password}})
}

func (b *bundle) signIn(t *testing.T) (tokens api.Tokens, ctx context.Context) {
	t.Helper()
	out, err := b.login(t.Context(), b.plain, goodPassword)
	require.NoError(t, err)
	var claims map[string]any
	require.NoError(t, json.Unmarshal([]byte(out.Body.AccessToken), &claims))
	return out.Body, authz.WithPrincipal(t.Context(), &authz.Principal{
		Subject: claims["sub"].(string), SessionID: claims["sid"].(string), OrgID: identity.Org,
	})
}

// Whatever statement of whatever operation fails: all of it is there, or nothing.
func TestEachStatementFails(t *testing.T) {
	t.Parallel()
	refresh := func(token string) *api.RefreshRequest {
		return &api.RefreshRequest{Body: &api.RefreshTokenBody{RefreshToken: token}}
	}
	for name, prepare := range map[string]func(t *testing.T, b *bundle) func(context.Context) error{
		"login": func(_ *testing.T, b *bundle) func(context.Context) error {
			return func(ctx context.Context) error { _, err := b.login(ctx, b.tested, goodPassword); return err }
		},
		"refresh": func(t *testing.T, b *bundle) func(context.Context) error {
			made, _ := b.signIn(t)
			return func(ctx context.Context) error {
				_, err := b.tested.Refresh(ctx, refresh(made.RefreshToken))
				return err
			}
		},
		"refresh_again": func(t *testing.T, b *bundle) func(context.Context) error {
			made, _ := b.signIn(t)
			_, err := b.plain.Refresh(t.Context(), refresh(made.RefreshToken))
			require.NoError(t, err)
			return func(ctx context.Context) error {
				_, err := b.tested.Refresh(ctx, refresh(made.RefreshToken))
				return err
			}
		},
		"logout": func(t *testing.T, b *bundle) func(context.Context) error {
			_, as := b.signIn(t)
			return func(context.Context) error { _, err := b.tested.Logout(as, &api.LogoutRequest{}); return err }
		},
		"logout_by_refresh_token": func(t *testing.T, b *bundle) func(context.Context) error {
			made, _ := b.signIn(t)
			return func(ctx context.Context) error {
				_, err := b.tested.Logout(ctx, &api.LogoutRequest{Cookie: made.RefreshToken})
				return err
			}
		},
		"logout_all": func(t *testing.T, b *bundle) func(context.Context) error {
			_, as := b.signIn(t)
			return func(context.Context) error { _, err := b.tested.LogoutAll(as, nil); return err }
		},
		"list": func(t *testing.T, b *bundle) func(context.Context) error {
			_, as := b.signIn(t)
			return func(context.Context) error {
				_, err := b.tested.List(as, &api.ListSessionsRequest{Query: page.Query{PageSize: 1}})
				return err
			}
		},
		"list_of": func(_ *testing.T, b *bundle) func(context.Context) error {
			return func(ctx context.Context) error {
				_, err := b.tested.ListOf(ctx, &api.ListUserSessionsRequest{ID: b.account.ID.String()})
				return err
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			require.GreaterOrEqual(t, b.EachStatementFails(t, prepare(t, b)), 2)
		})
	}
}

// What ends a stolen session is done as a whole, too, although the answer is an error.
func TestStolenRefreshTokenEndsTheSessionOrNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made, _ := b.signIn(t)
	in := &api.RefreshRequest{Body: &api.RefreshTokenBody{RefreshToken: made.RefreshToken}}
	_, err := b.plain.Refresh(t.Context(), in)
	require.NoError(t, err)
	later := time.Now().Add(2 * time.Minute)
	b.clock = func() time.Time { return later }
	reused := false
	b.EachStatementFails(t, func(ctx context.Context) error {
		_, err := b.tested.Refresh(ctx, in)
		if errs.From(err) != nil && errs.From(err).Code == "refresh_token_reused" {
			reused = true
			return nil
		}
		return err
	})
	require.True(t, reused)
}

func TestWrongPasswordIsRecordedOrTheAnswerIsAnother(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.EachStatementFails(t, func(ctx context.Context) error {
		_, err := b.login(ctx, b.tested, "wrong")
		if errs.From(err).Code == "invalid_credentials" {
			return nil
		}
		return err
	})
}

// Between the look at a password and the session that follows anything can happen to the account.
func TestSignIn_loses_a_race(t *testing.T) {
	t.Parallel()
	for name, meanwhile := range map[string]func(t *testing.T, b *bundle){
		"with_another_password": func(t *testing.T, b *bundle) {
			require.NoError(t, b.Plain.SetPassword(t.Context(), b.account.ID, "$another", time.Now()))
		},
		"with_no_password": func(t *testing.T, b *bundle) {
			require.NoError(t, b.Plain.DropPassword(t.Context(), b.account.ID))
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			raced := *b.plain
			raced.Store = racing{Store: b.Plain, after: func() { meanwhile(t, b) }}
			_, err := b.login(t.Context(), &raced, goodPassword)
			require.Equal(t, "invalid_credentials", errs.From(err).Code)
			n, err := b.Plain.CountOpenSessions(t.Context(), b.account.ID, identity.Open{Now: time.Now()})
			require.NoError(t, err)
			require.Zero(t, n)
		})
	}
}

// racing does something right after the password was read.
type racing struct {
	*store.Store
	after func()
}

func (r racing) Password(ctx context.Context, account uuid.UUID) (identity.Password, error) {
	p, err := r.Store.Password(ctx, account)
	r.after()
	return p, err
}

func TestSignIn_without_a_key(t *testing.T) {
	t.Parallel()
	b := setup(t)
	failure := errs.New(errs.Unavailable, "keys_missing", "No key.")
	keyless := *b.plain
	keyless.Access = tokens.NewAccess(tokens.Config{TTL: time.Minute}, plainSigner{err: failure})
	_, err := b.login(t.Context(), &keyless, goodPassword)
	require.ErrorIs(t, err, errs.Unavailable)
	made, _ := b.signIn(t)
	_, err = keyless.Refresh(t.Context(), &api.RefreshRequest{Cookie: made.RefreshToken})
	require.ErrorIs(t, err, errs.Unavailable)
	_, err = b.plain.Refresh(t.Context(), &api.RefreshRequest{Cookie: made.RefreshToken})
	require.NoError(t, err, "the client that got no answer asks again and gets the same successor")
}

// Refreshing never waits behind sign-ins: it hashes no password.
func TestRefresh_does_not_wait_for_hashes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made, _ := b.signIn(t)
	idle := *b.plain
	idle.Passwords = nil
	_, err := idle.Refresh(t.Context(), &api.RefreshRequest{Cookie: made.RefreshToken})
	require.NoError(t, err)
}

func TestCallersWithoutAnAccount(t *testing.T) {
	t.Parallel()
	b := setup(t)
	external := authz.WithPrincipal(t.Context(), &authz.Principal{Subject: "https://else.test|42", Type: "external"})
	_, err := b.plain.List(external, &api.ListSessionsRequest{})
	require.ErrorIs(t, err, errs.Forbidden)
	_, err = b.plain.LogoutAll(external, nil)
	require.ErrorIs(t, err, errs.Forbidden)
	_, err = b.plain.Logout(external, &api.LogoutRequest{})
	require.ErrorIs(t, err, errs.Forbidden)
	_, err = b.plain.Revoke(external, &api.RevokeSessionRequest{})
	require.ErrorIs(t, err, errs.Forbidden)

	_, err = b.plain.ListOf(t.Context(), &api.ListUserSessionsRequest{ID: "nonsense"})
	require.ErrorIs(t, err, errs.NotFound)
	_, err = b.plain.RevokeOf(t.Context(), &api.RevokeUserSessionRequest{ID: "nonsense"})
	require.ErrorIs(t, err, errs.NotFound)
	_, err = b.plain.RevokeOf(t.Context(), &api.RevokeUserSessionRequest{ID: b.account.ID.String(), SessionID: "nonsense"})
	require.ErrorIs(t, err, errs.NotFound)
	_, err = b.plain.RevokeAllOf(t.Context(), &api.RevokeUserSessionsRequest{ID: "nonsense"})
	require.ErrorIs(t, err, errs.NotFound)
}
