// Package broadcasts owns telling something to many: accepting it, at once or for later, and fanning it out in batches. A batch and the
// place where the next begins are one transaction, so that a fan-out that is killed goes on where it was and tells nobody twice.
package broadcasts

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/idempotency"
	"github.com/atrium-mesh/atrium/services/notifications/api"
	"github.com/atrium-mesh/atrium/services/notifications/internal/deliveries"
	"github.com/atrium-mesh/atrium/services/notifications/internal/notifications"
)

// Send is something that is told to many.
type Send struct {
	api.NotificationSend
	OrgID  string
	Body   string
	Data   map[string]any
	Cursor uuid.UUID // the last recipient who was told
}

// Member is somebody whom a send is for.
type Member struct {
	ID         uuid.UUID
	OrgID      string
	HasAddress bool
	Verified   bool  // proved to own it
	InApp      *bool // what they chose for the category, nil for nothing
	Email      *bool
}

// Reader reads sends.
type Reader interface {
	// Send is one; errs.NotFound when there is none.
	Send(ctx context.Context, id uuid.UUID) (Send, error)
}

// Tx changes sends within a transaction.
type Tx interface {
	notifications.Tx
	deliveries.Tx

	// InsertSend keeps a send and the job that fans it out when it is due.
	InsertSend(ctx context.Context, s Send) error
	// LockSend keeps others from changing a send until the transaction ends; errs.NotFound when there is none.
	LockSend(ctx context.Context, id uuid.UUID) (Send, error)
	UpdateSend(ctx context.Context, s Send) error
	// Audience is whom a send is for in its organization, after s.Cursor, in order of their ids, each locked until the transaction ends.
	Audience(ctx context.Context, s Send, most int32) ([]Member, error)
	// CountActive is how many of these are recipients of the organization who can be told something.
	CountActive(ctx context.Context, orgID string, ids []uuid.UUID) (int64, error)
	// SendOnce runs fn for the first request with this key, and answers the same to those that repeat it.
	SendOnce(ctx context.Context, key idempotency.Key, fn func() (api.NotificationSend, error)) (api.NotificationSend, error)
}

// Service implements the operations on sends, and their fan-out.
type Service struct {
	reader   Reader
	inTx     func(context.Context, func(Tx) error) error
	announce notifications.Announcer
	clock    func() time.Time
}

// New makes the service. InTx runs a function in a transaction.
func New(reader Reader, inTx func(context.Context, func(Tx) error) error, announce notifications.Announcer, clock func() time.Time) *Service {
	return &Service{reader: reader, inTx: inTx, announce: announce, clock: clock}
}

func notFound(err error) error {
	if errs.KindOf(err) == errs.NotFound {
		return errs.New(errs.NotFound, "send_not_found", "There is no such send.").WithCause(err)
	}
	return err
}
