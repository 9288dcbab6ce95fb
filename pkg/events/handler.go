package events

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/strictjson"
)

// Handler handles one type of event. Make it with On.
type Handler struct {
	typeName string
	handle   func(ctx context.Context, tx pgx.Tx, e envelope) error
}

// Type is the name of the type of event that it handles.
func (h Handler) Type() string { return h.typeName }

// On says what to do with an event. h runs in the transaction that also records the event as handled, so that its effect happens
// once; it makes no network call, and may run again after a rollback. Its error decides: Unavailable, RateLimited and Canceled are tried again in place, so that order holds;
// Timeout three times, and Internal (anything untyped, and a panic) five times; every other kind makes a dead letter. Unknown fields are ignored.
func On[T any](t Type[T], h func(ctx context.Context, tx pgx.Tx, e Event[T]) error) Handler {
	return Handler{typeName: t.Name, handle: func(ctx context.Context, tx pgx.Tx, raw envelope) error {
		e := Event[T]{ID: raw.ID, Type: raw.Type, Source: raw.Source, Subject: raw.Subject, Time: raw.Time, OrgID: raw.OrgID, Actor: raw.Actor}
		if err := strictjson.Unmarshal(raw.Data, &e.Data); err != nil {
			return errs.New(errs.Malformed, "event_undecodable", "The event's data cannot be read.").WithCause(fmt.Errorf("decode %s: %w", raw.Type, err))
		}
		return h(ctx, tx, e)
	}}
}
