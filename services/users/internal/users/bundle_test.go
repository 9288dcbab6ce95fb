package users_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/page"
	"github.com/atrium-mesh/atrium/pkg/pgtest"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/users/api"
	"github.com/atrium-mesh/atrium/services/users/internal/store"
	"github.com/atrium-mesh/atrium/services/users/internal/store/migrations"
	"github.com/atrium-mesh/atrium/services/users/internal/users"
)

const grace = 24 * time.Hour

// bundle is the domain on a database of its own. Auth answers what get says, and makes every account it is asked for.
type bundle struct {
	*users.Service
	t    testing.TB
	pool *pgxpool.Pool
	now  time.Time
	get  func(id uuid.UUID) (*auth.GetAccountResponse, error)
	gets int
	auth *authority
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{t: t, pool: pgtest.New(t, migrations.FS), now: time.Date(2026, 1, 2, 15, 4, 5, 0, time.UTC)}
	b.auth = &authority{by: map[uuid.UUID]account{}}
	b.get = func(uuid.UUID) (*auth.GetAccountResponse, error) {
		return nil, errs.New(errs.NotFound, "account_not_found", "There is no such account.")
	}
	b.Service = users.New(users.Config{
		Store: store.New(b.pool),
		Accounts: users.Accounts{
			Create: func(_ context.Context, in *auth.CreateAccountRequest) (*auth.CreateAccountResponse, error) {
				return &auth.CreateAccountResponse{ID: in.ID, Email: in.Email, CreatedAt: b.now}, nil
			},
			Get: func(_ context.Context, in *auth.GetAccountRequest) (*auth.GetAccountResponse, error) {
				b.gets++
				return b.get(in.ID)
			},
			Deactivate: b.auth.ask(auth.VerbDeactivate),
			Activate:   b.auth.ask(auth.VerbActivate),
			Delete:     b.auth.ask(auth.VerbDelete),
			Restore:    b.auth.ask(auth.VerbRestore),
			Erase:      b.auth.ask(auth.VerbErase),
			MayEdit:    b.auth.mayEdit,
		},
		Cursors: page.NewCursors([]byte("the key of these tests' cursors.")),
		Clock:   func() time.Time { return b.now },
		Grace:   grace,
	})
	return b
}

// as is a context in which a person calls.
func as(ctx context.Context, id uuid.UUID, permissions ...string) context.Context {
	return authz.WithPrincipal(ctx, &authz.Principal{Subject: id.String(), Permissions: permissions})
}

func newID() uuid.UUID { return uuid.Must(uuid.NewV7()) }

// add makes an active user.
func (b *bundle) add() uuid.UUID {
	b.t.Helper()
	id := newID()
	n, err := users.NewUser{
		ID: id, Email: id.String() + "@example.com", EmailVerified: true, Profile: users.Profile{FullName: "Ada"}, CreatedAt: b.now,
	}.Parse("data")
	require.NoError(b.t, err)
	require.NoError(b.t, b.Store.InTx(b.t.Context(), func(tx users.Tx) error { return tx.EnsureUser(b.t.Context(), n) }))
	return id
}

// user is how a user stands.
func (b *bundle) user(id uuid.UUID) users.User {
	b.t.Helper()
	u, err := b.Store.User(b.t.Context(), id)
	require.NoError(b.t, err)
	return u
}

// only is the one user that there is.
func (b *bundle) only() uuid.UUID {
	b.t.Helper()
	ids := column[uuid.UUID](b, "SELECT id FROM users")
	require.Len(b.t, ids, 1)
	return ids[0]
}

func (b *bundle) delete(id uuid.UUID) {
	b.t.Helper()
	_, err := b.Delete(b.t.Context(), &api.UserActionRequest{ID: id.String()})
	require.NoError(b.t, err)
}

// column is one column of every row of a query.
func column[T any](b *bundle, sql string, args ...any) []T {
	b.t.Helper()
	rows, err := b.pool.Query(b.t.Context(), sql, args...)
	require.NoError(b.t, err)
	out, err := pgx.CollectRows(rows, pgx.RowTo[T])
	require.NoError(b.t, err)
	return out
}

// trail is what the audit trail says of a user, as "action by actor".
func (b *bundle) trail(id uuid.UUID) []string {
	return column[string](b, "SELECT action || ' by ' || actor FROM audit_log WHERE user_id = $1 ORDER BY id", id)
}

// told are the types of the events about a user.
func (b *bundle) told(id uuid.UUID) []string {
	return column[string](b, "SELECT type FROM outbox WHERE subject = $1 ORDER BY seq", id.String())
}

// breakTable lets every insertion into a table fail, as a full disk does, until the returned function is called.
func (b *bundle) breakTable(name string) (mend func()) {
	b.t.Helper()
	b.exec(`CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE disk_full; END $$`)
	b.exec(fmt.Sprintf("CREATE TRIGGER refuse BEFORE INSERT ON %s FOR EACH ROW EXECUTE FUNCTION refuse()", name))
	return func() { b.exec("DROP TRIGGER refuse ON " + name) }
}

func (b *bundle) exec(sql string, args ...any) {
	b.t.Helper()
	_, err := b.pool.Exec(b.t.Context(), sql, args...)
	require.NoError(b.t, err)
}
