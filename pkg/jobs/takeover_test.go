package jobs_test

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/jobs"
	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/pkg/pgtest"
	"github.com/atrium-mesh/atrium/pkg/telemetry/telemetrytest"
)

// line is all that connects a runner to the database.
type line struct {
	mu    sync.Mutex
	conns []net.Conn
	down  bool
}

func (l *line) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.down {
		_ = conn.Close()
		return nil, errors.New("the line is cut")
	}
	l.conns = append(l.conns, conn)
	return conn, nil
}

// cut ends every connection at once, as the death of the process does, and refuses new ones until mended.
func (l *line) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = true
	for _, conn := range l.conns {
		_ = conn.Close()
	}
	l.conns = nil
}

func (l *line) mend() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.down = false
}

// hold works until it is released or cancelled.
type hold struct {
	river.WorkerDefaults[greetArgs]
	started   chan time.Time
	cancelled chan time.Time
	release   chan struct{}
}

func newHold() *hold {
	return &hold{started: make(chan time.Time, 8), cancelled: make(chan time.Time, 8), release: make(chan struct{}, 8)}
}

func (h *hold) Work(ctx context.Context, _ *river.Job[greetArgs]) error {
	h.started <- time.Now()
	select {
	case <-ctx.Done():
		h.cancelled <- time.Now()
		return ctx.Err()
	case <-h.release:
		return nil
	}
}

// replicas are runners on one database, each with a line of its own.
type replicas struct {
	t   *testing.T
	url string
	db  *pgxpool.Pool
}

func newReplicas(t *testing.T) *replicas {
	t.Helper()
	url := pgtest.NewURL(t, nil)
	r := &replicas{t: t, url: url, db: pgtest.Open(t, url)}
	require.NoError(t, jobs.Migrate(t.Context(), r.db))
	return r
}

func (r *replicas) start(name string, worker *hold) (*jobs.Runner, *line) {
	r.t.Helper()
	l := &line{}
	config, err := pgxpool.ParseConfig(r.url)
	require.NoError(r.t, err)
	config.ConnConfig.DialFunc = l.dial
	pool, err := pgxpool.NewWithConfig(r.t.Context(), config)
	require.NoError(r.t, err)
	r.t.Cleanup(pool.Close)
	workers := river.NewWorkers()
	river.AddWorker(workers, worker)
	runner, err := jobs.New(jobs.Config{
		Pool: pool, Replica: name, Workers: workers, Queues: map[string]river.QueueConfig{river.QueueDefault: {MaxWorkers: 1}},
		Retry: now{}, Tracer: telemetrytest.New(r.t).Telemetry("things").Tracer, Logger: slog.New(slog.DiscardHandler),
	})
	require.NoError(r.t, err)
	require.NoError(r.t, runner.Start(r.t.Context()))
	r.t.Cleanup(func() {
		l.mend() // so that it can stop
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.t.Context()), 20*time.Second)
		defer cancel()
		_ = runner.Stop(ctx)
	})
	return runner, l
}

func (r *replicas) insert(runner *jobs.Runner) {
	r.t.Helper()
	require.NoError(r.t, pg.InTx(r.t.Context(), r.db, func(tx pgx.Tx) error {
		_, err := runner.Insert(r.t.Context(), tx, greetArgs{Name: "ada"}, nil)
		return err
	}))
}

// running adds a job that a runner is said to run.
func (r *replicas) running(runner string, attempt int) (id int64) {
	r.t.Helper()
	require.NoError(r.t, r.db.QueryRow(r.t.Context(), `INSERT INTO river_job (args, kind, queue, max_attempts, attempt, state, attempted_at, attempted_by)
		VALUES ('{"Name":"grace"}', 'greet', 'default', 25, $2, 'running', now(), ARRAY['somebody@elsewhere', $1::text]) RETURNING id`, runner, attempt).Scan(&id))
	return id
}

func (r *replicas) state(id int64) (state string) {
	r.t.Helper()
	require.NoError(r.t, r.db.QueryRow(r.t.Context(), "SELECT state FROM river_job WHERE id = $1", id).Scan(&state))
	return state
}

// holders are the sessions that hold the lock of a runner in this database.
func (r *replicas) holders() (pids []uint32) {
	r.t.Helper()
	rows, err := r.db.Query(r.t.Context(), `SELECT pid::bigint FROM pg_locks WHERE locktype = 'advisory' AND mode = 'ShareLock' AND granted
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database())`)
	require.NoError(r.t, err)
	pids, err = pgx.CollectRows(rows, pgx.RowTo[uint32])
	require.NoError(r.t, err)
	return pids
}

func receive[T any](t *testing.T, from <-chan T, within time.Duration, what string) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(within):
		require.FailNow(t, what)
		panic("not reached")
	}
}

// not fails when something comes within a time.
func not[T any](t *testing.T, from <-chan T, within time.Duration, what string) {
	t.Helper()
	select {
	case <-from:
		require.FailNow(t, what)
	case <-time.After(within):
	}
}

