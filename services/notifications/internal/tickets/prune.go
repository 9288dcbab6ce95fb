package tickets

import (
	"context"
	"fmt"
)

// Table is what is pruned.
type Table interface {
	// PurgeTickets removes expired tickets, at most so many, and returns how many.
	PurgeTickets(ctx context.Context, most int32) (int64, error)
	// CountAllTickets counts everybody's.
	CountAllTickets(ctx context.Context) (int64, error)
}

// pruneBatch bounds how long a statement holds its locks.
const pruneBatch = 5000

// Prune removes the tickets that nobody used, and tells how many are left.
func (s *Service) Prune(ctx context.Context, table Table) error {
	for {
		n, err := table.PurgeTickets(ctx, pruneBatch)
		if err != nil {
			return fmt.Errorf("prune tickets: %w", err)
		}
		s.metrics.count(ctx, outcomeExpired, n)
		if n < pruneBatch {
			break
		}
	}
	left, err := table.CountAllTickets(ctx)
	if err != nil {
		return fmt.Errorf("count tickets: %w", err)
	}
	s.metrics.kept.Record(ctx, left)
	return nil
}
