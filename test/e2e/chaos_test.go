package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	authapi "github.com/atrium-mesh/atrium/services/auth/api"
	usersapi "github.com/atrium-mesh/atrium/services/users/api"
	"github.com/atrium-mesh/atrium/test/e2e/client"
	"github.com/atrium-mesh/atrium/test/e2e/mesh"
)

const (
	signUps     = 500
	workers     = 8
	verifyEvery = 10 // so many of the people read their mail and verify the address meanwhile
	chaosWithin = 5 * time.Minute
	quietWithin = 2 * time.Minute
)

// TestKills: every service process is killed with kill -9 again and again while 500 people sign up and change their profile, as clients
// that try again. Afterwards nothing is missing and nothing is there twice, in any database and in the inbox.
func TestKills(t *testing.T) { //nolint:paralleltest // it needs the machine
	m := mesh.Processes(t, mesh.Options{Gateways: 2, EnvOf: map[string]string{
		"auth.REQUIRE_VERIFIED_EMAIL": "false", "gateway.TRUSTED_PROXIES": "127.0.0.0/8",
	}})
	begin := time.Now()
	crowd := &crowd{t: t, mesh: m, visitor: visitor(t, m), statuses: map[string]int{}}
	crowd.people = make([]client.Person, signUps)
	for i := range crowd.people {
		crowd.people[i] = client.NewPerson(fmt.Sprintf("crowd%03d", i))
	}
	ctx, stop := context.WithTimeout(t.Context(), chaosWithin)
	defer stop()
	harassing, peace := context.WithCancel(ctx)
	defer peace()
	var kills map[string]int
	var killer sync.WaitGroup
	killer.Go(func() { kills = m.Harass(harassing) })
	failures := crowd.come(ctx)
	peace()
	killer.Wait()
	took := time.Since(begin)
	require.Empty(t, failures)
	m.WaitReady()

	ledger := openLedger(t, m)
	ledger.waitQuiet()
	quiet := time.Since(begin) - took
	total := 0
	for _, n := range kills {
		total += n
	}
	t.Logf("%d sign-ups and profile changes in %v, %d kills: %v; quiet %v later; answers: %v",
		signUps, took.Round(time.Second), total, kills, quiet.Round(100*time.Millisecond), crowd.statuses)
	for _, p := range m.Services() {
		require.Positive(t, kills[p.Name], "%s was never killed: too short to show anything", p.Name)
	}
	ledger.everybodyIsThere(crowd.people)
	ledger.noEventIsMissing()
	crowd.everybodyHasOneMail()
}

// crowd is the people who sign up, and what they were answered.
type crowd struct {
	t       *testing.T
	mesh    *mesh.Mesh
	visitor *client.Client
	people  []client.Person

	mu       sync.Mutex
	statuses map[string]int
}

// come lets everybody sign up, some at a time, and returns what should not have happened.
func (c *crowd) come(ctx context.Context) []error {
	queue := make(chan int)
	var group sync.WaitGroup
	var mu sync.Mutex
	var failures []error
	for range workers {
		group.Go(func() {
			for i := range queue {
				if err := c.comes(ctx, i); err != nil {
					mu.Lock()
					failures = append(failures, fmt.Errorf("person %d: %w", i, err))
					mu.Unlock()
				}
			}
		})
	}
	for i := range c.people {
		queue <- i
	}
	close(queue)
	group.Wait()
	return failures
}

// comes is one person: registers, signs in, changes the profile, and perhaps verifies the address.
func (c *crowd) comes(ctx context.Context, i int) error {
	p := c.people[i]
	_, err := c.try(ctx, i, "", client.Request{Method: http.MethodPost, Path: authapi.Register.Path, Body: map[string]string{
		"email": p.Email, "password": p.Password, "full_name": p.FullName,
	}}, http.StatusAccepted) // also when what had no answer was done
	if err != nil {
		return err
	}
	if i%verifyEvery == 0 {
		if err := c.verifies(ctx, i); err != nil {
			return err
		}
	}
	answer, err := c.try(ctx, i, "", client.Request{Method: http.MethodPost, Path: authapi.Login.Path, Body: map[string]string{
		"email": p.Email, "password": p.Password,
	}}, http.StatusOK)
	if err != nil {
		return err
	}
	token := client.Decode[authapi.Tokens](answer).AccessToken
	p.FullName += " the Second"
	answer, err = c.try(ctx, i, token, client.Request{
		Method: http.MethodPatch, Path: usersapi.UpdateMe.Path, Body: map[string]string{"full_name": p.FullName},
	}, http.StatusOK)
	if err != nil {
		return err
	}
	p.ID = client.Decode[usersapi.User](answer).ID
	c.people[i] = p
	return nil
}

