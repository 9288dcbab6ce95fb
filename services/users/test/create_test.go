package test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/services/users/api"
)

func TestCreate(t *testing.T) {
	t.Parallel()
	m := setup(t)
	create := op.HTTPClient(m.http, api.CreateUser)
	in := &api.CreateUserRequest{IdempotencyKey: "key-1", Body: api.NewUser{Email: "grace@example.com", FullName: "Grace Hopper", TimeZone: "America/New_York"}}

	first, err := create(m.admin(), in)
	require.NoError(t, err)
	require.Equal(t, "/api/v1/users/"+first.Body.ID, first.Location)
	require.Equal(t, "pending", first.Body.Status)
	require.Equal(t, "America/New_York", first.Body.TimeZone)
	require.Equal(t, []string{"user"}, first.Body.Roles)

	again, err := create(m.admin(), in)
	require.NoError(t, err)
	require.Equal(t, first.Body.ID, again.Body.ID, "the same key is the same user")

	other := *in
	other.Body.FullName = "Somebody Else"
	_, err = create(m.admin(), &other)
	require.Equal(t, "idempotency_key_reused", errs.From(err).Code)

	_, err = create(m.admin(), &api.CreateUserRequest{Body: in.Body})
	require.Equal(t, "email_taken", errs.From(err).Code)
	require.ErrorIs(t, err, errs.Conflict)

	_, err = create(m.admin(), &api.CreateUserRequest{Body: api.NewUser{Email: "x@example.com", FullName: "X", TimeZone: "Nowhere"}})
	require.ErrorIs(t, err, errs.Invalid)

	m.auth.fail = errs.New(errs.Forbidden, "permission_not_held", "This concerns a permission that you do not hold yourself.")
	_, err = create(m.admin(), &api.CreateUserRequest{Body: api.NewUser{Email: "y@example.com", FullName: "Y", Roles: []string{"admin"}}})
	require.Equal(t, "permission_not_held", errs.From(err).Code, "who gives which roles is auth's to say")
	boss, err := create(m.admin(), &api.CreateUserRequest{Body: api.NewUser{Email: "y@example.com", FullName: "Y", Roles: []string{"admin"}}})
	require.NoError(t, err)
	require.Equal(t, []string{"admin"}, boss.Body.Roles)
}

func TestCreateIsFinishedByARepeat(t *testing.T) {
	t.Parallel()
	m := setup(t)
	m.auth.fail = errs.New(errs.Unavailable, "busy", "Busy.")
	in := &api.CreateUserRequest{IdempotencyKey: "key-1", Body: api.NewUser{Email: "grace@example.com", FullName: "Grace"}}
	create := op.HTTPClient(m.http, api.CreateUser)
	_, err := create(m.admin(), in)
	require.ErrorIs(t, err, errs.Unavailable)
	out, err := create(m.admin(), in)
	require.NoError(t, err)
	require.Equal(t, "grace@example.com", out.Body.Email)
}

func TestConcurrentCreatesWithOneKeyMakeOneUser(t *testing.T) {
	t.Parallel()
	m := setup(t)
	create := op.HTTPClient(m.http, api.CreateUser)
	ids := make(chan string, 8)
	var g errgroup.Group
	for range 8 {
		g.Go(func() error {
			out, err := create(m.admin(), &api.CreateUserRequest{IdempotencyKey: "k", Body: api.NewUser{Email: "one@example.com", FullName: "One"}})
			if err == nil {
				ids <- out.Body.ID
			}
			return err
		})
	}
	require.NoError(t, g.Wait())
	close(ids)
	first := <-ids
	for id := range ids {
		require.Equal(t, first, id)
	}
	require.Len(t, m.auth.byID, 1)
}
