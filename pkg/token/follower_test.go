package token_test

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/natstest"
	"github.com/atrium-mesh/atrium/pkg/token"
)

// list is auth's list of watermarks, in pages of two. Its cursor is the number of those read.
type list struct {
	mu    sync.Mutex
	marks []token.Watermark
	err   error
	calls int
}

func (l *list) set(err error, marks ...token.Watermark) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
	l.marks = append(l.marks, marks...)
}

func (l *list) poll(_ context.Context, cursor string) ([]token.Watermark, string, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls++
	if l.err != nil {
		return nil, "", l.err
	}
	from := 0
	if cursor != "" {
		n, err := strconv.Atoi(cursor)
		if err != nil {
			return nil, "", err
		}
		from = n
	}
	to := min(from+2, len(l.marks))
	return l.marks[from:to], strconv.Itoa(to), nil
}

func (l *list) polled() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.calls
}

// pass lets the bubble's time go on, which takes no real time.
func pass(d time.Duration) { <-time.After(d) }

// In these tests time is the bubble's: it moves when everybody waits.
func TestFollowerPolls(t *testing.T) {
	t.Parallel()
	run := func(t *testing.T, l *list, test func(t *testing.T, w *token.Watermarks, f *token.Follower)) {
		t.Helper()
		synctest.Test(t, func(t *testing.T) {
			w := token.NewWatermarks(nil)
			f := token.NewFollower(token.FollowerConfig{Watermarks: w, Poll: l.poll})
			require.Error(t, f.Ready(t.Context()), "not before the first poll")
			require.NoError(t, f.Start(t.Context()))
			defer func() { require.NoError(t, f.Stop(t.Context())) }()
			synctest.Wait()
			test(t, w, f)
		})
	}
	old := &authz.Principal{Subject: "u", SessionID: "s"}

	t.Run("ready_after_the_first_complete_poll", func(t *testing.T) {
		t.Parallel()
		soon := time.Date(2000, 1, 1, 0, 1, 0, 0, time.UTC) // where a bubble's time begins, and a minute
		l := &list{marks: []token.Watermark{userMark("1", soon), userMark("2", soon), userMark("3", soon), userMark("4", soon), userMark("u", soon)}}
		run(t, l, func(t *testing.T, w *token.Watermarks, f *token.Follower) {
			t.Helper()
			require.NoError(t, f.Ready(t.Context()))
			require.True(t, w.Revoked(old), "all pages were read at once")
		})
	})
	t.Run("a_revocation_arrives_within_three_seconds", func(t *testing.T) {
		t.Parallel()
		l := &list{}
		run(t, l, func(t *testing.T, w *token.Watermarks, _ *token.Follower) {
			t.Helper()
			l.set(nil, sessionMark("s", time.Now()))
			require.False(t, w.Revoked(old))
			pass(3 * time.Second)
			synctest.Wait()
			require.True(t, w.Revoked(old))
		})
	})
	t.Run("polls_about_twice_a_second", func(t *testing.T) {
		t.Parallel()
		l := &list{}
		run(t, l, func(t *testing.T, _ *token.Watermarks, _ *token.Follower) {
			t.Helper()
			pass(2 * time.Minute)
			synctest.Wait()
			require.InDelta(t, 240, l.polled(), 48)
		})
	})
	t.Run("stale_after_fifteen_seconds_and_well_again", func(t *testing.T) {
		t.Parallel()
		l := &list{}
		run(t, l, func(t *testing.T, w *token.Watermarks, f *token.Follower) {
			t.Helper()
			l.set(nil, userMark("u", time.Now().Add(time.Minute)))
			pass(3 * time.Second)
			l.set(errors.New("auth is away"))
			pass(10 * time.Second)
			require.NoError(t, f.Ready(t.Context()))
			pass(10 * time.Second)
			require.Greater(t, w.Staleness(), 15*time.Second)
			requireCode(t, f.Ready(t.Context()), errs.Unavailable, "watermarks_stale")
			require.True(t, w.Revoked(old), "what is known stays in force")
			require.False(t, w.Revoked(&authz.Principal{Subject: "v"}), "and nobody else is refused")

			l.set(nil)
			pass(3 * time.Second)
			synctest.Wait()
			require.NoError(t, f.Ready(t.Context()))
			require.Less(t, w.Staleness(), 3*time.Second)
		})
	})
	t.Run("not_ready_while_auth_was_never_reached", func(t *testing.T) {
		t.Parallel()
		l := &list{err: errors.New("auth is away")}
		run(t, l, func(t *testing.T, _ *token.Watermarks, f *token.Follower) {
			t.Helper()
			pass(5 * time.Second)
			requireCode(t, f.Ready(t.Context()), errs.Unavailable, "watermarks_missing")
		})
	})
	t.Run("a_poll_that_hangs_is_given_up", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			calls := 0
			w := token.NewWatermarks(nil)
			f := token.NewFollower(token.FollowerConfig{Watermarks: w, Poll: func(ctx context.Context, _ string) ([]token.Watermark, string, error) {
				if calls++; calls == 1 {
					<-ctx.Done()
					return nil, "", ctx.Err()
				}
				return nil, "", nil
			}})
			require.NoError(t, f.Start(t.Context()))
			pass(9 * time.Second)
			require.NoError(t, f.Ready(t.Context()))
			require.NoError(t, f.Stop(t.Context()))
		})
	})
}

