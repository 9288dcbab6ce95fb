package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/pg"
)

// keyOf is the key of the lock of the identity $1, and runnerOf who runs a row of river_job.
const (
	keyOf    = "hashtextextended('atrium jobs ' || $1::text, 0)"
	runnerOf = "attempted_by[array_upper(attempted_by, 1)]"
)

// lookout finds running jobs whose runner is gone, and makes them available again.
type lookout struct {
	conn    *pgx.Conn
	id      string
	replica string
	missing map[string]time.Time // since when a runner's lock is missing at every look
}

// once looks. It returns how many jobs of each runner were taken over.
func (l *lookout) once(ctx context.Context, now time.Time) (map[string]int64, error) {
	ctx, cancel := context.WithTimeout(ctx, lookWithin)
	defer cancel()
	unseen, err := l.unseen(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for replicas that are gone: %w", pg.Err(err))
	}
	missing, taken := map[string]time.Time{}, map[string]int64{}
	for _, runner := range unseen {
		since, before := l.missing[runner]
		if !before {
			since = now
		}
		missing[runner] = since
		if now.Sub(since) < missingAfter && nameOf(runner) != l.replica {
			continue
		}
		n, err := takeOver(ctx, l.conn, runner)
		if err != nil {
			return nil, fmt.Errorf("take over the jobs of a replica that is gone: %w", pg.Err(err))
		}
		if n > 0 {
			taken[runner] = n
		}
	}
	l.missing = missing
	return taken, nil
}

// unseen are the runners of running jobs, but for this one, whose lock nobody holds.
func (l *lookout) unseen(ctx context.Context) ([]string, error) {
	const sql = `
SELECT r.runner FROM (
    SELECT DISTINCT ` + runnerOf + ` AS runner FROM river_job WHERE state = 'running' AND attempt < max_attempts
) r
WHERE r.runner <> $1 AND r.runner ~ '@[a-z0-9]{8}$' AND NOT EXISTS (
    SELECT FROM pg_locks l
    WHERE l.locktype = 'advisory' AND l.objsubid = 1 AND l.granted
        AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
        AND (l.classid::bigint << 32) | l.objid::bigint = hashtextextended('atrium jobs ' || r.runner, 0)
)`
	rows, err := l.conn.Query(ctx, sql, l.id)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// takeOver makes the jobs of a runner available again. It has the runner's lock for itself meanwhile: a runner that comes back at this
// moment, or another that takes over too, waits or finds nothing.
func takeOver(ctx context.Context, conn *pgx.Conn, runner string) (taken int64, err error) {
	err = pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		var gone bool
		if err := tx.QueryRow(ctx, "SELECT pg_try_advisory_xact_lock("+keyOf+")", runner).Scan(&gone); err != nil || !gone {
			return err
		}
		taken, err = takeBack(ctx, tx, runner)
		return err
	})
	return taken, err
}

// takeBackUnlocked makes available what this replica ran as a version that held no lock.
func takeBackUnlocked(ctx context.Context, conn *pgx.Conn, replica string) error {
	err := pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
		_, err := takeBack(ctx, tx, replica)
		return err
	})
	if err != nil {
		return fmt.Errorf("take back the jobs of before the restart: %w", pg.Err(err))
	}
	return nil
}

// takeBack leaves those that were tried as often as they may be to River's rescuer, which gives them up: a job that kills whoever runs
// it must not go round for ever.
func takeBack(ctx context.Context, tx pgx.Tx, runner string) (int64, error) {
	const sql = `UPDATE river_job SET state = 'available', scheduled_at = now()
WHERE state = 'running' AND attempt < max_attempts AND ` + runnerOf + ` = $1`
	tag, err := tx.Exec(ctx, sql, runner)
	return tag.RowsAffected(), err
}

// nameOf is the replica's name in an identity.
func nameOf(runner string) string {
	return runner[:max(0, len(runner)-len(separator)-randomLength)]
}
