package authority_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/token"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/accounts"
	"github.com/atrium-mesh/atrium/services/auth/internal/authority"
	"github.com/atrium-mesh/atrium/services/auth/internal/authtest"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

type bundle struct {
	*authtest.Bundle
	rule authority.Rule
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{authtest.New(t), authority.New(authority.Config{VerifiedOnly: true})}
	_, err := b.Pool.Exec(t.Context(), `INSERT INTO roles (name, permissions) VALUES ('helper', '{users:read,users:write,users:delete,sessions:revoke}')`)
	require.NoError(t, err)
	return b
}

// over asks the rule, in a transaction of its own.
func (b *bundle) over(ctx context.Context, verb api.Verb, target uuid.UUID) error {
	return b.Store.InTx(ctx, func(tx identity.Tx) error {
		_, err := b.rule.Over(ctx, tx, verb, target)
		return err
	})
}

// full is a context of somebody whose token says everything.
func full(ctx context.Context, who identity.Account) context.Context {
	return authtest.As(ctx, who.ID, api.Permissions()...)
}

// The database decides, at this moment: a token says more than its holder may when a role was taken a moment ago, and less when it was made
// for less.
func TestOver_by_what_both_the_token_and_the_database_say(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada, eve := b.Account(t, "ada@example.com"), b.Account(t, "eve@example.com")
	helper, root := b.Account(t, "helper@example.com", "helper"), b.Account(t, "root@example.com", api.RoleAdmin)
	for name, c := range map[string]struct {
		ctx    context.Context
		target uuid.UUID
		want   string
	}{
		"holds it":                            {full(t.Context(), helper), ada.ID, ""},
		"held it when the token was signed":   {full(t.Context(), eve), ada.ID, "permission_denied"},
		"holds it, and the token does not":    {authtest.As(t.Context(), root.ID, api.PermUsersRead), ada.ID, "permission_denied"},
		"the token is weaker than the target": {authtest.As(t.Context(), root.ID, api.PermUsersDelete), helper.ID, "stronger_target"},
		"is stronger":                         {full(t.Context(), helper), root.ID, "stronger_target"},
		"is equal":                            {full(t.Context(), helper), helper.ID, ""},
		"nobody calls":                        {t.Context(), ada.ID, "token_missing"},
		"somebody who does not exist":         {authtest.As(t.Context(), uuid.Must(uuid.NewV7()), api.Permissions()...), ada.ID, "token_revoked"},
		"no account":                          {authz.WithPrincipal(t.Context(), &authz.Principal{Subject: "x", Permissions: api.Permissions()}), ada.ID, "not_an_account"},
		"a further issuer, by its permissions": {
			authz.WithPrincipal(t.Context(), &authz.Principal{Subject: "https://else.test|7", Type: token.TypeExternal, Permissions: []string{api.PermUsersDelete}}),
			ada.ID, "",
		},
		"a further issuer, and a stronger one": {
			authz.WithPrincipal(t.Context(), &authz.Principal{Subject: "https://else.test|7", Type: token.TypeExternal, Permissions: []string{api.PermUsersDelete}}),
			helper.ID, "stronger_target",
		},
		"unknown": {full(t.Context(), root), uuid.Must(uuid.NewV7()), "user_not_found"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, code(b.over(c.ctx, api.VerbDelete, c.target)))
		})
	}
}

func TestOver_by_somebody_who_is_kept_out(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root, ada := b.Account(t, "root@example.com", api.RoleAdmin), b.Account(t, "ada@example.com")
	for _, status := range []string{identity.StatusDisabled, identity.StatusDeleted, identity.StatusErased} {
		b.Stand(t, root.ID, status)
		require.Equal(t, "token_revoked", code(b.over(full(t.Context(), root), api.VerbEdit, ada.ID)), status)
		require.Equal(t, "token_revoked", code(b.over(full(t.Context(), root), api.VerbDelete, root.ID)), status)
	}
}