// TestFollowerOfLateAuth: however long auth is away at the start, the follower knows within a second of its being there.
func TestFollowerOfLateAuth(t *testing.T) {
	t.Parallel()
	for _, away := range []time.Duration{time.Second, 20 * time.Second, time.Minute, time.Hour, 24 * time.Hour} {
		t.Run(away.String(), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := &list{}
				l.set(errors.New("auth is away"))
				f := token.NewFollower(token.FollowerConfig{Watermarks: token.NewWatermarks(nil), Poll: l.poll})
				require.NoError(t, f.Start(t.Context()))
				pass(away)
				require.Error(t, f.Ready(t.Context()))
				l.set(nil)
				pass(time.Second)
				require.NoError(t, f.Ready(t.Context()))
				require.NoError(t, f.Stop(t.Context()))
			})
		})
	}
}

func TestFollowerHearsOfRevocationsOverNATS(t *testing.T) {
	t.Parallel()
	conn := natstest.Run(t)
	w := token.NewWatermarks(nil)
	var logged strings.Builder
	f := token.NewFollower(token.FollowerConfig{
		Watermarks: w, NATS: conn, Interval: time.Hour,
		Poll:   func(context.Context, string) ([]token.Watermark, string, error) { return nil, "", nil },
		Logger: slog.New(slog.NewTextHandler(&logged, nil)),
	})
	require.NoError(t, f.Start(t.Context()))
	require.NoError(t, conn.Flush())
	revoked, cancel := w.Subscribe("u", "s")
	defer cancel()

	publish := func(data string) {
		msg := nats.NewMsg(token.RaisedSubject)
		msg.Header.Set("ce-type", "auth.watermark.raised.v1")
		msg.Data = []byte(data)
		require.NoError(t, conn.PublishMsg(msg))
	}
	expires := time.Now().Add(ttl).UTC().Format(time.RFC3339)
	publish("garbage")
	publish(`{"scope":"user","id":7}`)
	publish(strings.Repeat(" ", 8<<10))
	publish(`{"scope":"session","id":"s","not_before":"2099-03-04T05:06:07.089Z","expires_at":"` + expires + `"}`)
	select {
	case <-revoked:
	case <-time.After(5 * time.Second):
		t.Fatal("the stream was not ended")
	}
	require.True(t, w.Revoked(&authz.Principal{Subject: "u", SessionID: "s", IssuedAt: time.Now()}))
	require.NoError(t, f.Stop(t.Context()))
	require.Equal(t, 2, strings.Count(logged.String(), "cannot be read"))
	require.Equal(t, 1, strings.Count(logged.String(), "too long"))
}
