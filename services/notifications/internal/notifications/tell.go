package notifications

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/services/notifications/api"
)

// Tell makes notifications, with the events that say so. It returns those that were made; announce them once tx is committed.
func Tell(ctx context.Context, tx Tx, t Telling) ([]Made, error) {
	if len(t.Recipients) == 0 {
		return nil, nil
	}
	ids := make([]uuid.UUID, len(t.Recipients))
	for i := range ids {
		id, err := uuid.NewV7()
		if err != nil {
			return nil, fmt.Errorf("make a notification's id: %w", err)
		}
		ids[i] = id
	}
	made, err := tx.InsertNotifications(ctx, t, ids)
	if err != nil {
		return nil, fmt.Errorf("insert notifications: %w", err)
	}
	for _, m := range made {
		err := tx.PublishNotificationCreated(ctx, api.NotificationCreatedData{
			NotificationID: m.ID, RecipientID: m.Recipient, Category: t.Category, At: t.At,
		})
		if err != nil {
			return nil, fmt.Errorf("publish that a notification was made: %w", err)
		}
	}
	return made, nil
}
