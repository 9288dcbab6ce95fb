package api

import (
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/op"
)

// SendNotification tells something to one person, several, a role or everyone.
var SendNotification = op.Op[SendNotificationRequest, SendResponse]{
	Operation: huma.Operation{
		OperationID: "send-notification", Method: http.MethodPost, Path: "/api/v1/notifications", Tags: tagNotifications,
		Summary: "Send a notification",
		Description: "Tells something to the people in `to`: exactly one of `user_ids`, `roles` and `everyone`. It is accepted at once (202) and " +
			"sent in the background, at `send_at` when that is given; `Location` is where to look how far it has come. People who have turned the " +
			"category off on a channel are skipped there, and by e-mail also those who have not proved yet to own their address; ids that are " +
			"nobody's are counted as `unknown`. With an `Idempotency-Key` the request can be repeated safely for a day: it answers the first one's result, or 422 `idempotency_key_reused` when the request is another one. " +
			"The category `security` is not for senders.",
		DefaultStatus: http.StatusAccepted, MaxBodyBytes: 128 << 10,
		Errors: []int{http.StatusConflict},
	},
	Subject: "rpc.notifications.send-notification",
	Allow:   authz.Require("notifications:send"),
}

// GetSend says how far a send has come.
var GetSend = op.Op[GetSendRequest, SendResponse]{
	Operation: huma.Operation{
		OperationID: "get-notification-send", Method: http.MethodGet, Path: "/api/v1/notifications/sends/{id}", Tags: tagNotifications,
		Summary:     "See how far a send has come",
		Description: "The state and the counts of what `POST /api/v1/notifications` accepted. An unknown id is 404 `send_not_found`.",
	},
	Subject: "rpc.notifications.get-notification-send",
	Allow:   authz.Require("notifications:send"),
}

// CancelSend stops a send.
var CancelSend = op.Op[CancelSendRequest, SendResponse]{
	Operation: huma.Operation{
		OperationID: "cancel-notification-send", Method: http.MethodDelete, Path: "/api/v1/notifications/sends/{id}", Tags: tagNotifications,
		Summary: "Cancel a send",
		Description: "Stops a send that is scheduled, or under way: whoever has not been told by then never will be. Cancelling again changes " +
			"nothing; one that is done is 409 `send_finished`, an unknown id is 404 `send_not_found`.",
		DefaultStatus: http.StatusOK,
		Errors:        []int{http.StatusConflict},
	},
	Subject: "rpc.notifications.cancel-notification-send",
	Allow:   authz.Require("notifications:send"),
}

// SendNotificationRequest sends a notification.
type SendNotificationRequest struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" doc:"A text that is the same when the same request is repeated." example:"weekly-news-2026-01"`
	Body           NewSend
}

// NewSend is what to tell, and to whom.
type NewSend struct {
	To       SendAudience   `json:"to" doc:"Whom to tell: exactly one of its fields." example:"{\"user_ids\":[\"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e\"]}"`
	Category Category       `json:"category" enum:"account,product,marketing" doc:"What it is about." example:"product"`
	Title    string         `json:"title" minLength:"1" maxLength:"200" doc:"One line: the title in the app and the subject of the e-mail." example:"Planned maintenance on Sunday"`
	Body     string         `json:"body" minLength:"1" maxLength:"10000" doc:"The text, plain. Empty lines part paragraphs." example:"Between 02:00 and 02:30 UTC some requests may be slow."`
	Data     map[string]any `json:"data,omitempty" doc:"For programs, at most 8 KiB of JSON; in the app only. Numbers are plain decimals of at most 40 digits." example:"{\"path\":\"/status\"}"`
	Channels []Channel      `json:"channels,omitempty" minItems:"1" maxItems:"2" uniqueItems:"true" enum:"in_app,email" doc:"Where to tell it; left out: everywhere." example:"[\"in_app\",\"email\"]"`
	SendAt   *time.Time     `json:"send_at,omitempty" format:"date-time" doc:"When to send, at most a year ahead; left out: now."`
}

// SendAudience is whom to tell: exactly one field is set.
type SendAudience struct {
	UserIDs  []uuid.UUID `json:"user_ids,omitempty" format:"uuid" minItems:"1" maxItems:"1000" doc:"These users." example:"[\"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e\"]"`
	Roles    []string    `json:"roles,omitempty" minItems:"1" maxItems:"20" doc:"Everybody who has one of these roles when it is sent."`
	Everyone bool        `json:"everyone,omitempty" doc:"Everybody whose account is active when it is sent."`
}

// GetSendRequest asks for a send.
type GetSendRequest struct {
	ID string `path:"id" format:"uuid" doc:"The send's id." example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
}

// CancelSendRequest stops a send.
type CancelSendRequest struct {
	ID string `path:"id" format:"uuid" doc:"The send's id." example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
}

// SendResponse is a send.
type SendResponse struct {
	Location string `header:"Location" doc:"Where this send can be looked at." example:"/api/v1/notifications/sends/0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	Body     NotificationSend
}

// SendState says how far a send has come.
type SendState string

// The states of a send: scheduled → sending → sent, or canceled before that.
const (
	SendScheduled SendState = "scheduled" // waits for its time, or for a worker
	SendSending   SendState = "sending"
	SendSent      SendState = "sent"
	SendCanceled  SendState = "canceled"
)

// NotificationSend is something that is told to many.
type NotificationSend struct {
	ID         uuid.UUID    `json:"id" format:"uuid" doc:"The send's id." example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	State      SendState    `json:"state" enum:"scheduled,sending,sent,canceled" doc:"How far it has come." example:"sending"`
	To         SendAudience `json:"to" doc:"Whom it is for."`
	Category   Category     `json:"category" enum:"account,product,marketing" doc:"What it is about." example:"product"`
	Title      string       `json:"title" doc:"One line." example:"Planned maintenance on Sunday"`
	Channels   []Channel    `json:"channels" nullable:"false" enum:"in_app,email" doc:"Where it is told." example:"[\"in_app\",\"email\"]"`
	Counts     SendCounts   `json:"counts" doc:"How many people it has reached so far."`
	SendAt     time.Time    `json:"send_at" format:"date-time" doc:"When it is or was due." example:"2026-01-04T02:00:00Z"`
	CreatedAt  time.Time    `json:"created_at" format:"date-time" doc:"When it was accepted." example:"2026-01-02T15:04:05Z"`
	CreatedBy  string       `json:"created_by" doc:"Who sent it." example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	FinishedAt *time.Time   `json:"finished_at,omitempty" format:"date-time" doc:"When the last person was told, or it was canceled." example:"2026-01-04T02:00:09Z"`
}

// SendCounts says how many people a send has reached.
type SendCounts struct {
	Recipients int64 `json:"recipients" doc:"People looked at so far." example:"120"`
	Notified   int64 `json:"notified" doc:"Notifications made in the app." example:"118"`
	Mailed     int64 `json:"mailed" doc:"E-mails handed to delivery." example:"90"`
	Skipped    int64 `json:"skipped" doc:"People who were told nothing: they have turned the category off, or have no address or none that they have proved to own." example:"2"`
	Unknown    int64 `json:"unknown" doc:"Ids in user_ids that are nobody's, or whose account is not active." example:"0"`
}
