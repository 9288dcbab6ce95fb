package e2e_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/ratelimit/redistest"
	authapi "github.com/atrium-mesh/atrium/services/auth/api"
	usersapi "github.com/atrium-mesh/atrium/services/users/api"
	"github.com/atrium-mesh/atrium/test/e2e/client"
	"github.com/atrium-mesh/atrium/test/e2e/mesh"
)

// from says which address a request comes from, as a trusted proxy in front of the gateway does.
func from(address string, r client.Request) client.Request {
	r.Header = http.Header{"X-Forwarded-For": {address}}
	return r
}

func signIn(p client.Person, password string) client.Request {
	return client.Request{Method: http.MethodPost, Path: authapi.Login.Path, Body: map[string]string{"email": p.Email, "password": password}}
}

// TestLimits: the limits that hold without configuration, shared by two gateways through Redis, and in process while Redis is away.
func TestLimits(t *testing.T) {
	t.Parallel()
	redis := redistest.Run(t)
	m := mesh.Processes(t, mesh.Options{Gateways: 2, EnvOf: map[string]string{
		"gateway.RATE_LIMIT_SIGN_IN": "5/1m", "gateway.RATE_LIMIT_SIGN_UP": "10/1m", "gateway.RATE_LIMIT_API": "100/1m",
		"gateway.TRUSTED_PROXIES": "127.0.0.0/8", "gateway.REDIS_URL": redis.URL,
	}})
	a := visitor(t, m)
	b := a.At(m.Origins[1])
	nobody := client.Person{Email: "nobody@atrium.example"}
	const refused = http.StatusUnauthorized

	first := a.Do(from("198.51.100.1", signIn(nobody, "eleven quiet guesses"))).WantProblem(refused, "invalid_credentials")
	require.Equal(t, `"sign-in";q=5;w=60`, first.Header.Get("RateLimit-Policy"))
	require.Contains(t, first.Header.Get("RateLimit"), `"sign-in";r=4;t=`)
	for _, gateway := range []*client.Client{b, a, b, a} {
		gateway.Do(from("198.51.100.1", signIn(nobody, "eleven quiet guesses"))).WantProblem(refused, "invalid_credentials")
	}
	for _, gateway := range []*client.Client{a, b} {
		gateway.Do(from("198.51.100.1", signIn(nobody, "eleven quiet guesses"))).WantProblem(http.StatusTooManyRequests, "rate_limited")
	}
	b.Do(from("198.51.100.2", signIn(nobody, "eleven quiet guesses"))).WantProblem(refused, "invalid_credentials")
	a.Do(from("198.51.100.2, 198.51.100.1", signIn(nobody, "eleven quiet guesses"))).
		WantProblem(http.StatusTooManyRequests, "rate_limited") // the rightmost is what the proxy saw

	for range 10 {
		p := client.NewPerson("many")
		a.Do(from("198.51.100.3", client.Request{Method: http.MethodPost, Path: authapi.Register.Path, Body: map[string]string{
			"email": p.Email, "password": p.Password, "full_name": p.FullName,
		}})).Want(http.StatusAccepted)
	}
	p := client.NewPerson("many")
	body := map[string]string{"email": p.Email, "password": p.Password, "full_name": p.FullName}
	sameAddress := from("198.51.100.3", client.Request{Method: http.MethodPost, Path: authapi.Register.Path, Body: body})
	b.Do(sameAddress).WantProblem(http.StatusTooManyRequests, "rate_limited")
	b.Do(from("198.51.100.4", client.Request{Method: http.MethodPost, Path: authapi.Register.Path, Body: body})).Want(http.StatusAccepted) // nothing was made before

	b.Verify(p)
	tokens := client.Decode[authapi.Tokens](b.Do(from("198.51.100.4", signIn(p, p.Password))).Want(http.StatusOK))
	device := a.WithToken(tokens.AccessToken)
	limited := 0
	for i := range 110 {
		gateway := device
		if i%2 == 1 {
			gateway = device.At(m.Origins[1])
		}
		if answer := gateway.Do(from("198.51.100.5", client.Request{Method: http.MethodGet, Path: usersapi.GetMe.Path})); answer.Status == http.StatusTooManyRequests {
			answer.WantProblem(http.StatusTooManyRequests, "rate_limited")
			limited++
		}
	}
	require.Equal(t, 10, limited, "by user, at both gateways together")

	redis.Stop()
	other := client.Person{Email: "nobody-else@atrium.example"}
	for range 5 {
		a.Do(from("198.51.100.9", signIn(other, "eleven quiet guesses"))).WantProblem(refused, "invalid_credentials")
	}
	a.Do(from("198.51.100.9", signIn(other, "eleven quiet guesses"))).WantProblem(http.StatusTooManyRequests, "rate_limited")
	redis.Start()
	b.Do(from("198.51.100.10", signIn(nobody, "eleven quiet guesses"))).WantProblem(refused, "invalid_credentials")
}

// TestGuessing: who guesses a password waits longer and longer; the person gets in all the while.
func TestGuessing(t *testing.T) {
	t.Parallel()
	m := mesh.Processes(t, mesh.Options{EnvOf: map[string]string{"gateway.TRUSTED_PROXIES": "127.0.0.0/8"}})
	v := visitor(t, m)
	p := v.Register(client.NewPerson("ada"))
	v.Verify(p)
	v.Do(from("203.0.113.5", signIn(p, p.Password))).Want(http.StatusOK)

	var last *client.Answer
	for range 12 {
		if last = v.Do(from("198.51.100.7", signIn(p, "eleven quiet guesses"))); last.Status != http.StatusUnauthorized {
			break
		}
		last.WantProblem(http.StatusUnauthorized, "invalid_credentials")
	}
	last.WantProblem(http.StatusTooManyRequests, "too_many_attempts")
	v.Do(from("198.51.100.7", signIn(p, p.Password))).WantProblem(http.StatusTooManyRequests, "too_many_attempts")
	v.Do(from("203.0.113.5", signIn(p, p.Password))).Want(http.StatusOK)
	v.Do(from("203.0.113.6", signIn(p, p.Password))).Want(http.StatusOK)
}
