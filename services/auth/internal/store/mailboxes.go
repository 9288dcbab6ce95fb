package store

import (
	"context"
	"time"

	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/store/db"
)

func (r records) LockMailbox(ctx context.Context, key []byte, at time.Time) (identity.Mailbox, error) {
	row, err := r.q.LockMailbox(ctx, db.LockMailboxParams{Key: key, At: at})
	return identity.Mailbox{Key: row.Key, Mails: row.Mails, HeldAt: row.HeldAt}, err
}

func (r records) SaveMailbox(ctx context.Context, m identity.Mailbox, at time.Time) error {
	return r.q.SaveMailbox(ctx, db.SaveMailboxParams{Key: m.Key, Mails: m.Mails, HeldAt: m.HeldAt, At: at})
}