// An administrator who cannot sign in is nobody to fall back on.
func TestOver_the_last_administrator(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		other func(t *testing.T, b *bundle)
		want  string
	}{
		"alone": {func(*testing.T, *bundle) {}, "last_admin"},
		"with another": {func(t *testing.T, b *bundle) {
			b.Account(t, "other@example.com", api.RoleAdmin)
		}, ""},
		"with one who is kept out": {func(t *testing.T, b *bundle) {
			b.Stand(t, b.Account(t, "other@example.com", api.RoleAdmin).ID, identity.StatusDisabled)
		}, "last_admin"},
		"with one who is deleted": {func(t *testing.T, b *bundle) {
			b.Stand(t, b.Account(t, "other@example.com", api.RoleAdmin).ID, identity.StatusDeleted)
		}, "last_admin"},
		"with one who was invited and has no password": {func(t *testing.T, b *bundle) {
			b.Add(t, accounts.NewAccount{FullName: "New", Origin: api.OriginInvitation, Roles: []string{api.RoleAdmin}}, "other@example.com")
		}, "last_admin"},
		"with one who has not proved the address": {func(t *testing.T, b *bundle) {
			b.Add(t, accounts.NewAccount{
				FullName:     "New",
				Origin:       api.OriginSignUp,
				Roles:        []string{api.RoleAdmin},
				PasswordHash: "$hash",
			}, "other@example.com")
		}, "last_admin"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			root := b.Account(t, "root@example.com", api.RoleAdmin)
			c.other(t, b)
			require.Equal(t, c.want, code(b.over(full(t.Context(), root), api.VerbDelete, root.ID)))
			require.Equal(t, "own_administration", code(b.over(full(t.Context(), root), api.VerbDeactivate, root.ID)))
			require.Empty(t, code(b.over(full(t.Context(), root), api.VerbEdit, root.ID)), "which unseats nobody")
		})
	}
	t.Run("with one who need not prove the address", func(t *testing.T) {
		t.Parallel()
		b := setup(t)
		b.rule = authority.New(authority.Config{})
		root := b.Account(t, "root@example.com", api.RoleAdmin)
		b.Add(t, accounts.NewAccount{
			FullName:     "New",
			Origin:       api.OriginSignUp,
			Roles:        []string{api.RoleAdmin},
			PasswordHash: "$hash",
		}, "other@example.com")
		require.NoError(t, b.over(full(t.Context(), root), api.VerbDelete, root.ID))
	})
}

// Many act on each other at the same time: everybody gets an answer, and nobody waits for somebody who waits for them. The server would say so
// (deadlock_detected), and the transaction would run again: no retry may be needed.
func TestOver_locks_in_one_order(t *testing.T) {
	t.Parallel()
	b := setup(t)
	people := make([]identity.Account, 4)
	for i := range people {
		people[i] = b.Account(t, fmt.Sprintf("p%d@example.com", i), api.RoleAdmin)
	}
	runs := make(map[string]int)
	var mu sync.Mutex
	var wg sync.WaitGroup
	for round := range 5 {
		for i, who := range people {
			for j, whom := range people {
				ctx, key := full(t.Context(), who), fmt.Sprint(round, i, j)
				wg.Go(func() {
					err := b.Store.InTx(ctx, func(tx identity.Tx) error {
						mu.Lock()
						runs[key]++
						mu.Unlock()
						_, err := b.rule.Over(ctx, tx, api.VerbEdit, whom.ID)
						return err
					})
					if err != nil {
						t.Error(err)
					}
				})
			}
		}
	}
	wg.Wait()
	for key, n := range runs {
		require.Equal(t, 1, n, key)
	}
}

func TestAmong_and_MayGive(t *testing.T) {
	t.Parallel()
	b := setup(t)
	helper, ada := b.Account(t, "helper@example.com", "helper"), b.Account(t, "ada@example.com")
	require.NoError(t, b.Store.InTx(t.Context(), func(tx identity.Tx) error {
		caller, err := b.rule.Among(full(t.Context(), helper), tx, []uuid.UUID{ada.ID, uuid.Must(uuid.NewV7())})
		require.NoError(t, err)
		require.Equal(t, helper.ID, caller.Account.ID)
		require.ElementsMatch(t, []string{"users:read", "users:write", "users:delete", "sessions:revoke"}, caller.Permissions)
		require.NoError(t, caller.MayGive([]string{api.PermUsersRead}))
		require.Equal(t, "permission_not_held", code(caller.MayGive([]string{api.PermUsersRead, api.PermKeysRotate})))
		return nil
	}))
	require.ErrorIs(t, b.Store.InTx(t.Context(), func(tx identity.Tx) error {
		_, err := b.rule.Caller(t.Context(), tx)
		return err
	}), errs.Unauthenticated)
}
