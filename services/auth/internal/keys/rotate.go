package keys

import (
	"context"
	"encoding/json"
	"fmt"
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
		lives := livesOf(rows)
		for _, a := range r.algorithms {
			activatesAt, retired, due := r.schedule.successor(lives, a, now)
			if !due {
				continue
			}
			if _, err := r.succeed(ctx, tx, retired, Life{Algorithm: a, CreatedAt: now, ActivatesAt: activatesAt}); err != nil {
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

func livesOf(rows []Sealed) []Life {
	lives := make([]Life, len(rows))
	for i, row := range rows {
		lives[i] = row.Life
	}
	return lives
}

// succeed makes a key and says which. The one that it succeeds, if any, retires when it activates.
func (r *Ring) succeed(ctx context.Context, tx Tx, retired *Life, next Life) (string, error) {
	made, err := newPair(next.Algorithm)
	if err != nil {
		return "", err
	}
	sealed, err := r.box.seal(made)
	if err != nil {
		return "", err
	}
	public, err := json.Marshal(made.public)
	if err != nil {
		return "", fmt.Errorf("encode a public key: %w", err)
	}
	next.ID = made.public.KeyID
	if err := tx.AddSigningKey(ctx, Sealed{Life: next, PublicJWK: public, PrivateKey: sealed}); err != nil {
		return "", err
	}
	r.Logger.InfoContext(ctx, "signing key made", "kid", next.ID, "algorithm", string(next.Algorithm), "signs_from", next.ActivatesAt)
	if retired == nil {
		return next.ID, nil
	}
	return next.ID, tx.RetireSigningKey(ctx, retired.ID, next.ActivatesAt, r.schedule.removesAt(next.ActivatesAt))
}
