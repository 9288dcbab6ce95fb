package api

import (
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/events"
)

// The events of notifications, on the stream NOTIFICATIONS. Their JSON is kept by golden files: it must decode for ever.
var (
	NotificationCreated = events.Define[NotificationCreatedData]("notifications.notification.created.v1")
	DeliveryFailed      = events.Define[DeliveryFailedData]("notifications.delivery.failed.v1")
)

// NotificationCreatedData says that a person has a new notification. It does not say what is in it: ask for that with the id.
type NotificationCreatedData struct {
	NotificationID uuid.UUID `json:"notification_id"`
	RecipientID    uuid.UUID `json:"recipient_id"`
	Category       Category  `json:"category"`
	At             time.Time `json:"at"`
}

// DeliveryFailedData says that a delivery was given up: nobody will try again unless it is replayed.
type DeliveryFailedData struct {
	DeliveryID  uuid.UUID `json:"delivery_id"`
	RecipientID uuid.UUID `json:"recipient_id"`
	Category    Category  `json:"category"`
	Channel     Channel   `json:"channel"`
	Reason      string    `json:"reason"` // a stable code: "address_refused", "gave_up"
	At          time.Time `json:"at"`
}
