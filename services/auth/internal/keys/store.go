package keys

import (
	"context"
	"time"

	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
)

// Sealed is a key as it is kept: its private half is encrypted.
type Sealed struct {
	Life
	PublicJWK  []byte // JSON
	PrivateKey []byte
}

// Store keeps keys.
type Store interface {
	SigningKeys(ctx context.Context) ([]Sealed, error)
	InTx(ctx context.Context, fn func(tx Tx) error) error
}

// Tx is one transaction on the keys.
type Tx interface {
	// LockSigningKeys waits until no other transaction holds the lock.
	LockSigningKeys(ctx context.Context) error
	SigningKeys(ctx context.Context) ([]Sealed, error)
	AddSigningKey(ctx context.Context, k Sealed) error
	RetireSigningKey(ctx context.Context, id string, retiresAt, removesAt time.Time) error
	DeleteRemovedSigningKeys(ctx context.Context, now time.Time) error
	// RaiseKey has every verifier refuse what the key signed, until then.
	RaiseKey(ctx context.Context, kid string, until time.Time) error
	WriteAudit(ctx context.Context, e audit.Entry) error
}
