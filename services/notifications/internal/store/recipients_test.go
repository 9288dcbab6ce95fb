package store_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/services/notifications/internal/recipients"
	"github.com/atrium-mesh/atrium/services/notifications/internal/store"
)

// TestEventsInAnyOrder applies what auth and users tell of a person in a hundred orders, those of one stream in theirs: the recipient ends
// up the same.
func TestEventsInAnyOrder(t *testing.T) {
	t.Parallel()
	s, pool := setup(t)
	proved := time.Date(2026, 3, 2, 14, 4, 5, 0, time.UTC)
	type change func(ctx context.Context, tx *store.Tx, id uuid.UUID) error
	ofAuth := []change{
		func(ctx context.Context, tx *store.Tx, id uuid.UUID) error {
			return tx.Register(ctx, recipients.Registration{
				ID:       id,
				OrgID:    "default",
				Email:    "old@example.com",
				FullName: "Old",
				Locale:   "en",
				Roles:    []string{"user"},
			})
		},
		func(ctx context.Context, tx *store.Tx, id uuid.UUID) error {
			return tx.Verify(ctx, recipients.Verification{ID: id, OrgID: "default", At: proved})
		},
		func(ctx context.Context, tx *store.Tx, id uuid.UUID) error {
			return tx.UpdateRoles(ctx, recipients.Roles{
				ID:      id,
				OrgID:   "default",
				Version: 1,
				Roles:   []string{"support"},
			})
		},
		func(ctx context.Context, tx *store.Tx, id uuid.UUID) error {
			return tx.UpdateRoles(ctx, recipients.Roles{
				ID:      id,
				OrgID:   "default",
				Version: 2,
				Roles:   []string{"admin"},
			})
		},
		func(ctx context.Context, tx *store.Tx, id uuid.UUID) error {
			return tx.UpdateStatus(ctx, recipients.Status{
				ID:      id,
				OrgID:   "default",
				Version: 3,
				Active:  true,
			})
		},
		func(ctx context.Context, tx *store.Tx, id uuid.UUID) error {
			return tx.UpdateStatus(ctx, recipients.Status{
				ID:      id,
				OrgID:   "default",
				Version: 4,
				Active:  false,
			})
		},
		func(ctx context.Context, tx *store.Tx, id uuid.UUID) error { // which comes late
			return tx.UpdateStatus(ctx, recipients.Status{
				ID:      id,
				OrgID:   "default",
				Version: 3,
				Active:  true,
			})
		},
	}
	ofUsers := []change{
		func(ctx context.Context, tx *store.Tx, id uuid.UUID) error {
			return tx.UpdateProfile(ctx, recipients.Profile{
				ID:       id,
				OrgID:    "default",
				Version:  2,
				FullName: "New",
				Locale:   "de",
				TimeZone: "Europe/Vienna",
			})
		},
	}
	for range 100 {
		id, a, u := newID(t), ofAuth, ofUsers
		for len(a)+len(u) > 0 {
			var next change
			if len(u) == 0 || (len(a) > 0 && rand.IntN(2) == 0) {
				next, a = a[0], a[1:]
			} else {
				next, u = u[0], u[1:]
			}
			for range 1 + rand.IntN(2) { // each once or twice
				require.NoError(t, s.InTx(t.Context(), func(tx *store.Tx) error { return next(t.Context(), tx, id) }))
			}
		}
		got, err := s.Recipient(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, recipients.Recipient{
			ID:       id,
			OrgID:    "default",
			Email:    "old@example.com",
			FullName: "New",
			Locale:   "de",
			TimeZone: "Europe/Vienna",
			Verified: true,
			Active:   false,
		}, got)
		var roles []string
		require.NoError(t, pool.QueryRow(t.Context(), "SELECT roles FROM recipients WHERE id = $1", id).Scan(&roles))
		require.Equal(t, []string{"admin"}, roles)
	}
}

// A profile that leaves something out, since it was saved before its rule was, changes the rest.
func TestWhatAProfileDoesNotSayStays(t *testing.T) {
	t.Parallel()
	s, _ := setup(t)
	id := newID(t)
	tell := func(p recipients.Profile) {
		p.ID, p.OrgID = id, "default"
		require.NoError(t, s.InTx(t.Context(), func(tx *store.Tx) error { return tx.UpdateProfile(t.Context(), p) }))
	}
	tell(recipients.Profile{Version: 1, TimeZone: "Europe/Vienna"})
	require.NoError(t, s.InTx(t.Context(), func(tx *store.Tx) error {
		return tx.Register(t.Context(), recipients.Registration{
			ID:       id,
			OrgID:    "default",
			Email:    "a@example.com",
			FullName: "Ada",
			Locale:   "en",
		})
	}))
	tell(recipients.Profile{Version: 2, Locale: "de"})
	tell(recipients.Profile{Version: 3, TimeZone: "Europe/Paris"})
	got, err := s.Recipient(t.Context(), id)
	require.NoError(t, err)
	require.Equal(t, []string{"Ada", "de", "Europe/Paris"}, []string{got.FullName, got.Locale, got.TimeZone})
}

