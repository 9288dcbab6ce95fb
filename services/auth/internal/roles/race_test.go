package roles_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/accounts"
	"github.com/atrium-mesh/atrium/services/auth/internal/authtest"
	"github.com/atrium-mesh/atrium/services/auth/internal/links"
	"github.com/atrium-mesh/atrium/services/auth/internal/mailboxes"
	"github.com/atrium-mesh/atrium/services/auth/internal/revocation"
	"github.com/atrium-mesh/atrium/services/auth/internal/roles"
)

// Whoever gives a role gives what it allows when they give it. A role that is being widened is judged by what it will be: otherwise somebody
// gives what they do not hold, to somebody whom nobody who widens the role has seen among its members.
func TestGiving_a_role_that_is_being_widened(t *testing.T) {
	t.Parallel()
	for name, give := range map[string]func(ctx context.Context, t *testing.T, b *bundle) error{
		"by assigning it": func(ctx context.Context, t *testing.T, b *bundle) error {
			t.Helper()
			ada := b.Account(t, "ada@example.com") //nolint:contextcheck // the test's own
			_, err := b.Assign(ctx, assignment(ada.ID, "", "auditor"))
			return err
		},
		"by inviting with it": func(ctx context.Context, t *testing.T, b *bundle) error {
			t.Helper()
			inviting := accounts.New(accounts.Config{}, accounts.Deps{Store: b.Store, Mailboxes: counter(t), Clock: b.Clock.Now})
			_, err := inviting.Create(ctx, &api.CreateAccountRequest{
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
				b.Waiting(t, 1)
				return nil
			}))
			refused(t, <-given, errs.Forbidden, "permission_not_held")
			require.Equal(t, members, b.Int(t, "SELECT count(*) FROM account_roles WHERE role = 'auditor'"))
		})
	}
}

func counter(t *testing.T) *mailboxes.Counter {
	t.Helper()
	c, err := mailboxes.New(mailboxes.Config{Hourly: 4, Daily: 10}, []byte("key"), nil)
	require.NoError(t, err)
	return c
}

// The other administrator says "this wasn't me", which drops the password, and cannot be refused. Whoever takes the role from the one before
// the last at that moment waits for it: nobody would be left who can sign in.
func TestAssign_while_the_other_administrator_loses_the_password(t *testing.T) {
	t.Parallel()
	b := setup(t)
	other := b.Account(t, "other@example.com", api.RoleAdmin)
	letters := links.New(links.Config{BaseURL: "https://a.test", NotMe: time.Hour}, links.Deps{Store: b.Store, Key: []byte("key of links"), Clock: b.Clock.Now})
	made, err := letters.Make(t.Context(), b.Store, api.LinkNotMe, &other.ID, uuid.Must(uuid.NewV7()))
	require.NoError(t, err)
	mails := counter(t)
	disowning := accounts.New(accounts.Config{}, accounts.Deps{
		Store:     b.Store,
		Links:     letters,
		Mailboxes: mails,
		Ender:     revocation.NewEnder(authtest.Keep),
		Clock:     b.Clock.Now,
	})

	dropped, dethroned := make(chan error, 1), make(chan error, 1)
	require.NoError(t, b.Store.Roles().InTx(t.Context(), func(tx roles.Tx) error {
		// The mail is what "this wasn't me" does last: it waits here with the password dropped and nothing committed.
		require.NoError(t, mails.Force(t.Context(), tx, other.EmailKey, b.Clock.Now()))
		go func() {
			_, err := disowning.NotMe(t.Context(), &api.NotMeRequest{Body: api.LinkToken{Token: made.Token}})
			dropped <- err
		}()
		b.Waiting(t, 1)
		go func() {
			_, err := b.Assign(b.asAdmin(t), assignment(b.admin.ID, "", "user"))
			dethroned <- err
		}()
		require.Eventually(t, func() bool { return len(dethroned) == 1 || b.Blocked(t) == 2 }, time.Minute, 10*time.Millisecond)
		return nil
	}))
	require.NoError(t, <-dropped)
	refused(t, <-dethroned, errs.Conflict, "last_admin")
}

// joined is a store on which somebody joins a role whenever its members have just been read.
type joined struct{ roles.Store }

func (joined) MembersOf(context.Context, string) ([]uuid.UUID, error) { return nil, nil }

// A role that is given away again and again while it is changed is a conflict, which says when to come back, and no fault of the server.
func TestUpdate_gives_up_when_somebody_joins_each_time(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.role(t, "auditor", api.PermAuditRead)
	b.Account(t, "ada@example.com", "auditor")
	busy := *b.Service
	busy.Store = joined{b.Store.Roles()}
	_, err := busy.Update(b.asAdmin(t), update("auditor", "", "Reads", api.PermAuditRead, api.PermUsersRead))
	refused(t, err, errs.Conflict, "role_busy")
	require.Positive(t, errs.From(err).RetryAfter)
	got, err := b.Get(t.Context(), &api.RoleRequest{Name: "auditor"})
	require.NoError(t, err)
	require.Equal(t, []string{api.PermAuditRead}, got.Body.Permissions)
}
