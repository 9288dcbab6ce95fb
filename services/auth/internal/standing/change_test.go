package standing_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/authtest"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/standing"
)

// A deactivation is true when it is answered: no session is left, no token is good, and one event tells of it.
func TestDeactivate(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada := b.Account(t, "ada@example.com")
	session := b.Session(t, ada.ID)
	b.Session(t, ada.ID)

	out := b.do(t, api.VerbDeactivate, ada.ID)
	require.Equal(t, &api.StandingResponse{Standing: api.StandingDisabled, Version: 1}, out)
	require.Equal(t, identity.StatusDisabled, b.Status(t, ada.ID))
	require.Zero(t, b.Int(t, "SELECT count(*) FROM sessions WHERE revoked_at IS NULL"))
	marks := authtest.Published(t, b.Bundle, api.WatermarkRaised)
	require.Len(t, marks, 1)
	require.Equal(t, ada.ID.String(), marks[0].ID)
	require.True(t, marks[0].NotBefore.After(session.IssuedAt))
	require.Equal(t, []api.AccountStandingChangedData{{
		AccountID: ada.ID,
		Standing:  api.StandingDisabled,
		Version:   1,
		Cause:     api.VerbDeactivate,
		By:        b.root.ID.String(),
		At:        b.Clock.Now(),
	}}, b.told(t))
	require.Equal(t, 1, b.Int(t, "SELECT count(*) FROM audit_log WHERE action = $1 AND actor = $2", audit.AccountDisabled, b.root.ID.String()))

	require.Equal(t, out, b.do(t, api.VerbDeactivate, ada.ID), "again changes nothing")
	require.Equal(t, &api.StandingResponse{Standing: api.StandingActive, Version: 2}, b.do(t, api.VerbActivate, ada.ID))
	require.Zero(t, b.Int(t, "SELECT count(*) FROM sessions WHERE revoked_at IS NULL"), "nobody is signed in by that")
	require.Len(t, b.told(t), 2)
	require.Equal(t, 1, b.audited(t, audit.AccountDisabled))
	require.Equal(t, 1, b.audited(t, audit.AccountEnabled))
	require.Len(t, authtest.Published(t, b.Bundle, api.WatermarkRaised), 1)
}

// Each change is one version and one event, which carries where it led. Who was kept out before a deletion is kept out after the restoration.
func TestStandings(t *testing.T) {
	t.Parallel()
	const deactivate, activate, remove, restore = api.VerbDeactivate, api.VerbActivate, api.VerbDelete, api.VerbRestore
	const active, disabled, deleted = api.StandingActive, api.StandingDisabled, api.StandingDeleted
	for name, c := range map[string]struct {
		verbs []api.Verb
		want  []api.Standing // after each
		told  []api.Standing
	}{
		"deleted and restored": {[]api.Verb{remove, restore}, []api.Standing{deleted, active}, []api.Standing{deleted, active}},
		"deactivated, deleted and restored": {
			[]api.Verb{deactivate, remove, restore, activate},
			[]api.Standing{disabled, deleted, disabled, active},
			[]api.Standing{disabled, deleted, disabled, active},
		},
		"each of them twice": {
			[]api.Verb{deactivate, deactivate, remove, remove, restore, restore, activate, activate},
			[]api.Standing{disabled, disabled, deleted, deleted, disabled, disabled, active, active},
			[]api.Standing{disabled, deleted, disabled, active},
		},
		"nothing to restore or activate": {[]api.Verb{restore, activate}, []api.Standing{active, active}, []api.Standing{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			ada := b.Account(t, "ada@example.com")
			for i, verb := range c.verbs {
				require.Equal(t, c.want[i], b.do(t, verb, ada.ID).Standing, i)
			}
			told := []api.Standing{}
			for i, e := range b.told(t) {
				told = append(told, e.Standing)
				require.EqualValues(t, i+1, e.Version)
			}
			require.Equal(t, c.told, told)
			require.EqualValues(t, len(told), b.account(t, ada.ID).StatusVersion)
		})
	}
}

func TestStandings_refused(t *testing.T) {
	t.Parallel()
	b := setup(t)
	gone, erased := b.Account(t, "gone@example.com"), b.Account(t, "erased@example.com")
	b.Stand(t, gone.ID, identity.StatusDeleted)
	b.Stand(t, erased.ID, identity.StatusErased)
	for _, verb := range []api.Verb{api.VerbDeactivate, api.VerbActivate} {
		_, err := b.try(b.asRoot(t), verb, gone.ID)
		refused(t, err, errs.Conflict, "user_deleted")
	}
	for verb := range b.verbs() {
		_, err := b.try(b.asRoot(t), verb, erased.ID)
		refused(t, err, errs.NotFound, "user_not_found")
		_, err = b.try(b.asRoot(t), verb, newID())
		refused(t, err, errs.NotFound, "user_not_found")
		_, err = b.try(t.Context(), verb, gone.ID)
		refused(t, err, errs.Unauthenticated, "token_missing")
	}
	require.Equal(t, api.StandingDisabled, b.do(t, api.VerbRestore, gone.ID).Standing, "nobody knows what was before: somebody has to decide")
	require.Len(t, b.told(t), 1)
}

func TestMayEdit(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada := b.Account(t, "ada@example.com")
	editor := authtest.As(t.Context(), ada.ID, api.PermUsersWrite)
	_, err := b.MayEdit(b.asRoot(t), &api.AccountActionRequest{AccountID: ada.ID})
	require.NoError(t, err)
	_, err = b.MayEdit(editor, &api.AccountActionRequest{AccountID: ada.ID})
	require.NoError(t, err, "one's own")
	_, err = b.MayEdit(editor, &api.AccountActionRequest{AccountID: b.root.ID})
	refused(t, err, errs.Forbidden, "permission_denied")
	_, err = b.MayEdit(t.Context(), &api.AccountActionRequest{AccountID: ada.ID})
	refused(t, err, errs.Unauthenticated, "token_missing")
	require.Empty(t, b.told(t))
}

// Whoever said "this wasn't me" while the account could not be used chooses a password once it can; nobody else is sent a mail for that.
func TestActivate_and_restore_give_a_way_in(t *testing.T) {
	t.Parallel()
	for _, verbs := range [][2]api.Verb{{api.VerbDeactivate, api.VerbActivate}, {api.VerbDelete, api.VerbRestore}} {
		t.Run(string(verbs[1]), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			ada, grace := b.Account(t, "ada@example.com"), b.Account(t, "grace@example.com")
			for _, id := range []uuid.UUID{ada.ID, grace.ID} {
				b.do(t, verbs[0], id)
			}
			require.NoError(t, b.in(t, func(tx standing.Tx) error { return tx.DropPassword(t.Context(), ada.ID) }))
			require.Empty(t, authtest.Published(t, b.Bundle, api.PasswordResetRequested))
			for _, id := range []uuid.UUID{ada.ID, grace.ID} {
				b.do(t, verbs[1], id)
				b.do(t, verbs[1], id) // again changes nothing
			}
			asked := authtest.Published(t, b.Bundle, api.PasswordResetRequested)
			require.Len(t, asked, 1)
			require.Equal(t, ada.ID, asked[0].AccountID)
			require.Equal(t, b.account(t, ada.ID).Generation, asked[0].Generation)
			require.Equal(t, 1, b.Int(t, "SELECT count(*) FROM link_causes WHERE account_id = $1 AND purpose = 'reset_password'", ada.ID))
		})
	}
}
