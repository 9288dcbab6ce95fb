package store

import (
	"context"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/services/auth/internal/keys"
	"github.com/atrium-mesh/atrium/services/auth/internal/store/db"
)

// Keys is the store as package keys sees it.
func (s *Store) Keys() keys.Store { return keyStore{s} }

type keyStore struct{ *Store }

func (s keyStore) InTx(ctx context.Context, fn func(tx keys.Tx) error) error {
	return pg.InTx(ctx, s.pool, func(tx pgx.Tx) error { return fn(WithTx(tx)) })
}

func (r records) LockSigningKeys(ctx context.Context) error { return r.q.LockSigningKeys(ctx) }

func (r records) SigningKeys(ctx context.Context) ([]keys.Sealed, error) {
	rows, err := r.q.ListSigningKeys(ctx)
	out := make([]keys.Sealed, len(rows))
	for i, row := range rows {
		out[i] = keys.Sealed{PublicJWK: row.PublicJwk, PrivateKey: row.PrivateKey, Life: keys.Life{
			ID: row.Kid, Algorithm: jose.SignatureAlgorithm(row.Algorithm), CreatedAt: row.CreatedAt, ActivatesAt: row.ActivatesAt,
			RetiresAt: row.RetiresAt, RemovesAt: row.RemovesAt,
		}}
	}
	return out, err
}

func (r records) AddSigningKey(ctx context.Context, k keys.Sealed) error {
	return r.q.InsertSigningKey(ctx, db.InsertSigningKeyParams{
		Kid: k.ID, Algorithm: string(k.Algorithm), PublicJwk: k.PublicJWK, PrivateKey: k.PrivateKey,
		CreatedAt: k.CreatedAt, ActivatesAt: k.ActivatesAt,
	})
}

func (r records) RetireSigningKey(ctx context.Context, id string, retiresAt, removesAt time.Time) error {
	return r.q.RetireSigningKey(ctx, db.RetireSigningKeyParams{Kid: id, RetiresAt: retiresAt, RemovesAt: removesAt})
}

func (r records) DeleteRemovedSigningKeys(ctx context.Context, now time.Time) error {
	_, err := r.q.DeleteRemovedSigningKeys(ctx, now)
	return err
}
