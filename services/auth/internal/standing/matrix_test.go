package standing_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/authtest"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

// Every verb is tried on somebody weaker, equal, stronger, on the last administrator and on oneself, by somebody who holds the permission for
// it and by an administrator. What is refused changes nothing and tells nobody.
func TestVerbs_on_targets(t *testing.T) {
	t.Parallel()
	const stronger, last, own = "stronger_target", "last_admin", "own_administration"
	for _, c := range []struct {
		caller, target string
		want           map[api.Verb]string
	}{
		{"helper", "weaker", nil},
		{"helper", "equal", nil},
		{"helper", "stronger", map[api.Verb]string{"deactivate": stronger, "activate": stronger, "delete": stronger, "restore": stronger}},
		{"helper", "last", map[api.Verb]string{"deactivate": stronger, "activate": stronger, "delete": stronger, "restore": stronger}},
		{"helper", "helper", map[api.Verb]string{"deactivate": own}},
		{"last", "weaker", nil},
		{"last", "equal", nil},
		{"last", "stronger", nil},
		{"last", "last", map[api.Verb]string{"deactivate": own, "delete": last}},
	} {
		for _, verb := range []api.Verb{api.VerbDeactivate, api.VerbActivate, api.VerbDelete, api.VerbRestore} {
			t.Run(fmt.Sprintf("%s %ss %s", c.caller, verb, c.target), func(t *testing.T) {
				t.Parallel()
				b := setup(t)
				_, err := b.Pool.Exec(t.Context(), `INSERT INTO roles (name, permissions) VALUES ('helper', '{users:write,users:delete}')`)
				require.NoError(t, err)
				people := map[string]identity.Account{
					"helper":   b.Account(t, "helper@example.com", "helper"),
					"weaker":   b.Account(t, "weaker@example.com"),
					"equal":    b.Account(t, "equal@example.com", "helper"),
					"stronger": b.Account(t, "stronger@example.com", "helper", api.RoleSupport),
					"last":     b.root,
				}
				target := people[c.target]
				session := b.Session(t, target.ID)
				before := b.account(t, target.ID)
				caller := authtest.As(t.Context(), people[c.caller].ID, api.Permissions()...)
				if c.caller == c.target {
					caller = authtest.In(t.Context(), session, api.Permissions()...)
				}
				_, err = b.try(caller, verb, target.ID)
				if want := c.want[verb]; want != "" {
					require.Equal(t, want, errs.From(err).Code)
					require.Equal(t, before, b.account(t, target.ID))
					require.Equal(t, 1, b.Int(t, "SELECT count(*) FROM sessions WHERE revoked_at IS NULL"))
					require.Empty(t, b.told(t))
					return
				}
				require.NoError(t, err)
			})
		}
	}
}

// Two administrators keep each other out at the same moment, round after round: one succeeds, and the other is told that the token is void or
// that nobody would be left.
func TestTwo_administrators_against_each_other(t *testing.T) {
	t.Parallel()
	for _, verb := range []api.Verb{api.VerbDeactivate, api.VerbDelete} {
		t.Run(string(verb), func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			other := b.Account(t, "other@example.com", api.RoleAdmin)
			for round := range 20 {
				codes := b.atOnce(t, verb, map[identity.Account]identity.Account{b.root: other, other: b.root})
				require.Len(t, codes, 1, "round %d: %v", round, codes)
				require.Contains(t, []string{"token_revoked", "last_admin"}, codes[0])
				require.Equal(t, 1, b.admins(t))
				_, err := b.Pool.Exec(t.Context(), "UPDATE accounts SET status = 'active', status_before = NULL")
				require.NoError(t, err)
			}
		})
	}
}

// Many administrators at once, each against the next and some against themselves: at least one who can sign in remains, every round.
func TestMany_administrators_at_once(t *testing.T) {
	t.Parallel()
	b := setup(t)
	admins := []identity.Account{b.root}
	for i := range 5 {
		admins = append(admins, b.Account(t, fmt.Sprintf("admin%d@example.com", i), api.RoleAdmin))
	}
	for round := range 10 {
		against := map[identity.Account]identity.Account{}
		for i, a := range admins {
			against[a] = admins[(i+1)%len(admins)]
			if round%2 == 1 {
				against[a] = a
			}
		}
		verb := []api.Verb{api.VerbDeactivate, api.VerbDelete}[round%2]
		codes := b.atOnce(t, verb, against)
		require.GreaterOrEqual(t, b.admins(t), 1)
		if round%2 == 1 {
			require.Equal(t, []string{"last_admin"}, codes, "of those who delete themselves exactly one may not")
			require.Equal(t, 1, b.admins(t))
		}
		for _, code := range codes {
			require.Contains(t, []string{"token_revoked", "last_admin"}, code)
		}
		_, err := b.Pool.Exec(t.Context(), "UPDATE accounts SET status = 'active', status_before = NULL")
		require.NoError(t, err)
	}
}

// atOnce lets everybody act on somebody at the same moment, and returns the codes of the refusals.
func (b *bundle) atOnce(t *testing.T, verb api.Verb, against map[identity.Account]identity.Account) []string {
	t.Helper()
	var mu sync.Mutex
	var wg sync.WaitGroup
	start, codes := make(chan struct{}), []string{}
	for who, whom := range against {
		ctx := authtest.In(t.Context(), b.Session(t, who.ID), api.Permissions()...)
		wg.Go(func() {
			<-start
			_, err := b.try(ctx, verb, whom.ID)
			if err != nil {
				mu.Lock()
				defer mu.Unlock()
				codes = append(codes, errs.From(err).Code)
			}
		})
	}
	close(start)
	wg.Wait()
	return codes
}

// admins is how many administrators can sign in.
func (b *bundle) admins(t *testing.T) int {
	return b.Int(t, "SELECT count(*) FROM account_roles r JOIN accounts a ON a.id = r.account_id WHERE r.role = 'admin' AND a.status = 'active'")
}
