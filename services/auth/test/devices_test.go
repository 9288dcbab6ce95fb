package test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/services/auth/api"
)

const iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1"

// news is what the owner of an account is to be told of each sign-in so far.
func (m *mesh) news(t testing.TB, account uuid.UUID) (told []bool) {
	t.Helper()
	for _, e := range outbox[api.SessionStartedData](t, m, api.SessionStarted.Name, account) {
		told = append(told, e.NewDevice && !e.Quiet)
	}
	return told
}

// at is the same browser at another address.
func (c client) at(ip string) client { c.ip = ip; return c }

func TestLogin_tells_of_a_new_device(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	id := m.person(t, "ada@example.com")
	c := m.client(t)
	phone := c
	phone.agent = iphone
	for _, step := range []struct {
		what string
		from client
		told bool
	}{
		{"the very first", c, false},
		{"the same", c, false},
		{"another address of the network", c.at("203.0.112.200"), false},
		{"the same browser family from another network", c.at("198.51.100.66"), true},
		{"there again", c.at("198.51.100.99"), false},
		{"another browser in a known network", phone, true},
		{"that again", phone, false},
		{"IPv6", c.at("2001:db8:1::7"), true},
		{"IPv6, another subnet", c.at("2001:db8:1:2::9"), false},
		{"nobody knows from where", c.at(""), true},
		{"again nobody knows from where", c.at(""), true},
		{"home again", c, false},
	} {
		step.from.login("ada@example.com", goodPassword)
		told := m.news(t, id)
		require.Equal(t, step.told, told[len(told)-1], step.what)
	}
}

// signInWithCookies is the device cookie after a sign-in as a browser.
func signInWithCookies(t *testing.T, c client, email string) *http.Cookie {
	t.Helper()
	a := c.post("/api/v1/auth/login", object{"email": email, "password": goodPassword, "transport": "cookie"}).want(t, 200)
	cookie := cookiesOf(t, a)[api.CookieDevice]
	require.NotNil(t, cookie)
	return cookie
}

// A browser that was given a cookie is recognised on a train; one that has the same name and no cookie is not.
func TestLogin_recognises_a_browser_by_its_cookie(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	id, other := m.person(t, "ada@example.com"), m.person(t, "grace@example.com")
	c := m.client(t)
	cookie := signInWithCookies(t, c, "ada@example.com")
	require.Equal(t, "/", cookie.Path)
	require.Empty(t, cookie.Domain)
	require.True(t, cookie.HttpOnly)
	require.True(t, cookie.Secure)
	require.Equal(t, http.SameSiteLaxMode, cookie.SameSite)
	require.Equal(t, 400*24*3600, cookie.MaxAge)
	require.Len(t, cookie.Value, 22)

	c.cookie = api.CookieDevice + "=" + cookie.Value
	require.Equal(t, cookie.Value, signInWithCookies(t, c.at("198.51.100.66"), "ada@example.com").Value, "it keeps its cookie")
	c.at("192.0.2.1").login("ada@example.com", goodPassword)
	require.Equal(t, []bool{false, false, false}, m.news(t, id))

	thief := m.client(t).at("100.64.0.1")
	thief.login("ada@example.com", goodPassword)
	thief = thief.at("100.80.0.1")
	thief.cookie = api.CookieDevice + "=nonsense"
	require.NotEqual(t, "nonsense", signInWithCookies(t, thief, "ada@example.com").Value)
	require.Equal(t, []bool{false, false, false, true, true}, m.news(t, id))

	m.client(t).login("grace@example.com", goodPassword)
	c.at("192.0.2.1").login("grace@example.com", goodPassword)
	require.Equal(t, []bool{false, true}, m.news(t, other), "a cookie that another account knows says nothing")

	var stored int
	require.NoError(t, m.pool.QueryRow(t.Context(), "SELECT count(*) FROM known_devices WHERE fingerprint = $1 OR device = $2",
		[]byte(cookie.Value), cookie.Value).Scan(&stored))
	require.Zero(t, stored, "only a hash of it is kept")
}

// Whoever has the password and many networks fills neither the owner's mailbox nor the database.
func TestLogin_tells_of_new_devices_a_few_times_a_day(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	id := m.person(t, "ada@example.com")
	c := m.client(t)
	c.login("ada@example.com", goodPassword)
	for i := range 60 {
		c.at(fmt.Sprintf("10.%d.0.1", i)).login("ada@example.com", goodPassword)
	}
	var told, last, quiet int
	for i, e := range outbox[api.SessionStartedData](t, m, api.SessionStarted.Name, id) {
		require.Equal(t, i > 0, e.NewDevice)
		switch {
		case e.Quiet:
			quiet++
		case e.LastNotice:
			last++
			require.Equal(t, 9, told, "the last one says that it is the last")
		case e.NewDevice:
			told++
		}
	}
	require.Equal(t, []int{9, 1, 50}, []int{told, last, quiet})
	var kept int
	require.NoError(t, m.pool.QueryRow(t.Context(), "SELECT count(*) FROM known_devices WHERE account_id = $1", id).Scan(&kept))
	require.Equal(t, 50, kept)

	_, err := m.pool.Exec(t.Context(), "UPDATE device_notices SET since = since - interval '24 hours' WHERE account_id = $1", id)
	require.NoError(t, err)
	c.at("172.16.0.1").login("ada@example.com", goodPassword)
	all := m.news(t, id)
	require.True(t, all[len(all)-1], "the next day there are notices again")
}

// Of sign-ins at once from one new place the owner is told once.
func TestLogin_tells_once_of_sign_ins_at_once(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	id := m.person(t, "ada@example.com")
	m.client(t).login("ada@example.com", goodPassword)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() { m.client(t).at("198.51.100.66").login("ada@example.com", goodPassword) })
	}
	wg.Wait()
	told := 0
	for _, one := range m.news(t, id) {
		if one {
			told++
		}
	}
	require.Equal(t, 1, told)
}

// Whoever was disowned is a stranger again, although they have signed in from there before; so is everybody else.
func TestNotMe_forgets_the_devices(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	id := m.person(t, "ada@example.com")
	thief := m.client(t).at("198.51.100.66")
	m.client(t).login("ada@example.com", goodPassword)
	thief.login("ada@example.com", goodPassword)
	m.client(t).post("/api/v1/auth/not-me", object{"token": m.link(t, id, api.LinkNotMe)}).want(t, 204)
	_, err := m.pool.Exec(t.Context(), `INSERT INTO passwords (account_id, hash, changed_at)
		SELECT $1, hash, $2 FROM passwords WHERE account_id = $3`, id, time.Now(), m.person(t, "grace@example.com"))
	require.NoError(t, err)
	thief.login("ada@example.com", goodPassword)
	require.Equal(t, []bool{false, true, true}, m.news(t, id))
}
