package deliveries

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/services/notifications/internal/templates"
)

// Queue makes the deliveries of an order, to be sent once tx is committed, but for those that were made of the same cause before. It
// returns how many are new.
func Queue(ctx context.Context, tx Tx, o Order) (int, error) {
	kind, ok := KindOf(o.Template)
	if !ok {
		return 0, fmt.Errorf("queue a delivery: %w: %s", templates.ErrUnknown, o.Template)
	}
	if kind.Category != "" {
		o.Category = kind.Category
	}
	if len(o.Recipients) == 0 {
		return 0, nil
	}
	o.Data = o.Data.bounded()
	ids := make([]uuid.UUID, len(o.Recipients))
	for i := range ids {
		id, err := uuid.NewV7()
		if err != nil {
			return 0, fmt.Errorf("make a delivery's id: %w", err)
		}
		ids[i] = id
	}
	n, err := tx.InsertDeliveries(ctx, o, ids)
	if err != nil {
		return 0, fmt.Errorf("queue deliveries of %s: %w", o.Template, err)
	}
	return n, nil
}
