package test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/page"
	"github.com/atrium-mesh/atrium/pkg/request"
	"github.com/atrium-mesh/atrium/pkg/service/servicetest"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/users/api"
)

func TestProfileFollowsTheAccount(t *testing.T) {
	t.Parallel()
	m := setup(t)
	id := m.register("Ada Lovelace", "ada@example.com")
	u := m.must(m.as(id), id)
	require.Equal(t, "pending", u.Body.Status)
	require.Equal(t, []string{"user"}, u.Body.Roles)
	require.Equal(t, `"1"`, u.ETag)

	publish(m, auth.AccountVerified, id, auth.AccountVerifiedData{AccountID: id, Email: "ada@example.com", At: time.Now()})
	publish(m, auth.AccountVerified, id, auth.AccountVerifiedData{AccountID: id, Email: "ada@example.com", FullName: "Ada King", At: time.Now()})
	publish(m, auth.RolesChanged, id, auth.RolesChangedData{AccountID: id, Roles: []string{"user", "support"}, Version: 3})
	publish(m, auth.RolesChanged, id, auth.RolesChangedData{AccountID: id, Roles: []string{"user"}, Version: 2})
	signedIn := time.Now().UTC().Truncate(time.Second)
	publish(m, auth.SessionStarted, id, auth.SessionStartedData{AccountID: id, At: signedIn})
	publish(m, auth.SessionStarted, id, auth.SessionStartedData{AccountID: id, At: signedIn.Add(-time.Hour)})
	require.Eventually(t, func() bool {
		u := m.must(m.as(id), id).Body
		return u.Status == "active" && u.EmailVerified && slices.Equal(u.Roles, []string{"user", "support"}) &&
			u.LastSignInAt != nil && u.LastSignInAt.Equal(signedIn) && u.FullName == "Ada King"
	}, wait, tick)
	require.Equal(t, 1, m.published("users.user.updated.v1"), "others hear of the name that came with an accepted invitation")
	require.Zero(t, m.count("dead_letters"))
}

// Somebody who never was is forgotten at once, and does not come back with an event that comes late, or again.
func TestADisownedAccountIsForgotten(t *testing.T) {
	t.Parallel()
	m := setup(t)
	id := m.register("Ada Lovelace", "ada@example.com")
	gone := auth.AccountData{AccountID: id, At: time.Now()}
	publish(m, auth.AccountDisowned, id, gone)
	publish(m, auth.AccountDisowned, id, gone)
	publish(m, auth.AccountRegistered, id, auth.AccountRegisteredData{AccountID: id, Email: "ada@example.com", FullName: "Ada", At: time.Now()})
	other := m.register("Bob", "bob@example.com") // handled after those above: order holds
	require.NotEqual(t, id, other)
	_, err := m.get(m.admin(), id)
	require.ErrorIs(t, err, errs.NotFound)
	require.Equal(t, 1, m.published("users.user.erased.v1"), "everybody else is told once")
	require.Zero(t, m.count("dead_letters"))
}

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

func TestCreate(t *testing.T) {
	t.Parallel()
	m := setup(t)
	create := op.HTTPClient(m.http, api.CreateUser)
	in := &api.CreateUserRequest{IdempotencyKey: "key-1", Body: api.NewUser{Email: "grace@example.com", FullName: "Grace Hopper", TimeZone: "America/New_York"}}

	first, err := create(m.admin(), in)
	require.NoError(t, err)
	require.Equal(t, "/api/v1/users/"+first.Body.ID, first.Location)
	require.Equal(t, "pending", first.Body.Status)
	require.Equal(t, "America/New_York", first.Body.TimeZone)
	require.Equal(t, []string{"user"}, first.Body.Roles)

	again, err := create(m.admin(), in)
	require.NoError(t, err)
	require.Equal(t, first.Body.ID, again.Body.ID, "the same key is the same user")

	other := *in
	other.Body.FullName = "Somebody Else"
	_, err = create(m.admin(), &other)
	require.Equal(t, "idempotency_key_reused", errs.From(err).Code)

	_, err = create(m.admin(), &api.CreateUserRequest{Body: in.Body})
	require.Equal(t, "email_taken", errs.From(err).Code)
	require.ErrorIs(t, err, errs.Conflict)

	_, err = create(m.admin(), &api.CreateUserRequest{Body: api.NewUser{Email: "x@example.com", FullName: "X", TimeZone: "Nowhere"}})
	require.ErrorIs(t, err, errs.Invalid)

	m.auth.fail = errs.New(errs.Forbidden, "permission_not_held", "This concerns a permission that you do not hold yourself.")
	_, err = create(m.admin(), &api.CreateUserRequest{Body: api.NewUser{Email: "y@example.com", FullName: "Y", Roles: []string{"admin"}}})
	require.Equal(t, "permission_not_held", errs.From(err).Code, "who gives which roles is auth's to say")
	boss, err := create(m.admin(), &api.CreateUserRequest{Body: api.NewUser{Email: "y@example.com", FullName: "Y", Roles: []string{"admin"}}})
	require.NoError(t, err)
	require.Equal(t, []string{"admin"}, boss.Body.Roles)
}

