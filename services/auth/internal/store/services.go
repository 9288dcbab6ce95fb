package store

import (
	"context"
	"time"

	"github.com/atrium-mesh/atrium/services/auth/internal/services"
	"github.com/atrium-mesh/atrium/services/auth/internal/store/db"
)

var _ services.Store = (*Store)(nil)

// UseAssertion is false when it was used before.
func (s *Store) UseAssertion(ctx context.Context, hash []byte, expiresAt time.Time) (bool, error) {
	rows, err := s.q.UseAssertion(ctx, db.UseAssertionParams{Hash: hash, ExpiresAt: expiresAt})
	return rows == 1, err
}