func TestTakeOver(t *testing.T) {
	t.Parallel()

	t.Run("another replica takes over within seconds what a killed one ran", func(t *testing.T) {
		t.Parallel()
		r := newReplicas(t)
		dying, heir := newHold(), newHold()
		first, l := r.start("pod-a", dying)
		r.insert(first)
		receive(t, dying.started, 5*time.Second, "the job runs")
		r.start("pod-b", heir)
		killed := time.Now()
		l.cut()
		let := receive(t, dying.cancelled, 12*time.Second, "who cannot reach the database lets go")
		taken := receive(t, heir.started, 20*time.Second, "the other takes over")
		t.Logf("let go after %s, taken over after %s", let.Sub(killed), taken.Sub(killed))
		require.True(t, let.Before(taken), "never do two run it")
		heir.release <- struct{}{}
	})

	t.Run("a restart under the same name does not wait", func(t *testing.T) {
		t.Parallel()
		r := newReplicas(t)
		dying, heir := newHold(), newHold()
		first, l := r.start("pod-a", dying)
		r.insert(first)
		receive(t, dying.started, 5*time.Second, "the job runs")
		l.cut()
		r.start("pod-a", heir)
		receive(t, heir.started, 5*time.Second, "it is taken back at once")
		heir.release <- struct{}{}
	})

	t.Run("one of the same name that lives keeps its job", func(t *testing.T) {
		t.Parallel()
		r := newReplicas(t)
		living, twin := newHold(), newHold()
		first, _ := r.start("pod-a", living)
		r.insert(first)
		receive(t, living.started, 5*time.Second, "the job runs")
		r.start("pod-a", twin)
		not(t, twin.started, 13*time.Second, "a living replica was robbed")
		living.release <- struct{}{}
	})

	t.Run("a replica that loses its lock and lives keeps its job", func(t *testing.T) {
		t.Parallel()
		r := newReplicas(t)
		living, other := newHold(), newHold()
		first, _ := r.start("pod-a", living)
		r.insert(first)
		receive(t, living.started, 5*time.Second, "the job runs")
		r.start("pod-b", other)
		for range 7 { // longer than anybody waits for a replica that is gone
			lost := r.holders()
			require.Len(t, lost, 2)
			_, err := r.db.Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) pid", lost)
			require.NoError(t, err)
			require.Eventually(t, func() bool {
				held := r.holders()
				return len(held) == 2 && held[0] != lost[0] && held[0] != lost[1] && held[1] != lost[0] && held[1] != lost[1]
			}, 2*time.Second, 10*time.Millisecond, "both are seen again at once")
			not(t, other.started, 2*time.Second, "a living replica was robbed")
		}
		require.Empty(t, living.cancelled)
		living.release <- struct{}{}
		var attempts int
		require.Eventually(t, func() bool {
			return r.db.QueryRow(t.Context(), "SELECT attempt FROM river_job WHERE state = 'completed'").Scan(&attempts) == nil
		}, 5*time.Second, 10*time.Millisecond)
		require.Equal(t, 1, attempts)
	})

	t.Run("a replica that is cut off lets go, and works again when it is back", func(t *testing.T) {
		t.Parallel()
		r := newReplicas(t)
		worker := newHold()
		runner, l := r.start("pod-a", worker)
		r.insert(runner)
		receive(t, worker.started, 5*time.Second, "the job runs")
		l.cut()
		not(t, worker.cancelled, 5*time.Second, "a short absence is no matter")
		receive(t, worker.cancelled, 5*time.Second, "it lets go")
		l.mend()
		receive(t, worker.started, 20*time.Second, "it runs the job again")
		worker.release <- struct{}{}
		require.Eventually(t, func() bool { return len(r.holders()) == 1 }, 5*time.Second, 10*time.Millisecond)
	})

	t.Run("what a version without locks runs, and what was tried too often, is left alone", func(t *testing.T) {
		t.Parallel()
		r := newReplicas(t)
		unlocked, worn, gone := r.running("pod-old", 1), r.running("pod-x@abcdefgh", 25), r.running("pod-y@abcdefgh", 1)
		worker := newHold()
		r.start("pod-b", worker)
		receive(t, worker.started, 20*time.Second, "the one of a replica that is gone is taken over")
		require.Equal(t, "running", r.state(gone))
		worker.release <- struct{}{}
		require.Equal(t, "running", r.state(unlocked))
		require.Equal(t, "running", r.state(worn))

		itself := newHold()
		r.start("pod-old", itself)
		require.Eventually(t, func() bool { return len(itself.started)+len(worker.started) == 1 }, 5*time.Second, 10*time.Millisecond, "it takes back its own")
		itself.release <- struct{}{}
		worker.release <- struct{}{}
	})

	t.Run("a replica that cannot look keeps its lock and its connection", func(t *testing.T) {
		t.Parallel()
		r := newReplicas(t)
		r.start("pod-a", newHold())
		before := r.holders()
		require.Len(t, before, 1)
		_, err := r.db.Exec(t.Context(), "ALTER TABLE river_job RENAME TO river_gone")
		require.NoError(t, err)
		for looks := time.Now().Add(5 * time.Second); time.Now().Before(looks); <-time.After(50 * time.Millisecond) {
			require.Equal(t, before, r.holders(), "looks are 2 s apart, and none costs the connection")
		}
		_, err = r.db.Exec(t.Context(), "ALTER TABLE river_gone RENAME TO river_job")
		require.NoError(t, err)
	})

	t.Run("a stopped replica holds nothing", func(t *testing.T) {
		t.Parallel()
		r := newReplicas(t)
		runner, _ := r.start("pod-a", newHold())
		require.Len(t, r.holders(), 1)
		require.NoError(t, runner.Stop(t.Context()))
		require.Eventually(t, func() bool { return len(r.holders()) == 0 }, 5*time.Second, 10*time.Millisecond)
	})
}