func TestCreateIsFinishedByARepeat(t *testing.T) {
	t.Parallel()
	m := setup(t)
	m.auth.fail = errs.New(errs.Unavailable, "busy", "Busy.")
	in := &api.CreateUserRequest{IdempotencyKey: "key-1", Body: api.NewUser{Email: "grace@example.com", FullName: "Grace"}}
	create := op.HTTPClient(m.http, api.CreateUser)
	_, err := create(m.admin(), in)
	require.ErrorIs(t, err, errs.Unavailable)
	out, err := create(m.admin(), in)
	require.NoError(t, err)
	require.Equal(t, "grace@example.com", out.Body.Email)
}

func TestConcurrentCreatesWithOneKeyMakeOneUser(t *testing.T) {
	t.Parallel()
	m := setup(t)
	create := op.HTTPClient(m.http, api.CreateUser)
	ids := make(chan string, 8)
	var g errgroup.Group
	for range 8 {
		g.Go(func() error {
			out, err := create(m.admin(), &api.CreateUserRequest{IdempotencyKey: "k", Body: api.NewUser{Email: "one@example.com", FullName: "One"}})
			if err == nil {
				ids <- out.Body.ID
			}
			return err
		})
	}
	require.NoError(t, g.Wait())
	close(ids)
	first := <-ids
	for id := range ids {
		require.Equal(t, first, id)
	}
	require.Len(t, m.auth.byID, 1)
}

func TestLifecycle(t *testing.T) {
	t.Parallel()
	m := setup(t)
	id := m.register("Ada", "ada@example.com")
	publish(m, auth.AccountVerified, id, auth.AccountVerifiedData{AccountID: id, Email: "ada@example.com"})
	require.Eventually(t, func() bool { return m.must(m.admin(), id).Body.Status == "active" }, wait, tick)
	act := func(o op.Op[api.UserActionRequest, api.UserResponse], ifMatch string) (*api.UserResponse, error) {
		return op.HTTPClient(m.http, o)(m.admin(), &api.UserActionRequest{ID: id.String(), IfMatch: ifMatch})
	}
	remove := func(ctx context.Context, ifMatch string) error {
		_, err := op.HTTPClient(m.http, api.DeleteUser)(ctx, &api.UserActionRequest{ID: id.String(), IfMatch: ifMatch})
		return err
	}

	out, err := act(api.DeactivateUser, "")
	require.NoError(t, err)
	require.Equal(t, "deactivated", out.Body.Status)
	again, err := act(api.DeactivateUser, "")
	require.NoError(t, err)
	require.Equal(t, out.ETag, again.ETag, "deactivating again changes nothing")
	require.Equal(t, 1, m.published("users.user.deactivated.v1"))
	_, err = act(api.RestoreUser, "")
	require.Equal(t, "user_not_deleted", errs.From(err).Code)
	_, err = act(api.ActivateUser, `"1"`)
	require.ErrorIs(t, err, errs.Precondition)

	require.ErrorIs(t, remove(m.admin(), `"1"`), errs.Precondition)
	require.NoError(t, remove(m.admin(), ""))
	require.NoError(t, remove(m.admin(), ""), "deleting again changes nothing")
	require.Equal(t, 1, m.published("users.user.deleted.v1"))
	deleted := m.must(m.admin(), id).Body
	require.Equal(t, "deleted", deleted.Status)
	require.NotNil(t, deleted.EraseAt)
	_, err = act(api.ActivateUser, "")
	require.Equal(t, "user_deleted", errs.From(err).Code)
	name := "Zombie"
	_, err = op.HTTPClient(m.http, api.UpdateUser)(m.as(id), &api.UpdateUserRequest{ID: id.String(), Body: api.ProfileChange{FullName: &name}})
	require.Equal(t, "user_deleted", errs.From(err).Code)

	out, err = act(api.RestoreUser, "")
	require.NoError(t, err)
	require.Equal(t, "deactivated", out.Body.Status, "restored to what it was")
	out, err = act(api.ActivateUser, out.ETag)
	require.NoError(t, err)
	require.Equal(t, "active", out.Body.Status)
	out, err = act(api.ActivateUser, "")
	require.NoError(t, err)
	require.Equal(t, "active", out.Body.Status)
	require.NoError(t, remove(m.as(id), ""), "people may delete themselves")
}

