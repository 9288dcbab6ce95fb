package store

import (
	"context"
	"time"

	"github.com/atrium-mesh/atrium/pkg/token"
	"github.com/atrium-mesh/atrium/services/auth/internal/store/db"
	"github.com/atrium-mesh/atrium/services/auth/internal/watermarks"
)

// OldestTransaction is the oldest one that has not ended.
func (s *Store) OldestTransaction(ctx context.Context) (int64, error) {
	return s.q.OldestTransaction(ctx)
}

// Watermarks are those in force after a position.
func (s *Store) Watermarks(ctx context.Context, after watermarks.Position, now time.Time, limit int32) ([]watermarks.Mark, error) {
	rows, err := s.q.ListWatermarks(ctx, db.ListWatermarksParams{Xact: after.Xact, Seq: after.Seq, Now: now, RowLimit: limit})
	out := make([]watermarks.Mark, len(rows))
	for i, row := range rows {
		out[i] = watermarks.Mark{
			Watermark: token.Watermark{Scope: row.Scope, ID: row.ID.String(), NotBefore: row.NotBefore.UTC(), ExpiresAt: row.ExpiresAt.UTC()},
			Position:  watermarks.Position{Xact: row.Xact, Seq: row.Seq},
		}
	}
	return out, err
}
