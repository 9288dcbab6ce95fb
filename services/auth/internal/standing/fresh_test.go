package standing_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/authtest"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/standing"
)

// Whoever deletes themselves has given the password a short time ago, in this session; an administrator who deletes another need not.
func TestDelete_of_oneself_needs_a_fresh_session(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		prepare func(t *testing.T, b *bundle, mine identity.Session)
		stale   bool
	}{
		"signed_in_just_now": {func(*testing.T, *bundle, identity.Session) {}, false},
		"signed_in_nearly_too_long_ago": {func(_ *testing.T, b *bundle, _ identity.Session) {
			b.Clock.Advance(proofMaxAge - 2*time.Second)
		}, false},
		"signed_in_too_long_ago": {func(_ *testing.T, b *bundle, _ identity.Session) {
			b.Clock.Advance(proofMaxAge - time.Second)
		}, true},
		"gave_the_password_since": {func(t *testing.T, b *bundle, mine identity.Session) {
			t.Helper()
			b.Clock.Advance(time.Hour)
			require.NoError(t, b.in(t, func(tx standing.Tx) error {
				return tx.ProveSession(t.Context(), mine.AccountID, mine.ID, b.Clock.Now())
			}))
		}, false},
		"gave_the_password_too_long_ago": {func(t *testing.T, b *bundle, mine identity.Session) {
			t.Helper()
			require.NoError(t, b.in(t, func(tx standing.Tx) error {
				return tx.ProveSession(t.Context(), mine.AccountID, mine.ID, b.Clock.Now())
			}))
			b.Clock.Advance(proofMaxAge)
		}, true},
		"another_session_is_fresh": {func(t *testing.T, b *bundle, mine identity.Session) {
			t.Helper()
			b.Clock.Advance(proofMaxAge)
			b.Session(t, mine.AccountID)
		}, true},
		"used_just_now_by_refreshing": {func(t *testing.T, b *bundle, mine identity.Session) {
			t.Helper()
			b.Clock.Advance(proofMaxAge)
			mine.LastSeenAt = b.Clock.Now()
			require.NoError(t, b.in(t, func(tx standing.Tx) error { return tx.TouchSession(t.Context(), mine) }))
		}, true},
		"was_ended_just_now": {func(t *testing.T, b *bundle, mine identity.Session) {
			t.Helper()
			require.NoError(t, b.in(t, func(tx standing.Tx) error {
				_, err := tx.EndSession(t.Context(), mine.AccountID, mine.ID, "signed_out", b.Clock.Now())
				return err
			}))
		}, true},
		"ended_by_itself_and_was_proved": {func(t *testing.T, b *bundle, mine identity.Session) {
			t.Helper()
			require.NoError(t, b.in(t, func(tx standing.Tx) error {
				return tx.ProveSession(t.Context(), mine.AccountID, mine.ID, b.Clock.Now())
			}))
			mine.LastSeenAt, mine.ExpiresAt = b.Clock.Now(), b.Clock.Now()
			require.NoError(t, b.in(t, func(tx standing.Tx) error { return tx.TouchSession(t.Context(), mine) }))
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			ada := b.Account(t, "ada@example.com")
			mine := b.Session(t, ada.ID)
			c.prepare(t, b, mine)
			_, err := b.try(authtest.In(t.Context(), mine), api.VerbDelete, ada.ID)
			if !c.stale {
				require.NoError(t, err)
				require.Equal(t, identity.StatusDeleted, b.Status(t, ada.ID))
				return
			}
			refused(t, err, errs.Forbidden, "reauthentication_required")
			require.Equal(t, identity.StatusActive, b.Status(t, ada.ID))
			require.Empty(t, b.told(t))
			require.Equal(t, api.StandingDeleted, b.do(t, api.VerbDelete, ada.ID).Standing, "of another's account it is the permission that counts")
		})
	}
}

// A session that is nobody's, or somebody else's, proves nothing.
func TestDelete_of_oneself_with_another_session(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada, grace := b.Account(t, "ada@example.com"), b.Account(t, "grace@example.com")
	_, err := b.try(authtest.As(t.Context(), ada.ID), api.VerbDelete, ada.ID)
	refused(t, err, errs.Forbidden, "reauthentication_required")
	foreign := b.Session(t, grace.ID)
	foreign.AccountID = ada.ID
	_, err = b.try(authtest.In(t.Context(), foreign), api.VerbDelete, ada.ID)
	refused(t, err, errs.Forbidden, "reauthentication_required")
}