// What happens to the account happens to the user, when nobody asked for it here.
func TestStatusFollowsTheAccount(t *testing.T) {
	t.Parallel()
	m := setup(t)
	id := m.register("Ada", "ada@example.com")
	tell := func(version int64, is auth.Standing) {
		publish(m, auth.AccountStandingChanged, id, auth.AccountStandingChangedData{
			AccountID: id,
			Standing:  is,
			Version:   version,
			By:        "boss",
			At:        time.Now().UTC(),
		})
	}
	status := func(want string) {
		t.Helper()
		require.Eventually(t, func() bool { return m.must(m.admin(), id).Body.Status == want }, wait, tick)
	}
	tell(2, auth.StandingDisabled)
	status("deactivated")
	tell(1, auth.StandingActive)
	tell(3, auth.StandingDeleted)
	status("deleted")
	require.NotNil(t, m.must(m.admin(), id).Body.EraseAt)
	tell(4, auth.StandingDisabled)
	status("deactivated")
	tell(5, auth.StandingActive)
	status("pending")
	tell(6, auth.StandingErased) // of an account whose address nobody proved: it goes at once
	tell(7, auth.StandingActive)
	require.Eventually(t, func() bool { return m.count("users WHERE id = '"+id.String()+"'") == 0 }, wait, tick)
	require.Equal(t, 1, m.published("users.user.restored.v1"))
	require.Equal(t, 1, m.published("users.user.deactivated.v1"))
	require.Equal(t, 1, m.published("users.user.erased.v1"))
	require.Zero(t, m.count("dead_letters"))
}

func TestErasure(t *testing.T) {
	t.Parallel()
	m := setupWith(t, servicetest.Options{Env: config.Source{"ERASURE_GRACE": "0s"}})
	id := m.register("Ada", "ada@example.com")
	_, err := op.HTTPClient(m.http, api.DeleteUser)(m.admin(), &api.UserActionRequest{ID: id.String()})
	require.NoError(t, err)
	_, err = m.db.Exec(t.Context(), "INSERT INTO river_job (kind, args, max_attempts, queue, state) VALUES ('erase_users', '{}', 1, 'default', 'available')")
	require.NoError(t, err)
	require.Eventually(t, func() bool { _, err := m.get(m.admin(), id); return errs.KindOf(err) == errs.NotFound }, wait, tick)
	require.Equal(t, 1, m.published("users.user.erased.v1"))
	require.Zero(t, m.count("users"))
}

