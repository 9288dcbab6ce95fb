package events

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"go.opentelemetry.io/otel/propagation"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/pg"
)

// MaxDataBytes bounds the JSON of an event's data, so that it fits a NATS message (1 MiB) with its headers.
const MaxDataBytes = 512 << 10

// notifyChannel is what wakes the relay. NOTIFY reaches it when the transaction commits.
const notifyChannel = "atrium_outbox"

const insertOutbox = `
WITH e AS (
	INSERT INTO outbox (id, type, source, subject, org_id, actor, time, trace, data)
	VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9))
SELECT pg_notify('` + notifyChannel + `', '')`

// Publish writes an event into the outbox, in tx; it reaches its consumers if and when tx commits. Subject is the id of the aggregate
// that changed. The trace context comes from ctx, tenant and actor from its principal or else from WithActor. Data must hold no secret.
func Publish[T any](ctx context.Context, tx pgx.Tx, t Type[T], subject string, data T) error {
	body, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("encode event %s: %w", t.Name, err)
	}
	if len(body) > MaxDataBytes {
		return errs.New(errs.TooLarge, "event_too_large", "This is too large to be told to other services.")
	}
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make an event id: %w", err)
	}
	trace := propagation.MapCarrier{}
	propagation.TraceContext{}.Inject(ctx, trace)
	by := causeFrom(ctx)
	_, err = tx.Exec(ctx, insertOutbox, id, t.Name, sourcePrefix+prefixOf(t.Name), subject, by.orgID, by.actor, time.Now().UTC(), trace, body)
	if err != nil {
		return fmt.Errorf("write event %s to the outbox: %w", t.Name, pg.Err(err))
	}
	return nil
}

type cause struct{ orgID, actor string }

type causeKey struct{}

// WithActor says in ctx for which tenant and by whom events are caused where there is no principal: a registration, a job. A
// consumer does this for its handlers, so that events caused by an event keep its actor.
func WithActor(ctx context.Context, orgID, actor string) context.Context {
	return context.WithValue(ctx, causeKey{}, cause{orgID: orgID, actor: actor})
}

func causeFrom(ctx context.Context) cause {
	by, _ := ctx.Value(causeKey{}).(cause)
	if p := authz.PrincipalFrom(ctx); p != nil {
		by = cause{orgID: p.OrgID, actor: p.Subject}
	}
	if by.orgID == "" {
		by.orgID = orgDefault
	}
	if by.actor == "" {
		by.actor = actorSystem
	}
	return by
}
