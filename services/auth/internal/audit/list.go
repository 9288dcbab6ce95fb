package audit

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/page"
	"github.com/atrium-mesh/atrium/pkg/text"
	"github.com/atrium-mesh/atrium/services/auth/api"
)

// Filter says which entries are wanted; what is zero does not matter. From is included, To is not.
type Filter struct {
	Action, Actor, Subject, Outcome string
	From, To                        time.Time
}

// maxFilter is how many bytes a filter of text may have: actions, ids and names of roles have fewer.
const maxFilter = 100

// check refuses filters that no entry can have.
func (f Filter) check() error {
	for name, value := range map[string]string{"action": f.Action, "actor": f.Actor, "subject": f.Subject, "outcome": f.Outcome} {
		if _, err := text.Optional("query."+name, value, maxFilter, text.Line); err != nil {
			return err
		}
	}
	return nil
}

// Slice is a part of a list: Limit entries after the one at After, or after Offset entries.
type Slice struct {
	Limit  int32
	Offset int64
	After  *Position
}

// Position is where an entry stands in the list, the latest first.
type Position struct {
	At time.Time `json:"at"`
	ID uuid.UUID `json:"id"`
}

// Store keeps entries.
type Store interface {
	AuditEntries(ctx context.Context, f Filter, part Slice) ([]Entry, error)
	CountAuditEntries(ctx context.Context, f Filter) (int64, error)
}

// Trail reads the audit trail.
type Trail struct {
	store   Store
	cursors *page.Cursors
}

// NewTrail makes a reader of the trail.
func NewTrail(store Store, cursors *page.Cursors) *Trail {
	return &Trail{store: store, cursors: cursors}
}

// List implements [api.ListAudit].
func (t *Trail) List(ctx context.Context, in *api.ListAuditRequest) (*api.AuditResponse, error) {
	f := Filter{Action: in.Action, Actor: in.Actor, Subject: in.Subject, Outcome: in.Outcome, From: in.From, To: in.To}
	if err := f.check(); err != nil {
		return nil, err
	}
	if !f.From.IsZero() && !f.To.IsZero() && !f.From.Before(f.To) {
		return nil, errs.InvalidField("query.to", "range", "must be later than from")
	}
	scope, part := fmt.Sprintf("audit:%+v", f), Slice{Limit: in.Limit(), Offset: in.Offset()}
	if in.Cursor != "" {
		part.After = &Position{}
		if err := t.cursors.Decode(scope, in.Cursor, part.After); err != nil {
			return nil, err
		}
	}
	total, err := t.store.CountAuditEntries(ctx, f)
	if err != nil {
		return nil, err
	}
	found, err := t.store.AuditEntries(ctx, f, part)
	if err != nil {
		return nil, err
	}
	next := ""
	if len(found) == int(part.Limit) {
		last := found[len(found)-1]
		if next, err = t.cursors.Encode(scope, Position{At: last.At, ID: last.ID}); err != nil {
			return nil, err
		}
	}
	return &api.AuditResponse{Body: page.New(in.Query, shown(found), total, next)}, nil
}

func shown(entries []Entry) []api.AuditEntry {
	out := make([]api.AuditEntry, len(entries))
	for i, e := range entries {
		out[i] = api.AuditEntry{
			ID: e.ID.String(), At: e.At.UTC(), Action: e.Action, Actor: e.Actor, Subject: e.Subject, Outcome: e.Outcome,
			IP: e.IP, Device: e.Device, RequestID: e.RequestID, Details: e.Details,
		}
	}
	return out
}
