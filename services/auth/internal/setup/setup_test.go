package setup_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/authtest"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/links"
	"github.com/atrium-mesh/atrium/services/auth/internal/password"
	"github.com/atrium-mesh/atrium/services/auth/internal/setup"
)

const goodPassword = "seven green bicycles"

type bundle struct {
	*authtest.Bundle
	deps setup.Deps
	log  *bytes.Buffer
}

func newBundle(t *testing.T) *bundle {
	t.Helper()
	b := authtest.New(t)
	hashing := password.Default()
	hashing.MemoryKiB, hashing.Iterations = 7<<10, 1
	hasher, err := password.NewHasher(hashing)
	require.NoError(t, err)
	policy, err := password.NewPolicy(password.PolicyConfig{})
	require.NoError(t, err)
	log := &bytes.Buffer{}
	return &bundle{Bundle: b, log: log, deps: setup.Deps{
		Store: b.Store.Setup(), Passwords: hasher, Policy: policy, Logger: slog.New(slog.NewJSONHandler(log, nil)), Clock: b.Clock.Now,
		Links: links.New(links.Config{BaseURL: "https://atrium.example.com", Setup: 24 * time.Hour}, links.Deps{
			Store: b.Store, Key: bytes.Repeat([]byte{3}, 32), Clock: b.Clock.Now,
		}),
	}}
}

func (b *bundle) service(c setup.Config) *setup.Service { return setup.New(c, b.deps) }

func configured() setup.Config {
	return setup.Config{Email: "Root@example.com", Password: goodPassword, Name: "Administrator"}
}

func (b *bundle) admins(t *testing.T) int {
	return b.Int(t, "SELECT count(*) FROM account_roles WHERE role = 'admin'")
}

func token(t *testing.T, s *setup.Service) string {
	t.Helper()
	link, err := s.Link(t.Context())
	require.NoError(t, err)
	require.True(t, strings.HasPrefix(link, "https://atrium.example.com/account/setup?token="), link)
	u, err := url.Parse(link)
	require.NoError(t, err)
	return u.Query().Get("token")
}

func request(raw string) *api.SetupRequest {
	return &api.SetupRequest{Body: api.Setup{Token: raw, Email: "Grace@example.com", Password: goodPassword, FullName: "Grace Hopper"}}
}

func refused(t *testing.T, err error, kind errs.Kind, code string) {
	t.Helper()
	require.ErrorIs(t, err, kind)
	require.Equal(t, code, errs.From(err).Code)
}

func TestStart_makes_the_configured_administrator_once(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	require.NoError(t, b.service(configured()).Start(t.Context()))
	account, err := b.Store.AccountByEmail(t.Context(), "root@example.com")
	require.NoError(t, err)
	require.True(t, account.Verified())
	require.Equal(t, "Administrator", account.FullName)
	roles, err := b.Store.RolesOf(t.Context(), account.ID)
	require.NoError(t, err)
	require.Equal(t, []string{"admin", "user"}, identity.Names(roles))
	known, err := b.Store.Password(t.Context(), account.ID)
	require.NoError(t, err)
	result, err := b.deps.Passwords.Verify(t.Context(), goodPassword, known.Hash)
	require.NoError(t, err)
	require.True(t, result.OK)
	events := authtest.Published(t, b.Bundle, api.AccountRegistered)
	require.Len(t, events, 1)
	require.Equal(t, api.OriginSetup, events[0].Origin)
	require.True(t, events[0].Verified)

	other := configured()
	other.Password = "another password altogether"
	require.NoError(t, b.service(other).Start(t.Context()))
	require.NoError(t, b.service(setup.Config{}).Start(t.Context()))
	require.NoError(t, b.service(other).Stop(t.Context()))
	again, err := b.Store.Password(t.Context(), account.ID)
	require.NoError(t, err)
	require.Equal(t, known, again, "a later start changes nothing")
	require.Equal(t, 1, b.admins(t))
	require.NotContains(t, b.log.String(), goodPassword)
	require.NotContains(t, strings.ToLower(b.log.String()), "root@example.com")

	link, err := b.service(other).Link(t.Context())
	require.NoError(t, err)
	require.Empty(t, link, "nobody needs a link")
}