// Of somebody of whom auth never tells there is nothing for ever: a deletion makes no recipient, and what a profile has made goes.
func TestWhoNeverRegisters(t *testing.T) {
	t.Parallel()
	s, pool := setup(t)
	told := map[string]func(tx *store.Tx, id uuid.UUID) error{
		"a deletion": func(tx *store.Tx, id uuid.UUID) error {
			return tx.SetErasure(t.Context(), recipients.Erasure{ID: id, At: time.Now()})
		},
		"a profile": func(tx *store.Tx, id uuid.UUID) error {
			return tx.UpdateProfile(t.Context(), recipients.Profile{ID: id, OrgID: "default", Version: 1, FullName: "A"})
		},
		"a registration": func(tx *store.Tx, id uuid.UUID) error {
			return tx.Register(t.Context(), recipients.Registration{ID: id, OrgID: "default", Email: "a@example.com"})
		},
		"a verification": func(tx *store.Tx, id uuid.UUID) error {
			return tx.Verify(t.Context(), recipients.Verification{ID: id, OrgID: "default", At: time.Now()})
		},
		"roles": func(tx *store.Tx, id uuid.UUID) error {
			return tx.UpdateRoles(t.Context(), recipients.Roles{ID: id, OrgID: "default", Version: 2, Roles: []string{"admin"}})
		},
		"a standing": func(tx *store.Tx, id uuid.UUID) error {
			return tx.UpdateStatus(t.Context(), recipients.Status{ID: id, OrgID: "default", Version: 2})
		},
		"an erasure": func(tx *store.Tx, id uuid.UUID) error { return tx.Erase(t.Context(), id, "default") },
	}
	ids := map[string]uuid.UUID{}
	for name, tell := range told {
		ids[name] = newID(t)
		require.NoError(t, s.InTx(t.Context(), func(tx *store.Tx) error { return tell(tx, ids[name]) }))
	}
	count := func() (n int) {
		t.Helper()
		require.NoError(t, pool.QueryRow(t.Context(), "SELECT count(*) FROM recipients").Scan(&n))
		return n
	}
	require.Equal(t, len(told)-1, count(), "a deletion makes nobody")
	n, err := s.PurgeUnregistered(t.Context(), time.Now().Add(-time.Hour), 10)
	require.NoError(t, err)
	require.Zero(t, n, "it may still come")
	n, err = s.PurgeUnregistered(t.Context(), time.Now().Add(time.Hour), 10)
	require.NoError(t, err)
	require.EqualValues(t, 1, n)
	known, err := s.KnowsRecipient(t.Context(), ids["a profile"])
	require.NoError(t, err)
	require.False(t, known)
}

func TestAnErasedRecipientStaysErased(t *testing.T) {
	t.Parallel()
	s, _ := setup(t)
	id := newID(t)
	erase := func(tx *store.Tx) error { return tx.Erase(t.Context(), id, "default") }
	require.NoError(t, s.InTx(t.Context(), erase), "before anything else is known")
	for _, later := range []func(tx *store.Tx) error{
		func(tx *store.Tx) error {
			return tx.Register(t.Context(), recipients.Registration{ID: id, OrgID: "default", Email: "a@example.com"})
		},
		func(tx *store.Tx) error {
			return tx.Verify(t.Context(), recipients.Verification{ID: id, OrgID: "default", At: time.Now()})
		},
		func(tx *store.Tx) error {
			return tx.UpdateProfile(t.Context(), recipients.Profile{
				ID:       id,
				OrgID:    "default",
				Version:  9,
				FullName: "A",
			})
		},
		func(tx *store.Tx) error {
			return tx.UpdateStatus(t.Context(), recipients.Status{
				ID:      id,
				OrgID:   "default",
				Version: 9,
				Active:  true,
			})
		},
		func(tx *store.Tx) error {
			return tx.UpdateRoles(t.Context(), recipients.Roles{
				ID:      id,
				OrgID:   "default",
				Version: 9,
				Roles:   []string{"admin"},
			})
		},
		erase,
	} {
		require.NoError(t, s.InTx(t.Context(), later))
		got, err := s.Recipient(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, recipients.Recipient{ID: id, OrgID: "default", Erased: true}, got)
		known, err := s.KnowsRecipient(t.Context(), id)
		require.NoError(t, err)
		require.False(t, known)
	}
}
