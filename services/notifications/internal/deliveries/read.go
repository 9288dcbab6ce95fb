package deliveries

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/page"
	"github.com/atrium-mesh/atrium/pkg/text"
	"github.com/atrium-mesh/atrium/services/notifications/api"
)

// Service implements the operations on deliveries.
type Service struct {
	reader  Reader
	inTx    func(context.Context, func(Tx) error) error
	cursors *page.Cursors
}

// New makes the service. InTx runs a function in a transaction.
func New(reader Reader, inTx func(context.Context, func(Tx) error) error, cursors *page.Cursors) *Service {
	return &Service{reader: reader, inTx: inTx, cursors: cursors}
}

// maxTemplate is more characters than the name of a template has.
const maxTemplate = 64

// List implements [api.ListDeliveries].
func (s *Service) List(ctx context.Context, in *api.ListDeliveriesRequest) (*api.ListDeliveriesResponse, error) {
	if _, err := text.Optional("query.template", in.Template, maxTemplate, text.Line); err != nil {
		return nil, err
	}
	p := in.Query.Normalize()
	query := ListQuery{ListDeliveriesRequest: *in, Before: uuid.Max, Limit: p.Limit() + 1, Offset: p.Offset()}
	if in.RecipientID != "" {
		id, err := uuid.Parse(in.RecipientID)
		if err != nil {
			return nil, errs.InvalidField("query.recipient_id", "format", "must be a UUID")
		}
		query.Recipient = uuid.NullUUID{UUID: id, Valid: true}
	}
	scope := fmt.Sprintf("deliveries:%s:%s:%s:%s:%s:%s:%s", in.State, in.Channel, in.RecipientID, in.Template, in.Category, in.CreatedFrom, in.CreatedTo)
	if in.Cursor != "" {
		if err := s.cursors.Decode(scope, in.Cursor, &query.Before); err != nil {
			return nil, err
		}
	}
	items, err := s.reader.ListDeliveries(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("list deliveries: %w", err)
	}
	total, err := s.reader.CountDeliveries(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("count deliveries: %w", err)
	}
	next := ""
	if len(items) > p.PageSize {
		items = items[:p.PageSize]
		if next, err = s.cursors.Encode(scope, items[len(items)-1].ID); err != nil {
			return nil, err
		}
	}
	return &api.ListDeliveriesResponse{Body: api.DeliveryPage(page.New(p, items, total, next))}, nil
}

// Get implements [api.GetDelivery].
func (s *Service) Get(ctx context.Context, in *api.GetDeliveryRequest) (*api.DeliveryResponse, error) {
	id, err := uuid.Parse(in.ID)
	if err != nil {
		return nil, errNotFound(err)
	}
	return s.get(ctx, id)
}

func (s *Service) get(ctx context.Context, id uuid.UUID) (*api.DeliveryResponse, error) {
	d, err := s.reader.Delivery(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read a delivery: %w", notFound(err))
	}
	return &api.DeliveryResponse{Body: d}, nil
}

// Replay implements [api.ReplayDelivery].
func (s *Service) Replay(ctx context.Context, in *api.ReplayDeliveryRequest) (*api.DeliveryResponse, error) {
	id, err := uuid.Parse(in.ID)
	if err != nil {
		return nil, errNotFound(err)
	}
	actor := ""
	if who := authz.PrincipalFrom(ctx); who != nil {
		actor = who.Subject
	}
	if err := s.inTx(ctx, func(tx Tx) error { return replay(ctx, tx, id, actor) }); err != nil {
		return nil, fmt.Errorf("replay a delivery: %w", err)
	}
	return s.get(ctx, id)
}

func replay(ctx context.Context, tx Tx, id uuid.UUID, actor string) error {
	d, err := tx.LockDelivery(ctx, id)
	if err != nil {
		return notFound(err)
	}
	if d.State == api.DeliverySent {
		return errs.New(errs.Conflict, "delivery_sent", "It was sent already.")
	}
	recipient, err := tx.Recipient(ctx, d.RecipientID)
	if err != nil {
		return fmt.Errorf("read the recipient: %w", err)
	}
	if recipient.Erased {
		return errs.New(errs.Conflict, "recipient_erased", "Its recipient was erased: there is nobody to send it to.")
	}
	if d.State == api.DeliveryDead || d.State == api.DeliverySkipped {
		d.Round++
	}
	queued, err := tx.RequeueDelivery(ctx, d, actor, d.State == api.DeliveryFailing)
	if err != nil {
		return fmt.Errorf("queue it again: %w", err)
	}
	if !queued {
		return errs.New(errs.Conflict, "delivery_in_progress", "It waits for a worker, or is being sent.")
	}
	return nil
}

func notFound(err error) error {
	if errs.KindOf(err) == errs.NotFound {
		return errNotFound(err)
	}
	return err
}
