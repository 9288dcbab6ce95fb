package users_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/page"
	"github.com/atrium-mesh/atrium/services/users/api"
)

func TestList(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 3 {
		b.add()
	}
	in := &api.ListUsersRequest{Query: page.Query{PageSize: 2}, Sort: "created_at"}
	first, err := b.List(t.Context(), in)
	require.NoError(t, err)
	in.Cursor = first.Body.NextCursor

	b.add()
	rest, err := b.List(t.Context(), in)
	require.NoError(t, err)
	require.Len(t, rest.Body.Items, 2)
	require.EqualValues(t, 3, rest.Body.Total, "a walk counts once")
}

func TestWhoHasGoneAwayIsNotServed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := b.List(ctx, &api.ListUsersRequest{})
	require.ErrorIs(t, err, errs.Canceled)
	_, err = b.Get(ctx, &api.GetUserRequest{ID: newID().String()})
	require.ErrorIs(t, err, errs.Canceled)
	_, err = b.Activate(ctx, &api.UserActionRequest{ID: newID().String()})
	require.ErrorIs(t, err, errs.Canceled)
	_, err = b.Create(ctx, &api.CreateUserRequest{Body: hopper()})
	require.ErrorIs(t, err, errs.Canceled)
}
