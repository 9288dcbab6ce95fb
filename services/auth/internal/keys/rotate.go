package keys

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/go-jose/go-jose/v4"
)

// rotate makes the keys that are due and deletes those that have been removed, under a lock: a replica that comes second finds nothing due.
func (r *Ring) rotate(ctx context.Context) error {
	err := r.Store.InTx(ctx, func(tx Tx) error {
		if err := tx.LockSigningKeys(ctx); err != nil {
			return err
		}
		now := r.Clock()
		if err := tx.DeleteRemovedSigningKeys(ctx, now); err != nil {
			return err
		}
		rows, err := tx.SigningKeys(ctx)
		if err != nil {
			return err
		}
		lives := make([]Life, len(rows))
		for i, row := range rows {
			lives[i] = row.Life
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
func (r *Ring) succeed(ctx context.Context, tx Tx, lives []Life, algorithm jose.SignatureAlgorithm) error {
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
	err = tx.AddSigningKey(ctx, Sealed{
		Life:      Life{ID: made.public.KeyID, Algorithm: algorithm, CreatedAt: now, ActivatesAt: activatesAt},
		PublicJWK: public, PrivateKey: sealed,
	})
	if err != nil {
		return err
	}
	r.Logger.InfoContext(ctx, "signing key made", "kid", made.public.KeyID, "algorithm", string(algorithm), "signs_from", activatesAt)
	if retired == nil {
		return nil
	}
	return tx.RetireSigningKey(ctx, retired.ID, activatesAt, r.schedule.removesAt(activatesAt))
}
