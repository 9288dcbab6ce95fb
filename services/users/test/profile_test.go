package test

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/request"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/users/api"
)

func TestMe(t *testing.T) {
	t.Parallel()
	m := setup(t)
	t.Run("before the event has arrived", func(t *testing.T) {
		t.Parallel()
		id := newID()
		m.auth.add(&auth.GetAccountResponse{ID: id, Email: "eve@example.com", FullName: "Eve", Verified: true, Roles: []string{"user"}, CreatedAt: time.Now()})
		me, err := op.HTTPClient(m.http, api.GetMe)(m.as(id), &api.GetMeRequest{})
		require.NoError(t, err)
		require.Equal(t, id.String(), me.Body.ID)
		require.Equal(t, "active", me.Body.Status)
		publish(m, auth.AccountRegistered, id, auth.AccountRegisteredData{AccountID: id, Email: "eve@example.com", FullName: "Other", At: time.Now()})
		other := m.register("Bob", "bob@example.com") // handled after the one above: order holds
		require.Equal(t, "Eve", m.must(m.as(id), id).Body.FullName)
		require.NotEqual(t, other, id)
	})
	t.Run("changes", func(t *testing.T) {
		t.Parallel()
		id := m.register("Ada", "ada@example.com")
		name, zone := "  Ada King ", "Europe/London"
		out, err := op.HTTPClient(m.http, api.UpdateMe)(m.as(id), &api.UpdateMeRequest{Body: api.ProfileChange{FullName: &name, TimeZone: &zone}})
		require.NoError(t, err)
		require.Equal(t, "Ada King", out.Body.FullName)
		require.Equal(t, "Europe/London", out.Body.TimeZone)
		require.Equal(t, `"2"`, out.ETag)
	})
	t.Run("nobody here", func(t *testing.T) {
		t.Parallel()
		_, err := op.HTTPClient(m.http, api.GetMe)(m.as(newID()), &api.GetMeRequest{})
		require.ErrorIs(t, err, errs.NotFound)
		_, err = op.HTTPClient(m.http, api.GetMe)(request.WithToken(t.Context(), m.Issuer.SignUser("no-uuid")), &api.GetMeRequest{})
		require.ErrorIs(t, err, errs.NotFound)
		_, err = op.HTTPClient(m.http, api.UpdateMe)(m.as(newID()), &api.UpdateMeRequest{})
		require.ErrorIs(t, err, errs.NotFound)
	})
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	m := setup(t)
	id := m.register("Ada", "ada@example.com")
	replace, update := op.HTTPClient(m.http, api.ReplaceUser), op.HTTPClient(m.http, api.UpdateUser)
	profile := func(name, locale, zone string) *api.ReplaceUserRequest {
		return &api.ReplaceUserRequest{ID: id.String(), Body: api.Profile{FullName: name, Locale: locale, TimeZone: zone}}
	}

	out, err := replace(m.as(id), profile("Ada Lovelace", "en-GB", "Europe/London"))
	require.NoError(t, err)
	require.Equal(t, `"2"`, out.ETag)
	require.Equal(t, 1, m.published("users.user.updated.v1"))

	same, err := replace(m.as(id), profile("Ada Lovelace", "en-GB", "Europe/London"))
	require.NoError(t, err)
	require.Equal(t, `"2"`, same.ETag, "what changes nothing makes no version")
	require.Equal(t, 1, m.published("users.user.updated.v1"))

	stale := profile("Mallory", "en", "UTC")
	stale.IfMatch = `"1"`
	_, err = replace(m.as(id), stale)
	require.ErrorIs(t, err, errs.Precondition)
	require.Equal(t, "Ada Lovelace", m.must(m.as(id), id).Body.FullName)

	locale := "de"
	fresh, err := update(m.admin(), &api.UpdateUserRequest{ID: id.String(), IfMatch: `"2"`, Body: api.ProfileChange{Locale: &locale}})
	require.NoError(t, err)
	require.Equal(t, "de", fresh.Body.Locale)
	require.Equal(t, "Ada Lovelace", fresh.Body.FullName)

	for name, c := range map[string]struct{ body, code, field string }{
		"blank name":   {`{"full_name":"   "}`, "required", "body.full_name"},
		"unknown zone": {`{"time_zone":"Mars/Olympus"}`, "unknown_time_zone", "body.time_zone"},
		"machine zone": {`{"time_zone":"localtime"}`, "unknown_time_zone", "body.time_zone"},
		"leap seconds": {`{"time_zone":"right/Europe/London"}`, "unknown_time_zone", "body.time_zone"},
		"small zone":   {`{"time_zone":"europe/london"}`, "unknown_time_zone", "body.time_zone"},
		"turned name":  {`{"full_name":"\u202eAda"}`, "format", "body.full_name"},
		"strange name": {`{"full_name":"Ada\u0007"}`, "format", "body.full_name"},
		"no language":  {`{"locale":"xx"}`, "unknown_locale", "body.locale"},
		"local zone":   {`{"time_zone":"Local"}`, "unknown_time_zone", "body.time_zone"},
		"e-mail":       {`{"email":"x@example.com"}`, "unknown_field", "body.email"},
		"bad locale":   {`{"locale":"en_GB!"}`, "pattern", "body.locale"},
	} {
		status, body, _ := m.raw(http.MethodPatch, "/api/v1/users/"+id.String(), c.body, nil)
		require.Equal(t, http.StatusUnprocessableEntity, status, name)
		require.Contains(t, body, c.code, name)
		require.Contains(t, body, c.field, name)
	}
	_, err = update(m.admin(), &api.UpdateUserRequest{ID: newID().String()})
	require.ErrorIs(t, err, errs.NotFound)
}

func TestConcurrentChangesLoseNothing(t *testing.T) {
	t.Parallel()
	m := setup(t)
	id := m.register("Ada", "ada@example.com")
	var g errgroup.Group
	won := make(chan struct{}, 16)
	for i := range 16 {
		g.Go(func() error {
			name := fmt.Sprintf("Ada %d", i)
			_, err := op.HTTPClient(m.http, api.UpdateUser)(m.as(id), &api.UpdateUserRequest{ID: id.String(), IfMatch: `"1"`, Body: api.ProfileChange{FullName: &name}})
			if err == nil {
				won <- struct{}{}
				return nil
			}
			if errs.KindOf(err) != errs.Precondition {
				return err
			}
			return nil
		})
	}
	require.NoError(t, g.Wait())
	require.Len(t, won, 1, "of all that were meant for version 1 exactly one wins")
	require.Equal(t, `"2"`, m.must(m.as(id), id).ETag)
	require.Equal(t, 1, m.published("users.user.updated.v1"))
}