type breached struct{ password string }

func (b breached) Known(_ context.Context, password string) bool { return password == b.password }

// What the configuration alone cannot tell is said at start, in the words of the configuration.
func TestStart_says_what_is_wrong_with_the_password(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		policy   password.PolicyConfig
		password string
	}{
		"breached":    {password.PolicyConfig{Breaches: breached{goodPassword}}, goodPassword},
		"of the site": {password.PolicyConfig{Context: []string{"orchard.example.com"}}, "orchard-orchard!"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBundle(t)
			var err error
			b.deps.Policy, err = password.NewPolicy(c.policy)
			require.NoError(t, err)
			admin := configured()
			admin.Password = c.password
			err = b.service(admin).Start(t.Context())
			require.ErrorContains(t, err, "ADMIN_PASSWORD")
			require.NotContains(t, err.Error(), c.password)
			require.Zero(t, b.admins(t))
		})
	}
}

func TestStart_of_replicas_at_the_same_time(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.deps.Logger = slog.New(slog.DiscardHandler)
	var wg sync.WaitGroup
	failures := make([]error, 5)
	for i := range failures {
		wg.Go(func() { failures[i] = b.service(configured()).Start(t.Context()) })
	}
	wg.Wait()
	for _, err := range failures {
		require.NoError(t, err)
	}
	require.Equal(t, 1, b.admins(t))
	require.Equal(t, 1, b.Int(t, "SELECT count(*) FROM accounts"))
}

// Somebody who signed up with the administrator's address before does not become one.
func TestStart_does_not_promote_a_stranger(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.Account(t, "root@example.com")
	require.NoError(t, b.service(configured()).Start(t.Context()), "the service starts all the same")
	require.Zero(t, b.admins(t))
	require.Contains(t, b.log.String(), `"level":"ERROR"`)
	require.Contains(t, b.log.String(), "ADMIN_EMAIL")
}

func TestStart_without_configuration_says_what_to_do(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	s := b.service(setup.Config{})
	require.NoError(t, s.Start(t.Context()))
	require.Zero(t, b.admins(t))
	require.Contains(t, b.log.String(), "ADMIN_EMAIL")
	require.NotContains(t, b.log.String(), token(t, s), "the link is a secret")
}

func TestSetup_by_link(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	s := b.service(setup.Config{})
	raw := token(t, s)
	require.Equal(t, raw, token(t, b.service(setup.Config{})), "every replica answers the same link")

	out, err := s.Do(t.Context(), request(raw))
	require.NoError(t, err)
	require.Equal(t, "Grace@example.com", out.Body.Email)
	require.Equal(t, "/api/v1/users/"+out.Body.ID, out.Location)
	require.Equal(t, 1, b.admins(t))
	require.Equal(t, api.OriginSetup, authtest.Published(t, b.Bundle, api.AccountRegistered)[0].Origin)
	require.Equal(t, 1, b.Int(t, "SELECT count(*) FROM audit_log WHERE action = 'account.set_up' AND actor = $1", out.Body.ID))

	_, err = s.Do(t.Context(), request(raw))
	refused(t, err, errs.Conflict, "already_set_up")
}

func TestSetup_refuses(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	s := b.service(setup.Config{})
	b.Account(t, "ada@example.com")
	raw := token(t, s)
	for name, c := range map[string]struct { //nolint:paralleltest // one after the other
		change func(*api.Setup)
		kind   errs.Kind
		code   string
	}{
		"forged link":      {func(in *api.Setup) { in.Token = "forged" }, errs.Invalid, "link_invalid"},
		"weak password":    {func(in *api.Setup) { in.Password = "password1234" }, errs.Invalid, "validation_failed"},
		"own name":         {func(in *api.Setup) { in.Password = "GraceHopper1906" }, errs.Invalid, "validation_failed"},
		"no address":       {func(in *api.Setup) { in.Email = "grace" }, errs.Invalid, "validation_failed"},
		"no name":          {func(in *api.Setup) { in.FullName = " " }, errs.Invalid, "validation_failed"},
		"address is taken": {func(in *api.Setup) { in.Email = "ADA@example.com" }, errs.Conflict, "email_taken"},
	} {
		t.Run(name, func(t *testing.T) {
			in := request(raw)
			c.change(&in.Body)
			_, err := s.Do(t.Context(), in)
			refused(t, err, c.kind, c.code)
			require.Zero(t, b.admins(t))
		})
	}
	require.Equal(t, raw, token(t, s), "the link still works")

	b.Clock.Advance(24 * time.Hour)
	_, err := s.Do(t.Context(), request(raw))
	refused(t, err, errs.Invalid, "link_expired")
	fresh := token(t, s)
	require.NotEqual(t, raw, fresh)
	_, err = s.Do(t.Context(), request(fresh))
	require.NoError(t, err)
}

