package api

import (
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/page"
)

var tagDeliveries = []string{"deliveries"}

// ListDeliveries lists what was sent out of the mesh.
var ListDeliveries = op.Op[ListDeliveriesRequest, ListDeliveriesResponse]{
	Operation: huma.Operation{
		OperationID: "list-deliveries", Method: http.MethodGet, Path: "/api/v1/deliveries", Tags: tagDeliveries,
		Summary: "List deliveries",
		Description: "Lists e-mails, newest first: those that were sent, wait, are tried again, and those that were given up (`state=dead`), which " +
			"can be replayed. A skipped one says why in `reason`: `recipient_erased`, `recipient_inactive`, `no_address`, `address_unverified` (only " +
			"what is about security goes to an address that nobody has proved to own), `turned_off`, `not_needed`, `link_not_asked_for` (too long ago, or another mail has the link), `account_gone`, `send_gone`. " +
			"What is shown in the app is not a delivery.",
		Errors: []int{http.StatusBadRequest},
	},
	Subject: "rpc.notifications.list-deliveries",
	Allow:   authz.Require("deliveries:read"),
}

// GetDelivery answers a delivery with its history.
var GetDelivery = op.Op[GetDeliveryRequest, DeliveryResponse]{
	Operation: huma.Operation{
		OperationID: "get-delivery", Method: http.MethodGet, Path: "/api/v1/deliveries/{id}", Tags: tagDeliveries,
		Summary:     "Get a delivery",
		Description: "A delivery with everything that happened to it, oldest first. An unknown id is 404 `delivery_not_found`.",
	},
	Subject: "rpc.notifications.get-delivery",
	Allow:   authz.Require("deliveries:read"),
}

// ReplayDelivery tries a delivery again.
var ReplayDelivery = op.Op[ReplayDeliveryRequest, DeliveryResponse]{
	Operation: huma.Operation{
		OperationID: "replay-delivery", Method: http.MethodPost, Path: "/api/v1/deliveries/{id}/replay", Tags: tagDeliveries,
		Summary: "Try a delivery again",
		Description: "Tries again, now and with a full set of attempts, what was given up, skipped, or waits for its next attempt. One that was " +
			"sent is 409 `delivery_sent`, one that waits for a worker or is being sent is 409 `delivery_in_progress`, one whose recipient was erased is " +
			"409 `recipient_erased`. An unknown id is 404 `delivery_not_found`.",
		DefaultStatus: http.StatusAccepted,
		Errors:        []int{http.StatusConflict},
	},
	Subject: "rpc.notifications.replay-delivery",
	Allow:   authz.Require("deliveries:replay"),
}

// DeliveryState says how far a delivery has come.
type DeliveryState string

// The states of a delivery:
//
//	queued → sending → sent
//	           │  └──→ failed → sending …    tried again later
//	           ├─────→ dead                  refused for good, or tried too often
//	           └─────→ skipped               nobody to send to any more
const (
	DeliveryQueued  DeliveryState = "queued"
	DeliverySending DeliveryState = "sending"
	DeliverySent    DeliveryState = "sent"
	DeliveryFailing DeliveryState = "failed"
	DeliveryDead    DeliveryState = "dead"
	DeliverySkipped DeliveryState = "skipped"
)

// ListDeliveriesRequest asks for deliveries.
type ListDeliveriesRequest struct {
	page.Query
	State       DeliveryState `query:"state" enum:"queued,sending,sent,failed,dead,skipped" doc:"Only those in this state." example:"dead"`
	Channel     Channel       `query:"channel" enum:"email" doc:"Only those over this channel." example:"email"`
	RecipientID string        `query:"recipient_id" format:"uuid" doc:"Only those to this user." example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	Template    string        `query:"template" maxLength:"64" doc:"Only those of this template." example:"verification"`
	Category    Category      `query:"category" enum:"security,account,product,marketing" doc:"Only those of this category." example:"security"`
	CreatedFrom time.Time     `query:"created_from" doc:"Only those made at this time or later." example:"2026-01-01T00:00:00Z"`
	CreatedTo   time.Time     `query:"created_to" doc:"Only those made before this time." example:"2026-02-01T00:00:00Z"`
}

// ListDeliveriesResponse is a page of deliveries.
type ListDeliveriesResponse struct {
	Body DeliveryPage
}

// DeliveryPage is a page of deliveries.
type DeliveryPage page.Page[Delivery]

// Delivery is one message to one person over one channel.
type Delivery struct {
	ID            uuid.UUID      `json:"id" format:"uuid" doc:"The delivery's id." example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	RecipientID   uuid.UUID      `json:"recipient_id" format:"uuid" doc:"The user it is for." example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	Channel       Channel        `json:"channel" enum:"email" doc:"How it goes out." example:"email"`
	Category      Category       `json:"category" enum:"security,account,product,marketing" doc:"What it is about." example:"security"`
	Template      string         `json:"template" doc:"What it is made of." example:"verification"`
	CauseID       uuid.UUID      `json:"cause_id" format:"uuid" doc:"The event or the send that caused it." example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	State         DeliveryState  `json:"state" enum:"queued,sending,sent,failed,dead,skipped" doc:"How far it has come." example:"sent"`
	Attempts      int32          `json:"attempts" doc:"How often it was tried." example:"1"`
	Reason        string         `json:"reason,omitempty" doc:"Why it failed or was skipped, as a stable code." example:"address_refused"`
	Address       string         `json:"address,omitempty" doc:"The address it was sent to; absent until it was tried." example:"ada@example.com"`
	Locale        string         `json:"locale,omitempty" doc:"The locale it was written in." example:"en"`
	CreatedAt     time.Time      `json:"created_at" format:"date-time" doc:"When it was made." example:"2026-01-02T15:04:05Z"`
	NextAttemptAt *time.Time     `json:"next_attempt_at,omitempty" format:"date-time" doc:"When it will be tried again." example:"2026-01-02T15:05:05Z"`
	SentAt        *time.Time     `json:"sent_at,omitempty" format:"date-time" doc:"When the mail server accepted it." example:"2026-01-02T15:04:05Z"`
	History       []DeliveryStep `json:"history,omitempty" doc:"What happened to it, oldest first; not in lists."`
}

// DeliveryStep is one thing that happened to a delivery.
type DeliveryStep struct {
	State   DeliveryState `json:"state" enum:"queued,sending,sent,failed,dead,skipped" doc:"The state from then on." example:"sent"`
	At      time.Time     `json:"at" format:"date-time" doc:"When." example:"2026-01-02T15:04:05Z"`
	Attempt int32         `json:"attempt" doc:"Which attempt it was; 0 before the first." example:"1"`
	Reason  string        `json:"reason,omitempty" doc:"Why, as a stable code." example:"server_busy"`
	Detail  string        `json:"detail,omitempty" doc:"What the mail server answered: its code." example:"451 4.7.1"`
	Actor   string        `json:"actor,omitempty" doc:"Who did it, when it was not the service itself." example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
}

// GetDeliveryRequest asks for a delivery.
type GetDeliveryRequest struct {
	ID string `path:"id" format:"uuid" doc:"The delivery's id." example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
}

// ReplayDeliveryRequest tries a delivery again.
type ReplayDeliveryRequest struct {
	ID string `path:"id" format:"uuid" doc:"The delivery's id." example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
}

// DeliveryResponse is a delivery.
type DeliveryResponse struct {
	Body Delivery
}