func (c *crowd) verifies(ctx context.Context, i int) error {
	p := c.people[i]
	ctx, cancel := context.WithTimeout(ctx, quietWithin)
	defer cancel()
	var mails []client.Mail
	for len(mails) == 0 { // the inbox lets nobody wait for longer than a minute; an attempt that is killed often waits longer for the next
		var err error
		if mails, err = c.visitor.Mails(ctx, p.Email, "", time.Minute); err != nil {
			return fmt.Errorf("no verification mail: %w", err)
		}
	}
	answer, err := c.try(ctx, i, "", client.Request{
		Method: http.MethodPost,
		Path:   authapi.VerifyEmail.Path,
		Body:   map[string]string{"token": mails[0].Token(c.t), "password": p.Password},
	}, http.StatusNoContent, http.StatusUnprocessableEntity)
	if err == nil && answer.Status == http.StatusUnprocessableEntity && answer.Problem().Code != "link_used" { // used: likewise
		return fmt.Errorf("the address is not verified: %s", answer)
	}
	return err
}

// try sends a request to any gateway, from the person's own address, again and again as a client would, until it is answered with one
// of the statuses.
func (c *crowd) try(ctx context.Context, i int, token string, r client.Request, done ...int) (*client.Answer, error) {
	r = from(fmt.Sprintf("198.51.%d.%d", i/200, i%200), r)
	for {
		origin := c.mesh.Origins[rand.N(len(c.mesh.Origins))]
		answer, err := c.visitor.At(origin).WithToken(token).Try(ctx, r)
		if ctx.Err() != nil {
			return nil, fmt.Errorf("%s %s: %w", r.Method, r.Path, errors.Join(ctx.Err(), err))
		}
		outcome := "no answer"
		if err == nil {
			outcome = fmt.Sprint(answer.Status, " ", answer.Problem().Code)
		}
		c.count(outcome)
		if err == nil && slices.Contains(done, answer.Status) {
			return answer, nil
		}
		if err == nil && !c.again(r, answer) {
			return nil, fmt.Errorf("not to be tried again: %s", answer)
		}
		select {
		case <-ctx.Done():
		case <-time.After(20*time.Millisecond + rand.N(100*time.Millisecond)):
		}
	}
}

// again reports whether a client would try that again: what is away for a moment, and a profile that has not arrived yet. An internal
// error is a fault, whatever is killed.
func (c *crowd) again(r client.Request, a *client.Answer) bool {
	switch a.Status {
	case http.StatusServiceUnavailable, http.StatusGatewayTimeout, http.StatusTooManyRequests:
		return true
	case http.StatusNotFound:
		return r.Path == usersapi.UpdateMe.Path
	default:
		return false
	}
}

func (c *crowd) count(outcome string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.statuses[outcome]++
}

// everybodyHasOneMail: the inbox keeps a mail that is delivered again once, so that a second one is one too many.
func (c *crowd) everybodyHasOneMail() {
	c.t.Helper()
	mails, err := c.visitor.Mails(c.t.Context(), "", "", 0)
	require.NoError(c.t, err)
	verification := map[string]int{}
	for _, mail := range mails {
		if mail.Subject == client.SubjectVerification {
			verification[mail.To]++
		}
	}
	for _, p := range c.people {
		require.Equal(c.t, 1, verification[p.Email], "verification mails of %s", p.Email)
	}
	c.t.Logf("inbox: %d mails, of which %d verification mails to %d addresses", len(mails), sum(verification), len(verification))
}

func sum(m map[string]int) int {
	total := 0
	for n := range maps.Values(m) {
		total += n
	}
	return total
}
