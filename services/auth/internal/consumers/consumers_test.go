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
		Name: "auth", Pool: b.Pool, JS: js, Handlers: consumers.Handlers(standing.New(revocation.NewEnder(15*time.Minute), b.Clock.Now)),
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
	b.Session(t, ada.ID)
	at := func(version int64) usersapi.UserStatusData {
		return usersapi.UserStatusData{UserID: ada.ID, Version: version, At: b.Clock.Now()}
	}

	publish(t, b, usersapi.UserUpdated, ada.ID, usersapi.UserUpdatedData{UserID: ada.ID, Version: 2, FullName: "Augusta King", Locale: "de"})
	b.eventually(t, ada.ID, func(a identity.Account) bool { return a.FullName == "Augusta King" && a.Locale == "de" })

	turned := usersapi.UserUpdatedData{UserID: ada.ID, Version: 3, FullName: "\u202eadA", Locale: "de"}
	publish(t, b, usersapi.UserUpdated, ada.ID, turned) // users never says that

	publish(t, b, usersapi.UserDeactivated, ada.ID, at(3))
	b.eventually(t, ada.ID, hasStatus(identity.StatusDisabled))
	require.Zero(t, b.Int(t, "SELECT count(*) FROM sessions WHERE revoked_at IS NULL"))
	require.Equal(t, 1, b.Int(t, "SELECT count(*) FROM audit_log WHERE action = 'account.disabled' AND actor = 'boss'"))

	publish(t, b, usersapi.UserActivated, ada.ID, at(4))
	b.eventually(t, ada.ID, hasStatus(identity.StatusActive))
	publish(t, b, usersapi.UserDeleted, ada.ID, usersapi.UserDeletedData{UserID: ada.ID, Version: 5})
	b.eventually(t, ada.ID, hasStatus(identity.StatusDisabled))
	publish(t, b, usersapi.UserRestored, ada.ID, at(6))
	b.eventually(t, ada.ID, hasStatus(identity.StatusActive))
	publish(t, b, usersapi.UserDeactivated, ada.ID, at(5)) // late
	publish(t, b, usersapi.UserErased, ada.ID, usersapi.UserErasedData{UserID: ada.ID, At: b.Clock.Now()})
	b.eventually(t, ada.ID, hasStatus(identity.StatusErased))
	require.Equal(t, 2, b.Int(t, "SELECT count(*) FROM audit_log WHERE action = 'account.disabled'"))
	require.Equal(t, 1, b.Int(t, "SELECT count(*) FROM dead_letters"), "what is no name is one")
}
