package jobs

import (
	"context"
	"time"

	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"
)

const (
	fenceEvery = 250 * time.Millisecond
	tryAgainIn = time.Second
)

// fence lets a job run only while this runner can prove that it holds its lock: afterwards others may run the same job.
type fence struct{ *presence }

// IsMiddleware is rivertype.Middleware's.
func (*fence) IsMiddleware() bool { return true }

// Work is rivertype.WorkerMiddleware's.
func (f *fence) Work(ctx context.Context, job *rivertype.JobRow, next func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if !f.begin(job.ID, cancel) {
		return river.JobSnooze(tryAgainIn)
	}
	defer f.end(job.ID)
	return next(ctx)
}

// prove says that the lock was held at an instant.
func (p *presence) prove(at time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.proven = at
}

// begin is false when nothing may run.
func (p *presence) begin(job int64, cancel context.CancelFunc) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.proven) >= letGoAfter {
		return false
	}
	p.running[job] = cancel
	return true
}

func (p *presence) end(job int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.running, job)
}

// watch cancels what runs once there has been no proof for too long.
func (p *presence) watch(ctx context.Context) {
	ticker := time.NewTicker(fenceEvery)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if n := p.letGo(); n > 0 {
			p.logger.WarnContext(ctx, "cancelled the jobs of this replica: others may take them over, since it cannot reach the database", "jobs", n)
		}
	}
}

// letGo returns how many jobs it cancelled.
func (p *presence) letGo() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	n := len(p.running)
	if n == 0 || time.Since(p.proven) < letGoAfter {
		return 0
	}
	for _, cancel := range p.running {
		cancel()
	}
	clear(p.running)
	return n
}
