package accounts_test

import (
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/authtest"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

// Whoever keeps a copy knows as of when it is, so that nothing that is told late replaces it.
func TestAnAnswerSaysItsVersions(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root := b.administrator(t)
	id := uuid.Must(uuid.NewV7())
	in := &api.CreateAccountRequest{ID: id, Email: "a@example.com", FullName: "Ada"}
	_, err := b.plain.Create(authtest.As(t.Context(), root, api.Permissions()...), in)
	require.NoError(t, err)
	b.stand(t, id, identity.StatusDisabled)

	made, err := b.plain.Create(authtest.As(t.Context(), root, api.Permissions()...), in)
	require.NoError(t, err)
	require.Equal(t, api.StandingDisabled, made.Standing)
	require.EqualValues(t, 1, made.StandingVersion)
	got, err := b.plain.Get(authtest.As(t.Context(), id), &api.GetAccountRequest{ID: id})
	require.NoError(t, err)
	require.Equal(t, identity.StatusDisabled, got.Status)
	require.EqualValues(t, 1, got.StandingVersion)
	require.EqualValues(t, 1, got.RolesVersion)
}
