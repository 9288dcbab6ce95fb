package store

import (
	"context"
	"time"

	"github.com/atrium-mesh/atrium/pkg/idempotency"
	"github.com/atrium-mesh/atrium/pkg/jobs"
	"github.com/atrium-mesh/atrium/services/users/internal/store/db"
)

// Expiring is everything that grows by itself. The audit trail is kept for keepAudit, and who was erased for ever.
func (s *Store) Expiring(keepAudit time.Duration) []jobs.Expiring {
	return []jobs.Expiring{
		{
			Name: "audit_log",
			Keep: keepAudit,
			Delete: func(ctx context.Context, before time.Time, limit int32) (int64, error) {
				return s.q.DeleteOldAudit(ctx, db.DeleteOldAuditParams{Before: before, RowLimit: limit})
			},
		},
		{
			Name: "erased_users",
		},
		{
			Name: "idempotency_keys",
			Delete: func(ctx context.Context, _ time.Time, _ int32) (int64, error) {
				return idempotency.Cleanup(ctx, s.pool)
			},
		},
	}
}
