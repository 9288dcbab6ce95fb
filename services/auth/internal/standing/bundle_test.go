package standing_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/authority"
	"github.com/atrium-mesh/atrium/services/auth/internal/authtest"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/revocation"
	"github.com/atrium-mesh/atrium/services/auth/internal/standing"
	"github.com/atrium-mesh/atrium/services/auth/internal/store"
)

const proofMaxAge = 10 * time.Minute

type bundle struct {
	*authtest.Bundle
	*standing.Service
	root identity.Account // an administrator
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := authtest.New(t)
	return &bundle{Bundle: b, Service: standing.New(standing.Config{ProofMaxAge: proofMaxAge}, standing.Deps{
		Store: b.Store.Standing(),
		Rule:  authority.New(authority.Config{VerifiedOnly: true}),
		Ender: revocation.NewEnder(15 * time.Minute),
		Clock: b.Clock.Now,
	}), root: b.Account(t, "root@example.com", api.RoleAdmin)}
}

// verbs are the operations that change a standing.
func (b *bundle) verbs() map[api.Verb]func(context.Context, *api.AccountActionRequest) (*api.StandingResponse, error) {
	return map[api.Verb]func(context.Context, *api.AccountActionRequest) (*api.StandingResponse, error){
		api.VerbDeactivate: b.Deactivate,
		api.VerbActivate:   b.Activate,
		api.VerbDelete:     b.Delete,
		api.VerbRestore:    b.Restore,
	}
}

// try does something to an account, a second later.
func (b *bundle) try(ctx context.Context, verb api.Verb, account uuid.UUID) (*api.StandingResponse, error) {
	b.Clock.Advance(time.Second)
	return b.verbs()[verb](ctx, &api.AccountActionRequest{AccountID: account})
}

// do is try by the administrator, and succeeds.
func (b *bundle) do(t *testing.T, verb api.Verb, account uuid.UUID) *api.StandingResponse {
	t.Helper()
	out, err := b.try(b.asRoot(t), verb, account)
	require.NoError(t, err, verb)
	return out
}

func (b *bundle) asRoot(t *testing.T) context.Context {
	return authtest.As(t.Context(), b.root.ID, api.Permissions()...)
}

// in runs fn in a transaction, a second later.
func (b *bundle) in(t *testing.T, fn func(tx standing.Tx) error) error {
	t.Helper()
	b.Clock.Advance(time.Second)
	return b.Bundle.Store.InTx(t.Context(), func(tx identity.Tx) error { return fn(tx.(*store.Tx)) })
}

func (b *bundle) erase(t *testing.T, account uuid.UUID) error {
	t.Helper()
	return b.in(t, func(tx standing.Tx) error { return b.Erase(t.Context(), tx, account, "") })
}

func (b *bundle) account(t *testing.T, id uuid.UUID) identity.Account {
	t.Helper()
	a, err := b.Bundle.Store.Account(t.Context(), id)
	require.NoError(t, err)
	return a
}

func (b *bundle) audited(t *testing.T, action string) int {
	return b.Int(t, "SELECT count(*) FROM audit_log WHERE action = $1", action)
}

func (b *bundle) told(t *testing.T) []api.AccountStandingChangedData {
	return authtest.Published(t, b.Bundle, api.AccountStandingChanged)
}

func refused(t *testing.T, err error, kind errs.Kind, code string) {
	t.Helper()
	require.ErrorIs(t, err, kind)
	require.Equal(t, code, errs.From(err).Code)
}