func TestList(t *testing.T) {
	t.Parallel()
	m := setup(t)
	_, err := m.db.Exec(t.Context(), `INSERT INTO users (id, email, full_name, status, roles, created_at, last_sign_in_at)
		SELECT gen_random_uuid(), 'person' || lpad(i::text, 3, '0') || '@example.com', CASE WHEN i % 2 = 0 THEN 'Even ' ELSE 'Odd_100%\ ' END || i,
		(ARRAY['active','pending','deactivated','deleted'])[1 + i % 4], CASE WHEN i % 5 = 0 THEN ARRAY['support'] ELSE ARRAY['user'] END,
		'2026-01-01'::timestamptz + (i / 3) * interval '1 hour', CASE WHEN i % 3 = 0 THEN '2026-02-01'::timestamptz + i * interval '1 minute' END
		FROM generate_series(1, 200) i`)
	require.NoError(t, err)
	list := func(in api.ListUsersRequest) (api.UserPage, error) {
		out, err := op.HTTPClient(m.http, api.ListUsers)(m.support(), &in)
		if err != nil {
			return api.UserPage{}, err
		}
		return out.Body, nil
	}

	t.Run("pages", func(t *testing.T) {
		t.Parallel()
		p, err := list(api.ListUsersRequest{Query: page.Query{Page: 3, PageSize: 40}})
		require.NoError(t, err)
		require.EqualValues(t, 150, p.Total, "deleted users are left out")
		require.Equal(t, 4, p.Pages)
		require.Len(t, p.Items, 40)
	})
	for _, sort := range []string{"created_at", "-created_at", "full_name", "-email", "last_sign_in_at", "-last_sign_in_at"} {
		t.Run("cursor walks every user once by "+sort, func(t *testing.T) {
			t.Parallel()
			seen, in := map[string]bool{}, api.ListUsersRequest{Query: page.Query{PageSize: 17}, Sort: sort}
			for {
				p, err := list(in)
				require.NoError(t, err)
				require.EqualValues(t, 150, p.Total)
				for _, u := range p.Items {
					require.False(t, seen[u.ID], "twice")
					seen[u.ID] = true
				}
				if p.NextCursor == "" {
					break
				}
				in.Cursor = p.NextCursor
			}
			require.Len(t, seen, 150)
		})
	}
	for name, c := range map[string]struct {
		in    api.ListUsersRequest
		total int64
	}{
		"status":             {api.ListUsersRequest{Status: "deleted"}, 50},
		"role":               {api.ListUsersRequest{Role: "support"}, 30},
		"text":               {api.ListUsersRequest{Q: "EVEN"}, 100},
		"wildcards are text": {api.ListUsersRequest{Q: `_100%\`}, 50},
		"no such text":       {api.ListUsersRequest{Q: "%%"}, 0},
		"address":            {api.ListUsersRequest{Q: "person00"}, 7},
		"created":            {api.ListUsersRequest{CreatedAfter: time.Date(2026, 1, 1, 1, 0, 0, 0, time.UTC), CreatedBefore: time.Date(2026, 1, 1, 2, 0, 0, 0, time.UTC)}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := list(c.in)
			require.NoError(t, err)
			require.Equal(t, c.total, p.Total)
		})
	}
	t.Run("refuses", func(t *testing.T) {
		t.Parallel()
		first, err := list(api.ListUsersRequest{})
		require.NoError(t, err)
		_, err = list(api.ListUsersRequest{Query: page.Query{Cursor: first.NextCursor}, Status: "active"})
		require.Equal(t, "invalid_cursor", errs.From(err).Code, "a cursor belongs to its list")
		_, err = list(api.ListUsersRequest{Query: page.Query{Cursor: "AAAA"}})
		require.Equal(t, "invalid_cursor", errs.From(err).Code)
		_, err = list(api.ListUsersRequest{Sort: "password"})
		require.ErrorIs(t, err, errs.Invalid)
		_, err = list(api.ListUsersRequest{Sort: "email,full_name"})
		require.ErrorIs(t, err, errs.Invalid)
		status, _, _ := m.raw(http.MethodGet, "/api/v1/users?page_size=1000", "", nil)
		require.Equal(t, http.StatusUnprocessableEntity, status)
		status, _, _ = m.raw(http.MethodGet, "/api/v1/users?colour=red", "", nil)
		require.Equal(t, http.StatusUnprocessableEntity, status)
	})
}
