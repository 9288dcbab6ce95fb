package consumers_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/pkg/lifecycle"
	"github.com/atrium-mesh/atrium/pkg/natstest"
	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/pkg/pgtest"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/authtest"
	"github.com/atrium-mesh/atrium/services/auth/internal/consumers"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/revocation"
	"github.com/atrium-mesh/atrium/services/auth/internal/standing"
	usersapi "github.com/atrium-mesh/atrium/services/users/api"
)

const within = 30 * time.Second

// bundle is auth's consumer, and an outbox of users that is relayed to it over a real NATS.
type bundle struct {
	*authtest.Bundle
	users *pgxpool.Pool
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{Bundle: authtest.New(t), users: pgtest.New(t, nil)}
	js, err := jetstream.New(natstest.Run(t))
	require.NoError(t, err)
	start(t, events.NewRelay(events.RelayConfig{Pool: b.users, JS: js, Stream: "USERS", Prefix: "users"}))
	start(t, events.NewConsumer(events.ConsumerConfig{
		Name: "auth", Pool: b.Pool, JS: js, Handlers: consumers.Handlers(standing.New(standing.Config{}, standing.Deps{
			Store: b.Store.Standing(), Ender: revocation.NewEnder(15 * time.Minute), Clock: b.Clock.Now,
		})),
	}))
	return b
}

func start(t *testing.T, c lifecycle.Component) {
	t.Helper()
	require.NoError(t, c.Start(t.Context()))
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), within)
		defer cancel()
		require.NoError(t, c.Stop(ctx))
	})
}

func publish[T any](t *testing.T, b *bundle, of events.Type[T], user uuid.UUID, data T) {
	t.Helper()
	ctx := events.WithActor(t.Context(), identity.Org, "boss")
	require.NoError(t, pg.InTx(ctx, b.users, func(tx pgx.Tx) error { return events.Publish(ctx, tx, of, user.String(), data) }))
}

func (b *bundle) eventually(t *testing.T, id uuid.UUID, ok func(identity.Account) bool) {
	t.Helper()
	require.Eventually(t, func() bool {
		a, err := b.Store.Account(t.Context(), id)
		return err == nil && ok(a)
	}, within, 10*time.Millisecond)
}

func hasStatus(status string) func(identity.Account) bool {
	return func(a identity.Account) bool { return a.Status == status }
}

func TestConsumers_follow_a_users_life(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada := b.Account(t, "ada@example.com")
	updated := func(version int64, name string) {
		publish(t, b, usersapi.UserUpdated, ada.ID, usersapi.UserUpdatedData{
			UserID:   ada.ID,
			Version:  version,
			Email:    "mallory@example.com",
			FullName: name,
			Locale:   "de",
		})
	}
	updated(9, "Augusta King")
	b.eventually(t, ada.ID, func(a identity.Account) bool { return a.FullName == "Augusta King" && a.Locale == "de" })
	updated(3, "Late")
	updated(10, "\u202eadA") // users never says that
	b.Stand(t, ada.ID, identity.StatusDeleted)
	publish(t, b, usersapi.UserErased, ada.ID, usersapi.UserErasedData{UserID: ada.ID, At: b.Clock.Now()})
	b.eventually(t, ada.ID, hasStatus(identity.StatusErased))
	require.Equal(t, 1, b.Int(t, "SELECT count(*) FROM audit_log WHERE action = 'account.erased' AND actor = 'boss'"))
	require.Equal(t, 1, b.Int(t, "SELECT count(*) FROM dead_letters"), "what is no name is one")
}

// Whoever holds the credentials of users can publish what they like. Nothing of it decides who may sign in.
func TestConsumers_believe_nothing_about_access(t *testing.T) {
	t.Parallel()
	b := setup(t)
	root, kept := b.Account(t, "root@example.com", "admin"), b.Account(t, "kept@example.com")
	b.Session(t, root.ID)
	b.Stand(t, kept.ID, identity.StatusDisabled)
	before := []identity.Account{b.account(t, root.ID), b.account(t, kept.ID)}
	for _, id := range []uuid.UUID{root.ID, kept.ID} {
		status := usersapi.UserStatusData{UserID: id, Version: 1 << 40, Status: "active", At: b.Clock.Now()}
		publish(t, b, usersapi.UserDeactivated, id, status)
		publish(t, b, usersapi.UserDeleted, id, usersapi.UserDeletedData{UserID: id, Version: 1 << 41})
		publish(t, b, usersapi.UserActivated, id, status)
		publish(t, b, usersapi.UserRestored, id, status)
		publish(t, b, usersapi.UserErased, id, usersapi.UserErasedData{UserID: id, At: b.Clock.Now()})
	}
	require.Eventually(t, func() bool {
		return b.Int(t, "SELECT count(*) FROM dead_letters WHERE type = $1 AND code = 'account_not_deleted'", usersapi.UserErased.Name) == 2
	}, within, 10*time.Millisecond, "a forged erasure waits for a person")
	publish(t, b, usersapi.UserUpdated, root.ID, usersapi.UserUpdatedData{
		UserID:   root.ID,
		Version:  2,
		Email:    "mallory@example.com",
		FullName: "Mallory",
	})
	b.eventually(t, root.ID, func(a identity.Account) bool { return a.FullName == "Mallory" })

	after := []identity.Account{b.account(t, root.ID), b.account(t, kept.ID)}
	after[0].FullName, after[0].Locale, after[0].ProfileVersion = before[0].FullName, before[0].Locale, before[0].ProfileVersion
	after[0].UpdatedAt = before[0].UpdatedAt
	require.Equal(t, before, after, "but for the name")
	require.Equal(t, 1, b.Int(t, "SELECT count(*) FROM sessions WHERE revoked_at IS NULL"))
	require.Empty(t, authtest.Published(t, b.Bundle, api.AccountStandingChanged))
}

func (b *bundle) account(t *testing.T, id uuid.UUID) identity.Account {
	t.Helper()
	a, err := b.Store.Account(t.Context(), id)
	require.NoError(t, err)
	return a
}
