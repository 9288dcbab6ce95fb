package standing_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/request"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/authtest"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/revocation"
	"github.com/atrium-mesh/atrium/services/auth/internal/standing"
	"github.com/atrium-mesh/atrium/services/auth/internal/store"
)

type bundle struct {
	*authtest.Bundle
	*standing.Standing
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := authtest.New(t)
	return &bundle{b, standing.New(revocation.NewEnder(15*time.Minute), b.Clock.Now)}
}

func (b *bundle) do(t *testing.T, fn func(tx standing.Tx) error) {
	t.Helper()
	b.Clock.Advance(time.Second)
	require.NoError(t, b.Store.InTx(t.Context(), func(tx identity.Tx) error { return fn(tx.(*store.Tx)) }))
}

func (b *bundle) disable(t *testing.T, c standing.Cause) {
	t.Helper()
	b.do(t, func(tx standing.Tx) error { return b.Disable(t.Context(), tx, c) })
}

func (b *bundle) enable(t *testing.T, c standing.Cause) {
	t.Helper()
	b.do(t, func(tx standing.Tx) error { return b.Enable(t.Context(), tx, c) })
}

func (b *bundle) erase(t *testing.T, c standing.Cause) {
	t.Helper()
	b.do(t, func(tx standing.Tx) error { return b.Erase(t.Context(), tx, c) })
}

func (b *bundle) status(t *testing.T, id uuid.UUID) string {
	t.Helper()
	a, err := b.Store.Account(t.Context(), id)
	require.NoError(t, err)
	return a.Status
}

func (b *bundle) audited(t *testing.T, action string) int {
	return b.Int(t, "SELECT count(*) FROM audit_log WHERE action = $1", action)
}

func TestDisable(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada := b.Account(t, "ada@example.com")
	session := b.Session(t, ada.ID)
	b.Session(t, ada.ID)

	b.disable(t, standing.Cause{Account: ada.ID, Version: 3, Actor: "boss"})
	require.Equal(t, identity.StatusDisabled, b.status(t, ada.ID))
	require.Zero(t, b.Int(t, "SELECT count(*) FROM sessions WHERE revoked_at IS NULL"))
	marks := authtest.Published(t, b.Bundle, api.WatermarkRaised)
	require.Len(t, marks, 1)
	require.Equal(t, ada.ID.String(), marks[0].ID)
	require.True(t, marks[0].NotBefore.After(session.IssuedAt))
	require.Equal(t, 1, b.Int(t, "SELECT count(*) FROM audit_log WHERE action = $1 AND actor = 'boss'", audit.AccountDisabled))

	t.Run("again, or late, changes nothing", func(t *testing.T) { //nolint:paralleltest // one after the other
		b.disable(t, standing.Cause{Account: ada.ID, Version: 3})
		b.enable(t, standing.Cause{Account: ada.ID, Version: 2})
		require.Equal(t, identity.StatusDisabled, b.status(t, ada.ID))
		b.disable(t, standing.Cause{Account: ada.ID, Version: 4})
		require.Len(t, authtest.Published(t, b.Bundle, api.WatermarkRaised), 1, "it was disabled already")
		require.Equal(t, 1, b.audited(t, audit.AccountDisabled))
	})
	t.Run("enabled later", func(t *testing.T) { //nolint:paralleltest // one after the other
		b.enable(t, standing.Cause{Account: ada.ID, Version: 5})
		require.Equal(t, identity.StatusActive, b.status(t, ada.ID))
		require.Equal(t, 1, b.Int(t, "SELECT count(*) FROM audit_log WHERE action = $1 AND actor = 'system'", audit.AccountEnabled))
		require.Zero(t, b.Int(t, "SELECT count(*) FROM sessions WHERE revoked_at IS NULL"), "nobody is signed in by that")
	})
}

