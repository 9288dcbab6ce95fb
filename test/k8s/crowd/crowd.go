package crowd

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/test/e2e/client"
)

// Crowd is people at work.
type Crowd struct {
	Tally  *Tally
	People []*Person

	rest, leave context.CancelFunc
	work, ears  sync.WaitGroup
}

// Pace is the pause between two requests of one loop of one person.
type Pace struct {
	Read, Write, Refresh, SignIn, Notify time.Duration
}

// DefaultPace is some 60 requests a second for 12 people, of which one is a sign-in: less than two cores can do beside the cluster itself.
var DefaultPace = Pace{
	Read: 250 * time.Millisecond, Write: time.Second, Refresh: 4 * time.Second, SignIn: 12 * time.Second, Notify: 2 * time.Second,
}

// Start signs n people up and lets them work until Stop. The administrator sends them notifications.
func Start(t testing.TB, visitor, admin *client.Client, n int, pace Pace) *Crowd {
	t.Helper()
	listening, leave := context.WithCancel(context.WithoutCancel(t.Context()))
	working, rest := context.WithCancel(listening)
	c := &Crowd{Tally: NewTally(), rest: rest, leave: leave}
	c.Tally.Begin("nothing happens")
	boss := newSession(c.Tally, admin)
	for range n {
		who, device := visitor.SignUp("crowd")
		p := &Person{
			Person: who, tally: c.Tally, visitor: visitor, session: newSession(c.Tally, device), boss: boss,
			sent: map[string]bool{}, received: map[string]int{},
		}
		c.People = append(c.People, p)
	}
	c.work.Go(func() { every(working, pace.Refresh, boss.refresh) })
	for _, p := range c.People {
		c.work.Go(func() { every(working, pace.Read, p.read) })
		c.work.Go(func() { every(working, pace.Write, p.write) })
		c.work.Go(func() { every(working, pace.Refresh, p.session.refresh) })
		c.work.Go(func() { every(working, pace.SignIn, p.signIn) })
		c.work.Go(func() { every(working, pace.Notify, p.notify) })
		c.ears.Go(func() { p.listen(listening) })
	}
	t.Cleanup(c.Stop)
	return c
}

// Rest lets everybody finish what they do. They still listen, and refresh nothing.
func (c *Crowd) Rest() {
	c.rest()
	c.work.Wait()
}

// Stop is Rest, and the end of all streams.
func (c *Crowd) Stop() {
	c.Rest()
	c.leave()
	c.ears.Wait()
}

// During lets something happen while people work, and for a moment before and after it.
func (c *Crowd) During(t *testing.T, what string, happen func(t *testing.T)) {
	t.Helper()
	t.Run(what, func(t *testing.T) {
		c.Tally.Begin(what)
		defer c.Tally.Begin("nothing happens")
		happen(t)
		wait(t.Context(), settle)
	})
}

// settle is how long a phase goes on after what happened, so that its consequences are counted with it.
const settle = 3 * time.Second

// every calls do again and again, with a pause, until ctx is done. What has begun is finished: do has a context that is not canceled.
func every(ctx context.Context, pause time.Duration, do func(ctx context.Context)) {
	for wait(ctx, pause) {
		do(context.WithoutCancel(ctx))
	}
}

func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// NobodyMissedAnything fails the test unless everybody received each of their notifications, and reads what they wrote last.
func (c *Crowd) NobodyMissedAnything(t *testing.T) (notifications int) {
	t.Helper()
	for _, p := range c.People {
		sent, received := p.counts()
		missing, twice := 0, 0
		for title := range sent {
			if received[title] == 0 {
				missing++
			}
		}
		for _, n := range received {
			if n > 1 {
				twice++
			}
		}
		require.Zero(t, missing, "%s missed notifications of %d", p.Email, len(sent))
		require.Zero(t, twice, "%s received some twice", p.Email)
		notifications += len(sent)
	}
	return notifications
}
