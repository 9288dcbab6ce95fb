package keys

import (
	"context"
	"fmt"
	"time"

	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
)

// List implements [api.ListKeys].
func (r *Ring) List(ctx context.Context, _ *struct{}) (*api.KeysResponse, error) {
	rows, err := r.Store.SigningKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("list the signing keys: %w", err)
	}
	now, lives := r.Clock(), livesOf(rows)
	out := &api.KeysResponse{Body: api.SigningKeys{Keys: []api.SigningKey{}}}
	for _, l := range lives {
		if l.published(now) {
			out.Body.Keys = append(out.Body.Keys, shown(l, lives, now))
		}
	}
	return out, nil
}

func shown(l Life, lives []Life, now time.Time) api.SigningKey {
	k := api.SigningKey{
		KeyID: l.ID, Algorithm: string(l.Algorithm), State: api.KeyRetired, CreatedAt: l.CreatedAt.UTC(), SignsFrom: l.ActivatesAt.UTC(),
		SignsUntil: utc(l.RetiresAt), PublishedUntil: utc(l.RemovesAt),
	}
	if l.ActivatesAt.After(now) {
		k.State = api.KeyPending
	}
	if signs, ok := signer(lives, l.Algorithm, now); ok && signs.ID == l.ID {
		k.State = api.KeySigning
	}
	return k
}

func utc(t *time.Time) *time.Time {
	if t == nil {
		return nil
	}
	at := t.UTC()
	return &at
}

// Rotate implements [api.RotateKeys]. Of requests that come together, one makes the keys and all answer them.
func (r *Ring) Rotate(ctx context.Context, in *api.RotateKeysRequest) (*api.KeysResponse, error) {
	asked := r.Clock()
	err := r.Store.InTx(ctx, func(tx Tx) error {
		if err := tx.LockSigningKeys(ctx); err != nil {
			return err
		}
		rows, err := tx.SigningKeys(ctx)
		if err != nil {
			return err
		}
		if in.Body.Compromised {
			return r.replace(ctx, tx, livesOf(rows), asked)
		}
		return r.hasten(ctx, tx, livesOf(rows))
	})
	if err != nil {
		return nil, fmt.Errorf("rotate the signing keys: %w", err)
	}
	if _, err := r.reload(ctx); err != nil {
		return nil, err
	}
	return r.List(ctx, nil)
}

// hasten makes the successors that are not there yet.
func (r *Ring) hasten(ctx context.Context, tx Tx, lives []Life) error {
	now := r.Clock()
	for _, a := range r.algorithms {
		activatesAt, retired, due := r.schedule.advance(lives, a, now)
		if !due {
			continue
		}
		made, err := r.succeed(ctx, tx, retired, Life{Algorithm: a, CreatedAt: now, ActivatesAt: activatesAt})
		if err != nil {
			return err
		}
		entry, err := audit.New(ctx, now, audit.KeyRotated, made)
		if err != nil {
			return err
		}
		if retired != nil {
			entry = entry.With("retired", retired.ID)
		}
		if err := tx.WriteAudit(ctx, entry.With("signs_from", activatesAt.UTC())); err != nil {
			return err
		}
	}
	return nil
}

// withdrawnFor is how long verifiers are told of a withdrawn key: longer than any of them goes without reading the key set once.
const withdrawnFor = 30 * 24 * time.Hour

// replace withdraws every key, those that have yet to sign too: whoever got at one got at its neighbours. Keys that were made after the
// request was sent are the answer to another one that came with it.
func (r *Ring) replace(ctx context.Context, tx Tx, lives []Life, asked time.Time) error {
	now := r.Clock()
	withdrawn := []string{}
	for _, l := range lives {
		if !l.CreatedAt.Before(asked.Truncate(time.Microsecond)) { // what PostgreSQL keeps
			return nil
		}
		withdrawn = append(withdrawn, l.ID)
	}
	for _, id := range withdrawn {
		if err := tx.RetireSigningKey(ctx, id, now, now); err != nil {
			return err
		}
		if err := tx.RaiseKey(ctx, id, now.Add(withdrawnFor)); err != nil {
			return err
		}
	}
	if err := tx.DeleteRemovedSigningKeys(ctx, now.Add(time.Millisecond)); err != nil { // now, whatever the clocks of other replicas say
		return err
	}
	r.Logger.WarnContext(ctx, "signing keys withdrawn as compromised", "kids", withdrawn)
	for _, a := range r.algorithms {
		made, err := r.succeed(ctx, tx, nil, Life{Algorithm: a, CreatedAt: now, ActivatesAt: now})
		if err != nil {
			return err
		}
		entry, err := audit.New(ctx, now, audit.KeyRotated, made)
		if err != nil {
			return err
		}
		if err := tx.WriteAudit(ctx, entry.With("compromised", true).With("withdrawn", withdrawn)); err != nil {
			return err
		}
	}
	return nil
}
