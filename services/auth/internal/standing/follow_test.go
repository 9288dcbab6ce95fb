package standing_test

import (
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/request"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/authtest"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/standing"
)

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

func TestErase(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada, grace := b.Account(t, "ada@example.com", "user", "support"), b.Account(t, "grace@example.com")
	session := b.Session(t, ada.ID)
	b.Session(t, grace.ID)
	ctx := request.With(t.Context(), request.Request{ID: "r", ClientIP: "203.0.113.7", UserAgent: "curl/8"})
	require.NoError(t, b.in(t, func(tx standing.Tx) error {
		entry, err := audit.New(ctx, b.Clock.Now(), audit.SessionStarted, ada.ID.String())
		require.NoError(t, err)
		if _, err := tx.SeeDevice(ctx, ada.ID, identity.Device{Fingerprint: []byte("print"), Name: "curl", At: b.Clock.Now()}); err != nil {
			return err
		}
		if err := tx.AddRefreshToken(ctx, identity.RefreshToken{
			ID:        session.ID,
			SessionID: session.ID,
			Hash:      []byte("h"),
			CreatedAt: b.Clock.Now(),
			ExpiresAt: session.ExpiresAt,
		}); err != nil {
			return err
		}
		return tx.WriteAudit(ctx, entry.With("name", "Ada"))
	}))
	_, err := b.Pool.Exec(t.Context(), `INSERT INTO links (id, account_id, purpose, hash, created_at, expires_at) VALUES ($1, $1, 'not_me', 'x', now(), now())`, ada.ID)
	require.NoError(t, err)

	b.do(t, api.VerbDelete, ada.ID)
	require.NoError(t, b.erase(t, ada.ID))
	erased := b.account(t, ada.ID)
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
	require.Equal(t, 1, b.Int(t, "SELECT count(*) FROM sessions WHERE account_id = $1", grace.ID), "nobody else is touched")
	told := b.told(t)
	require.Equal(t, api.AccountStandingChangedData{
		AccountID: ada.ID,
		Standing:  api.StandingErased,
		Version:   2,
		Cause:     api.VerbErase,
		By:        audit.System,
		At:        b.Clock.Now(),
	}, told[len(told)-1])

	again := b.Account(t, "ada@example.com")
	require.NotEqual(t, ada.ID, again.ID, "the address is free")

	require.NoError(t, b.erase(t, ada.ID))
	require.NoError(t, b.copy(t, ada.ID, standing.Profile{FullName: "Ada", Locale: "en", Version: 99}))
	require.Equal(t, identity.StatusErased, b.Status(t, ada.ID), "for good")
	require.Empty(t, b.account(t, ada.ID).FullName)
	require.Equal(t, 1, b.audited(t, audit.AccountErased))
	require.NoError(t, b.erase(t, newID()), "a user whom auth has never heard of")
}

// Whoever can publish events of users erases nobody by that who was not deleted here.
func TestErase_only_who_was_deleted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada := b.Account(t, "ada@example.com")
	for _, status := range []string{identity.StatusActive, identity.StatusDisabled} {
		b.Stand(t, ada.ID, status)
		before := b.account(t, ada.ID)
		refused(t, b.erase(t, ada.ID), errs.Conflict, "account_not_deleted")
		require.Equal(t, before, b.account(t, ada.ID))
	}
	refused(t, b.erase(t, b.root.ID), errs.Conflict, "account_not_deleted")
	require.Equal(t, 2, b.Int(t, "SELECT count(*) FROM passwords"))
}

