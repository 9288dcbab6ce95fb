package leader_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/atrium-mesh/atrium/pkg/leader"
	"github.com/atrium-mesh/atrium/pkg/pgtest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const soon = 20 * time.Second

// run competes in the background and stops at the end of the test.
func run(t *testing.T, pool *pgxpool.Pool, lead func(ctx context.Context, s *leader.Session) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { leader.Run(ctx, leader.Config{Pool: pool, Name: "work"}, lead) })
	stop = func() { cancel(); wg.Wait() }
	t.Cleanup(stop)
	return stop
}

func receive[T any](t *testing.T, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(soon):
		require.FailNow(t, "nothing happened in time")
		panic("not reached")
	}
}

func TestRun(t *testing.T) {
	t.Parallel()

	t.Run("one leads at a time and the next takes over", func(t *testing.T) {
		t.Parallel()
		url := pgtest.NewURL(t, nil)
		var leading, most atomic.Int32
		led := make(chan int, 100)
		stops := make([]func(), 3)
		for i := range stops {
			stops[i] = run(t, pgtest.Open(t, url), func(ctx context.Context, _ *leader.Session) error {
				most.Store(max(most.Load(), leading.Add(1)))
				defer leading.Add(-1)
				led <- i
				<-ctx.Done()
				return ctx.Err()
			})
		}
		seen := map[int]bool{}
		for range stops {
			i := receive(t, led)
			seen[i] = true
			stops[i]()
		}
		require.Len(t, seen, 3)
		require.Equal(t, int32(1), most.Load())
	})

	t.Run("the leader is told when its session is lost, and leads again", func(t *testing.T) {
		t.Parallel()
		pool := pgtest.New(t, nil)
		pids := make(chan uint32, 10)
		lost := make(chan error, 10)
		run(t, pool, func(ctx context.Context, s *leader.Session) error {
			if err := s.Do(ctx, func(conn *pgx.Conn) error {
				pids <- conn.PgConn().PID()
				return nil
			}); err != nil {
				return err
			}
			<-ctx.Done()
			lost <- context.Cause(ctx)
			return ctx.Err()
		})
		_, err := pool.Exec(t.Context(), "SELECT pg_terminate_backend($1)", receive(t, pids))
		require.NoError(t, err)
		require.ErrorIs(t, receive(t, lost), leader.ErrLost)
		receive(t, pids)
	})

	t.Run("a panic gives up leadership only", func(t *testing.T) {
		t.Parallel()
		var calls atomic.Int32
		again := make(chan struct{})
		run(t, pgtest.New(t, nil), func(ctx context.Context, _ *leader.Session) error {
			if calls.Add(1) == 1 {
				panic("bug")
			}
			close(again)
			<-ctx.Done()
			return nil
		})
		receive(t, again)
	})

	t.Run("a server that goes and comes back", func(t *testing.T) {
		t.Parallel()
		s := pgtest.StartServer(t)
		led := make(chan struct{}, 10)
		run(t, pgtest.Open(t, s.URL("app")), func(ctx context.Context, _ *leader.Session) error {
			led <- struct{}{}
			<-ctx.Done()
			led <- struct{}{}
			return nil
		})
		receive(t, led)
		s.Stop()
		receive(t, led)
		s.Start()
		receive(t, led)
	})
}
