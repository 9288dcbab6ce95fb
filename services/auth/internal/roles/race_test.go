package roles_test

import (
	"context"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/accounts"
	"github.com/atrium-mesh/atrium/services/auth/internal/authtest"
	"github.com/atrium-mesh/atrium/services/auth/internal/mailboxes"
	"github.com/atrium-mesh/atrium/services/auth/internal/roles"
)

// Whoever gives a role gives what it allows when they give it. A role that is being widened is judged by what it will be: otherwise somebody
// gives what they do not hold, to somebody whom nobody who widens the role has seen among its members.
func TestGiving_a_role_that_is_being_widened(t *testing.T) {
	t.Parallel()
	for name, give := range map[string]func(ctx context.Context, t *testing.T, b *bundle) error{
		"by assigning it": func(ctx context.Context, t *testing.T, b *bundle) error {
			t.Helper()
			_, err := b.Assign(ctx, assignment(b.Account(t, "ada@example.com").ID, "", "auditor"))
			return err
		},
		"by inviting with it": func(ctx context.Context, t *testing.T, b *bundle) error {
			t.Helper()
			counter, err := mailboxes.New(mailboxes.Config{Hourly: 4, Daily: 10}, []byte("key"), nil)
			require.NoError(t, err)
			inviting := accounts.New(accounts.Config{}, accounts.Deps{Store: b.Store, Mailboxes: counter, Clock: b.Clock.Now})
			_, err = inviting.Create(ctx, &api.CreateAccountRequest{
				ID:       uuid.Must(uuid.NewV7()),
				Email:    "ada@example.com",
				FullName: "Ada",
				Roles:    []string{"auditor"},
			})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.role(t, "auditor", api.PermAuditRead)
			b.role(t, "giver", api.PermRolesAssign, api.PermUsersWrite, api.PermAuditRead)
			giver := b.Account(t, "giver@example.com", "giver")
			members := b.Int(t, "SELECT count(*) FROM account_roles WHERE role = 'auditor'")

			given := make(chan error, 1)
			require.NoError(t, b.Store.Roles().InTx(t.Context(), func(tx roles.Tx) error {
				widened, err := tx.LockRole(t.Context(), "auditor")
				require.NoError(t, err)
				widened.Permissions = append(widened.Permissions, api.PermKeysRotate)
				_, err = tx.ChangeRole(t.Context(), widened, b.Clock.Now())
				require.NoError(t, err)
				go func() { given <- give(authtest.As(t.Context(), giver.ID, api.Permissions()...), t, b) }()
				b.Waiting(t)
				return nil
			}))
			refused(t, <-given, errs.Forbidden, "permission_not_held")
			require.Equal(t, members, b.Int(t, "SELECT count(*) FROM account_roles WHERE role = 'auditor'"))
		})
	}
}