// What an erased administrator did to others is still in the trail, and so is where the one was who did something to an erased person.
func TestErase_keeps_what_is_about_others(t *testing.T) {
	t.Parallel()
	b := setup(t)
	boss, victim := b.Account(t, "boss@example.com", api.RoleAdmin), b.Account(t, "victim@example.com")
	entry := func(actor, subject string) {
		_, err := b.Pool.Exec(t.Context(), `INSERT INTO audit_log (id, at, action, actor, subject, outcome, ip, device, details)
			VALUES (gen_random_uuid(), now(), $1, $2, $3, 'success', '192.0.2.1', 'Firefox', '{"before":["user"],"after":["admin"]}')`,
			audit.RolesAssigned, actor, subject)
		require.NoError(t, err)
	}
	left := func(actor, subject string) (where, details int) {
		const count = "SELECT count(*) FROM audit_log WHERE action = $1 AND actor = $2 AND subject = $3"
		return b.Int(t, count+" AND ip <> '' AND device <> ''", audit.RolesAssigned, actor, subject),
			b.Int(t, count+" AND details <> '{}'", audit.RolesAssigned, actor, subject)
	}
	entry(boss.ID.String(), victim.ID.String())
	entry(b.root.ID.String(), boss.ID.String())
	entry(audit.System, boss.ID.String())
	b.do(t, api.VerbDelete, boss.ID)
	require.NoError(t, b.erase(t, boss.ID))
	for name, c := range map[string]struct {
		actor, subject string
		where, details int
	}{
		"what the erased did to another": {boss.ID.String(), victim.ID.String(), 0, 1},
		"what another did to the erased": {b.root.ID.String(), boss.ID.String(), 1, 0},
		"what nobody signed in did":      {audit.System, boss.ID.String(), 0, 0},
	} {
		where, details := left(c.actor, c.subject)
		require.Equal(t, []int{c.where, c.details}, []int{where, details}, name)
	}
}

func (b *bundle) copy(t *testing.T, account uuid.UUID, p standing.Profile) error {
	t.Helper()
	return b.in(t, func(tx standing.Tx) error { return b.Copy(t.Context(), tx, account, p) })
}

// A copy applies only what is newer, in whatever order it comes, and takes nothing but the name and the language.
func TestCopy(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada := b.Account(t, "ada@example.com")
	require.NoError(t, b.copy(t, ada.ID, standing.Profile{FullName: "Augusta Ada King", Locale: "de", Version: 9}))
	require.NoError(t, b.copy(t, ada.ID, standing.Profile{FullName: "Old Name", Locale: "en", Version: 3}))
	require.NoError(t, b.copy(t, ada.ID, standing.Profile{FullName: "Same Version", Locale: "en", Version: 9}))
	got := b.account(t, ada.ID)
	require.Equal(t, "Augusta Ada King", got.FullName)
	require.Equal(t, "de", got.Locale)
	require.NoError(t, b.copy(t, ada.ID, standing.Profile{Locale: "fr", Version: 10}))
	require.NoError(t, b.copy(t, ada.ID, standing.Profile{FullName: "Augusta Ada King-Noel", Version: 11}))
	got = b.account(t, ada.ID)
	require.Equal(t, "Augusta Ada King-Noel", got.FullName)
	require.Equal(t, "fr", got.Locale, "what is not said stays")
	got.FullName, got.Locale, got.ProfileVersion, got.UpdatedAt = ada.FullName, ada.Locale, ada.ProfileVersion, ada.UpdatedAt
	require.Equal(t, ada, got)
	require.Empty(t, authtest.Published(t, b.Bundle, api.WatermarkRaised))
}

// The lock of the account decides between an erasure and a restoration at the same moment, and whichever comes second finds that out.
func TestEraseDeleted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada, grace := b.Account(t, "ada@example.com"), b.Account(t, "grace@example.com")
	erase := func(id uuid.UUID) (*api.StandingResponse, error) {
		return b.EraseDeleted(t.Context(), &api.AccountActionRequest{AccountID: id})
	}
	out, err := erase(ada.ID)
	require.NoError(t, err)
	require.Equal(t, &api.StandingResponse{Standing: api.StandingActive}, out, "who was not deleted stays")
	_, err = erase(newID())
	refused(t, err, errs.NotFound, "user_not_found")

	b.do(t, api.VerbDelete, ada.ID)
	for range 2 {
		out, err = erase(ada.ID)
		require.NoError(t, err)
		require.Equal(t, &api.StandingResponse{Standing: api.StandingErased, Version: 2}, out)
	}
	require.Len(t, b.told(t), 2)
	_, err = b.try(b.asRoot(t), api.VerbRestore, ada.ID)
	refused(t, err, errs.NotFound, "user_not_found")
	require.NoError(t, b.erase(t, ada.ID), "the event of users finds it done")

	for range 20 {
		b.do(t, api.VerbDelete, grace.ID)
		var wg sync.WaitGroup
		wg.Go(func() { out, err = erase(grace.ID) })
		var back error
		wg.Go(func() { _, back = b.try(b.asRoot(t), api.VerbRestore, grace.ID) })
		wg.Wait()
		require.NoError(t, err)
		require.EqualValues(t, b.Status(t, grace.ID), out.Standing)
		require.Equal(t, out.Standing == api.StandingErased, back != nil)
		if back != nil {
			grace = b.Account(t, "grace@example.com")
		}
	}
}