func TestSetup_many_with_the_link_at_the_same_time(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	s := b.service(setup.Config{})
	raw := token(t, s)
	var wg sync.WaitGroup
	failures := make([]error, 6)
	for i := range failures {
		wg.Go(func() {
			in := request(raw)
			in.Body.Email = strings.Repeat("x", i+1) + "@example.com"
			_, failures[i] = s.Do(t.Context(), in)
		})
	}
	wg.Wait()
	made := 0
	for _, err := range failures {
		if err == nil {
			made++
			continue
		}
		require.Contains(t, []string{"already_set_up", "link_used"}, errs.From(err).Code)
	}
	require.Equal(t, 1, made)
	require.Equal(t, 1, b.admins(t))
}

// However the administrators stand, nobody gets the link once there is one: keeping them out must not open the way for a stranger. Only
// when each of them was erased, which the rule for acting on others prevents, there is none.
func TestSetup_stays_closed(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	s := b.service(setup.Config{})
	raw := token(t, s)
	root := b.Account(t, "root@example.com", api.RoleAdmin)
	for _, status := range []string{identity.StatusActive, identity.StatusDisabled, identity.StatusDeleted} {
		b.Stand(t, root.ID, status)
		link, err := s.Link(t.Context())
		require.NoError(t, err)
		require.Empty(t, link, status)
		_, err = s.Do(t.Context(), request(raw))
		refused(t, err, errs.Conflict, "already_set_up")
		require.NoError(t, b.service(configured()).Start(t.Context()))
	}
	require.Equal(t, 1, b.Int(t, "SELECT count(*) FROM accounts"), "no second one was made by configuration")
	t.Run("by an invitation that nobody has accepted", func(t *testing.T) {
		_, err := b.Pool.Exec(t.Context(), "DELETE FROM passwords")
		require.NoError(t, err)
		_, err = s.Do(t.Context(), request(raw))
		refused(t, err, errs.Conflict, "already_set_up")
	})
}

func TestSetup_database_away(t *testing.T) {
	t.Parallel()
	b := newBundle(t)
	b.Pool.Close()
	s := b.service(configured())
	require.ErrorIs(t, s.Start(t.Context()), errs.Unavailable)
	_, err := s.Do(t.Context(), request("x"))
	require.ErrorIs(t, err, errs.Unavailable)
	_, err = s.Link(t.Context())
	require.ErrorIs(t, err, errs.Unavailable)
}

func TestConfig(t *testing.T) {
	t.Parallel()
	require.NoError(t, setup.Config{Name: "Administrator"}.Validate())
	require.NoError(t, configured().Validate())
	for want, change := range map[string]func(*setup.Config){
		"ADMIN_EMAIL is required":           func(c *setup.Config) { c.Email = "" },
		"ADMIN_PASSWORD is required":        func(c *setup.Config) { c.Password = "" },
		"ADMIN_EMAIL must be":               func(c *setup.Config) { c.Email = "root" },
		"ADMIN_NAME must":                   func(c *setup.Config) { c.Name = "a\nb" },
		"ADMIN_PASSWORD must have at least": func(c *setup.Config) { c.Password = "short" },
		"ADMIN_PASSWORD is among":           func(c *setup.Config) { c.Password = "password1234" },
	} {
		c := configured()
		change(&c)
		err := c.Validate()
		require.ErrorContains(t, err, want)
		require.NotContains(t, err.Error(), goodPassword)
	}
}
