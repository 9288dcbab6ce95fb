package test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/request"
	"github.com/atrium-mesh/atrium/services/auth/api"
	usersapi "github.com/atrium-mesh/atrium/services/users/api"
)

// standings are the operations that users asks, by verb.
func (m *mesh) standings() map[api.Verb]op.Op[api.AccountActionRequest, api.StandingResponse] {
	return map[api.Verb]op.Op[api.AccountActionRequest, api.StandingResponse]{
		api.VerbDeactivate: api.DeactivateAccount,
		api.VerbActivate:   api.ActivateAccount,
		api.VerbDelete:     api.DeleteAccount,
		api.VerbRestore:    api.RestoreAccount,
	}
}

// act asks over NATS, as users does, with the token of whoever asks users; "" is nobody's.
func (m *mesh) act(t testing.TB, token string, verb api.Verb, account uuid.UUID) (*api.StandingResponse, error) {
	t.Helper()
	ctx, in := request.WithToken(t.Context(), token), &api.AccountActionRequest{AccountID: account}
	if verb == api.VerbEdit {
		_, err := op.NATSClient(m.by("users"), api.MayEditAccount)(ctx, in)
		return nil, err
	}
	return op.NATSClient(m.by("users"), m.standings()[verb])(ctx, in)
}

// A change of a standing is true when it is answered, here, and a moment later everywhere.
func TestStanding(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	_, root := m.as(t, api.RoleAdmin)
	id := m.person(t, "ada@example.com")
	tokens := m.client(t).login("ada@example.com", goodPassword)
	login := object{"email": "ada@example.com", "password": goodPassword}
	do := func(verb api.Verb, want api.Standing) {
		t.Helper()
		out, err := m.act(t, root.token, verb, id)
		require.NoError(t, err)
		require.Equal(t, want, out.Standing)
	}

	do(api.VerbDeactivate, api.StandingDisabled)
	m.client(t).refresh(tokens.RefreshToken).refused(t, 401, "refresh_token_invalid")
	m.client(t).post("/api/v1/auth/login", login).refused(t, 401, "invalid_credentials")
	m.soonRefused(t, tokens.AccessToken)
	do(api.VerbDelete, api.StandingDeleted)
	do(api.VerbRestore, api.StandingDisabled)
	m.client(t).post("/api/v1/auth/login", login).refused(t, 401, "invalid_credentials")
	do(api.VerbActivate, api.StandingActive)
	m.client(t).post("/api/v1/auth/login", login).want(t, 200)
	do(api.VerbDelete, api.StandingDeleted)
	m.client(t).post("/api/v1/auth/login", login).refused(t, 401, "invalid_credentials")
	told := outbox[api.AccountStandingChangedData](t, m, api.AccountStandingChanged.Name, id)
	require.Len(t, told, 5)

	js := usersStream(t, m)
	publish(t, js, usersapi.UserErased, id, usersapi.UserErasedData{UserID: id, At: time.Now()})
	require.Eventually(t, func() bool {
		var left int
		err := m.pool.QueryRow(t.Context(), "SELECT count(*) FROM accounts WHERE id = $1 AND email <> ''", id).Scan(&left)
		return err == nil && left == 0
	}, 10*time.Second, 20*time.Millisecond)
	m.register(t, "ada@example.com")
}

// Without a token nobody is kept out, whoever holds credentials for NATS; with one it takes the permission, and then the rule.
func TestStanding_asks_who_calls(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	rootID, root := m.as(t, api.RoleAdmin)
	ada, user := m.as(t, api.RoleUser)
	_, support := m.as(t, api.RoleSupport)
	verbs := []api.Verb{api.VerbDeactivate, api.VerbActivate, api.VerbDelete, api.VerbRestore, api.VerbEdit}
	for _, verb := range verbs {
		for _, target := range []uuid.UUID{rootID, ada} {
			_, err := m.act(t, "", verb, target)
			require.Equal(t, "token_missing", errs.From(err).Code, verb)
			_, err = m.act(t, support.token, verb, target)
			require.Equal(t, "permission_denied", errs.From(err).Code, verb)
		}
		_, err := m.act(t, user.token, verb, rootID)
		require.Equal(t, "permission_denied", errs.From(err).Code, verb)
	}
	for _, service := range []string{"notifications", "gateway"} {
		_, err := op.NATSClient(m.by(service), api.DeactivateAccount)(request.WithToken(t.Context(), root.token), &api.AccountActionRequest{AccountID: ada})
		require.ErrorIs(t, err, errs.Forbidden, "%s, with an administrator's token", service)
	}
	_, err := m.act(t, user.token, api.VerbEdit, ada)
	require.NoError(t, err, "one's own")
	out, err := m.act(t, user.token, api.VerbDelete, ada)
	require.NoError(t, err, "one's own")
	require.Equal(t, api.StandingDeleted, out.Standing)
}

// Whoever holds the credentials of users publishes whatever they like. It decides nothing about access, and a forged erasure waits for a person.
func TestForged_events_of_users(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	id := m.person(t, "ada@example.com")
	tokens := m.client(t).login("ada@example.com", goodPassword)
	js := usersStream(t, m)
	publish(t, js, usersapi.UserDeactivated, id, usersapi.UserStatusData{UserID: id, Version: 99, At: time.Now()})
	publish(t, js, usersapi.UserDeleted, id, usersapi.UserDeletedData{UserID: id, Version: 100, At: time.Now()})
	publish(t, js, usersapi.UserUpdated, id, usersapi.UserUpdatedData{UserID: id, Version: 101, Email: "eve@example.com", FullName: "Eve"})
	publish(t, js, usersapi.UserErased, id, usersapi.UserErasedData{UserID: id, At: time.Now()})
	require.Eventually(t, func() bool {
		var dead int
		err := m.pool.QueryRow(t.Context(), "SELECT count(*) FROM dead_letters WHERE code = 'account_not_deleted'").Scan(&dead)
		return err == nil && dead == 1
	}, 10*time.Second, 20*time.Millisecond)
	require.True(t, m.signedIn(t, tokens.AccessToken))
	m.client(t).login("ada@example.com", goodPassword)
	account, err := op.NATSClient(m.by("users"), api.GetAccount)(request.WithToken(t.Context(), tokens.AccessToken), &api.GetAccountRequest{ID: id})
	require.NoError(t, err)
	require.Equal(t, "ada@example.com", account.Email)
}

func usersStream(t *testing.T, m *mesh) jetstream.JetStream {
	t.Helper()
	js, err := jetstream.New(m.NATS)
	require.NoError(t, err)
	require.Eventually(t, func() bool { _, err := js.Stream(t.Context(), "USERS"); return err == nil }, 10*time.Second, 10*time.Millisecond,
		"auth makes the streams of all")
	return js
}

// publish sends an event as users' relay does.
func publish[T any](t *testing.T, js jetstream.JetStream, of events.Type[T], subject uuid.UUID, data T) {
	t.Helper()
	body, err := json.Marshal(data)
	require.NoError(t, err)
	msg := nats.NewMsg(events.SubjectOf(of.Name))
	msg.Data = body
	for k, v := range map[string]string{
		"ce-specversion": "1.0", "ce-id": newID(), "ce-type": of.Name, "ce-source": "/atrium/users", "ce-subject": subject.String(),
		"ce-time": time.Now().UTC().Format(time.RFC3339Nano), "ce-orgid": "default", "ce-actor": "system", "ce-datacontenttype": "application/json",
	} {
		msg.Header.Set(k, v)
	}
	_, err = js.PublishMsg(t.Context(), msg)
	require.NoError(t, err)
}