func TestErase(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada, grace := b.Account(t, "ada@example.com", "user", "support"), b.Account(t, "grace@example.com")
	session := b.Session(t, ada.ID)
	b.Session(t, grace.ID)
	ctx := request.With(t.Context(), request.Request{ID: "r", ClientIP: "203.0.113.7", UserAgent: "curl/8"})
	b.do(t, func(tx standing.Tx) error {
		entry, err := audit.New(ctx, b.Clock.Now(), audit.SessionStarted, ada.ID.String())
		require.NoError(t, err)
		if _, err := tx.SeeDevice(t.Context(), ada.ID, []byte("print"), "curl", b.Clock.Now()); err != nil {
			return err
		}
		if err := tx.AddRefreshToken(t.Context(), identity.RefreshToken{
			ID: session.ID, SessionID: session.ID, Hash: []byte("h"), CreatedAt: b.Clock.Now(), ExpiresAt: session.ExpiresAt,
		}); err != nil {
			return err
		}
		return tx.WriteAudit(t.Context(), entry.With("name", "Ada"))
	})
	_, err := b.Pool.Exec(t.Context(), `INSERT INTO links (id, account_id, purpose, hash, created_at, expires_at) VALUES ($1, $1, 'not_me', 'x', now(), now())`, ada.ID)
	require.NoError(t, err)

	b.erase(t, standing.Cause{Account: ada.ID, Actor: "system"})
	erased, err := b.Store.Account(t.Context(), ada.ID)
	require.NoError(t, err)
	require.Equal(t, identity.StatusErased, erased.Status)
	require.Empty(t, erased.Email+erased.FullName+erased.Locale)
	require.Nil(t, erased.VerifiedAt)
	for _, table := range []string{"passwords", "sessions", "known_devices", "links", "account_roles"} {
		require.Zero(t, b.Int(t, "SELECT count(*) FROM "+table+" WHERE account_id = $1", ada.ID), table)
	}
	require.Zero(t, b.Int(t, "SELECT count(*) FROM refresh_tokens"))
	require.Zero(t, b.Int(t, "SELECT count(*) FROM audit_log WHERE ip <> '' OR device <> '' OR details <> '{}' AND subject = $1", ada.ID.String()))
	require.Equal(t, 1, b.audited(t, audit.SessionStarted), "what was done stays")
	require.Equal(t, 1, b.audited(t, audit.AccountErased))
	marks := authtest.Published(t, b.Bundle, api.WatermarkRaised)
	require.Len(t, marks, 1)
	require.True(t, marks[0].NotBefore.After(session.IssuedAt))
	require.Equal(t, 1, b.Int(t, "SELECT count(*) FROM sessions WHERE account_id = $1", grace.ID), "nobody else is touched")

	again := b.Account(t, "ada@example.com")
	require.NotEqual(t, ada.ID, again.ID, "the address is free")

	b.erase(t, standing.Cause{Account: ada.ID})
	b.enable(t, standing.Cause{Account: ada.ID, Version: 99})
	b.do(t, func(tx standing.Tx) error { return b.Copy(t.Context(), tx, ada.ID, "Ada", "en") })
	require.Equal(t, identity.StatusErased, b.status(t, ada.ID), "for good")
	erased, err = b.Store.Account(t.Context(), ada.ID)
	require.NoError(t, err)
	require.Empty(t, erased.FullName)
	require.Equal(t, 1, b.audited(t, audit.AccountErased))
}

func TestCopy(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada := b.Account(t, "ada@example.com")
	b.do(t, func(tx standing.Tx) error { return b.Copy(t.Context(), tx, ada.ID, "Augusta Ada King", "de") })
	got, err := b.Store.Account(t.Context(), ada.ID)
	require.NoError(t, err)
	require.Equal(t, "Augusta Ada King", got.FullName)
	require.Equal(t, "de", got.Locale)
}

func TestUnknown_users_are_none_of_auths_business(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := standing.Cause{Account: uuid.Must(uuid.NewV7()), Version: 1}
	b.disable(t, c)
	b.enable(t, c)
	b.erase(t, c)
	require.Zero(t, b.Int(t, "SELECT count(*) FROM audit_log"))
	require.NotNil(t, standing.New(revocation.NewEnder(time.Minute), nil))
}
