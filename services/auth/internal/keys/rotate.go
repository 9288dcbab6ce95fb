package keys

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/go-jose/go-jose/v4"

	"github.com/atrium-mesh/atrium/services/auth/internal/store"
	"github.com/atrium-mesh/atrium/services/auth/internal/store/db"
)

func lifeOf(row db.SigningKey) Life {
	return Life{
		ID: row.Kid, Algorithm: jose.SignatureAlgorithm(row.Algorithm), CreatedAt: row.CreatedAt, ActivatesAt: row.ActivatesAt,
		RetiresAt: row.RetiresAt, RemovesAt: row.RemovesAt,
	}
}

// rotate makes the keys that are due and deletes those that have been removed, under a lock: a replica that comes second finds nothing due.
func (r *Ring) rotate(ctx context.Context) error {
	err := r.Store.InTx(ctx, func(tx *store.Tx) error {
		if err := tx.LockSigningKeys(ctx); err != nil {
			return err
		}
		now := r.Clock()
		if _, err := tx.DeleteRemovedSigningKeys(ctx, now); err != nil {
			return err
		}
		rows, err := tx.ListSigningKeys(ctx)
		if err != nil {
			return err
		}
		lives := make([]Life, len(rows))
		for i, row := range rows {
			lives[i] = lifeOf(row)
		}
		for _, a := range r.algorithms {
			if err := r.succeed(ctx, tx, lives, a); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("rotate the signing keys: %w", err)
	}
	return nil
}

// succeed makes the next key of an algorithm when it is due.
func (r *Ring) succeed(ctx context.Context, tx *store.Tx, lives []Life, algorithm jose.SignatureAlgorithm) error {
	now := r.Clock()
	activatesAt, retired, due := r.schedule.successor(lives, algorithm, now)
	if !due {
		return nil
	}
	made, err := newPair(algorithm)
	if err != nil {
		return err
	}
	sealed, err := r.box.seal(made)
	if err != nil {
		return err
	}
	public, err := json.Marshal(made.public)
	if err != nil {
		return fmt.Errorf("encode a public key: %w", err)
	}
	err = tx.InsertSigningKey(ctx, db.InsertSigningKeyParams{
		Kid: made.public.KeyID, Algorithm: string(algorithm), PublicJwk: public, PrivateKey: sealed, CreatedAt: now, ActivatesAt: activatesAt,
	})
	if err != nil {
		return err
	}
	r.Logger.InfoContext(ctx, "signing key made", "kid", made.public.KeyID, "algorithm", string(algorithm), "signs_from", activatesAt)
	if retired == nil {
		return nil
	}
	return tx.RetireSigningKey(ctx, db.RetireSigningKeyParams{Kid: retired.ID, RetiresAt: activatesAt, RemovesAt: r.schedule.removesAt(activatesAt)})
}
