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

var tagNotifications = []string{"notifications"}

// ListNotifications lists the caller's own notifications.
var ListNotifications = op.Op[ListNotificationsRequest, ListNotificationsResponse]{
	Operation: huma.Operation{
		OperationID: "list-notifications", Method: http.MethodGet, Path: "/api/v1/notifications", Tags: tagNotifications,
		Summary: "List your notifications",
		Description: "Lists the notifications of the person who is signed in, newest first. `unread=true` leaves out what was read, " +
			"`category` keeps one category. Follow `next_cursor` rather than counting pages when the list moves while it is read.",
		Errors: []int{http.StatusBadRequest, http.StatusForbidden},
	},
	Subject: "rpc.notifications.list-notifications",
	Allow:   authz.Authenticated(),
}

// ListUserNotifications lists somebody's notifications.
var ListUserNotifications = op.Op[ListUserNotificationsRequest, ListNotificationsResponse]{
	Operation: huma.Operation{
		OperationID: "list-user-notifications", Method: http.MethodGet, Path: "/api/v1/users/{id}/notifications", Tags: tagNotifications,
		Summary: "List a user's notifications",
		Description: "Lists the notifications of a user, newest first, with the filters of `GET /api/v1/notifications`. It is for people " +
			"themselves and for support. A user of whom nothing is known here is 404 `recipient_not_found`.",
		Errors: []int{http.StatusBadRequest},
	},
	Subject: "rpc.notifications.list-user-notifications",
	Allow:   authz.SelfOr("id", "notifications:read"),
}

// CountUnread counts the caller's unread notifications.
var CountUnread = op.Op[CountUnreadRequest, CountUnreadResponse]{
	Operation: huma.Operation{
		OperationID: "count-unread-notifications", Method: http.MethodGet, Path: "/api/v1/notifications/unread-count", Tags: tagNotifications,
		Summary:     "Count your unread notifications",
		Description: "The number for the badge. The live stream sends it too, whenever it changes.",
		Errors:      []int{http.StatusForbidden},
	},
	Subject: "rpc.notifications.count-unread-notifications",
	Allow:   authz.Authenticated(),
}

// ReadNotification marks one of the caller's notifications as read.
var ReadNotification = op.Op[ReadNotificationRequest, ReadNotificationResponse]{
	Operation: huma.Operation{
		OperationID: "read-notification", Method: http.MethodPost, Path: "/api/v1/notifications/{id}/read", Tags: tagNotifications,
		Summary: "Mark a notification as read",
		Description: "Marks one of your own notifications as read and answers it. Doing it again changes nothing: `read_at` stays the " +
			"first time. A notification that is not yours does not exist for you: 404 `notification_not_found`.",
		Errors: []int{http.StatusForbidden},
	},
	Subject: "rpc.notifications.read-notification",
	Allow:   authz.Authenticated(),
}

// ReadAllNotifications marks the caller's notifications as read, up to one that was seen.
var ReadAllNotifications = op.Op[ReadAllNotificationsRequest, ReadAllNotificationsResponse]{
	Operation: huma.Operation{
		OperationID: "read-all-notifications", Method: http.MethodPost, Path: "/api/v1/notifications/read-all", Tags: tagNotifications,
		Summary: "Mark all notifications as read",
		Description: "Marks your notifications as read, up to and with `up_to`: the newest one that was on the screen. One that arrives " +
			"while the request is on its way stays unread. Without `up_to` it is everything up to the moment the request is handled. " +
			"An `up_to` that is not yours is 404 `notification_not_found`.",
		Errors: []int{http.StatusForbidden, http.StatusNotFound},
	},
	Subject: "rpc.notifications.read-all-notifications",
	Allow:   authz.Authenticated(),
}

// StreamNotifications is the live stream, as WebSocket or as server-sent events.
var StreamNotifications = op.Op[StreamNotificationsRequest, struct{}]{
	Operation: huma.Operation{
		OperationID: "stream-notifications", Method: http.MethodGet, Path: "/api/v1/notifications/stream", Tags: tagNotifications,
		Summary: "Receive notifications live",
		Description: `Sends your notifications the moment they are made: over a **WebSocket** when the request asks for an upgrade, and as
**server-sent events** otherwise. Both carry the same messages, JSON objects of the form ` + "`{type, id, data}`" + `:

| type | data | when |
|---|---|---|
| ` + "`notification`" + ` | a notification, as ` + "`GET /api/v1/notifications`" + ` lists it; ` + "`id`" + ` is its id | it was made |
| ` + "`unread_count`" + ` | ` + "`{unread}`" + ` | at the start, and whenever it changes |
| ` + "`resync`" + ` | ` + "`{}`" + ` | more was missed than is replayed: read the list again |
| ` + "`ping`" + ` | ` + "`{at}`" + ` | every 20 seconds |
| ` + "`close`" + ` | ` + "`{code, reason}`" + ` | server-sent events only: the stream ends, and why |

**How to say who you are.** Programs send the ` + "`Authorization`" + ` field. Pages cannot set it on a WebSocket or an EventSource; they have two ways:

- the **cookie** of ` + "`POST /api/v1/auth/login`" + ` with ` + "`transport: cookie`" + `, on pages of this site: ` + "`new EventSource('/api/v1/notifications/stream')`" + `,
  ` + "`new WebSocket('wss://' + location.host + '/api/v1/notifications/stream')`" + `; from another origin of the same site, one of ` + "`CORS_ORIGINS`" + `, with
  ` + "`{withCredentials: true}`" + `;
- a **ticket**, on any page: ` + "`const {ticket} = await (await fetch(api + '/api/v1/notifications/stream/ticket', {method: 'POST', headers: " +
			"{Authorization: 'Bearer ' + token}})).json()`" + `, then ` + "`new EventSource(api + '/api/v1/notifications/stream?ticket=' + ticket)`" + `. It works
  once, so an EventSource that is closed by an error is not opened again by the browser: get another ticket, and say ` + "`last_event_id`" + `.
  A page whose origin is not one of ` + "`CORS_ORIGINS`" + ` cannot ask for tickets itself: it gets them from its own server. It opens the EventSource
  without ` + "`withCredentials`" + `.

A ticket that was used, is too old or was made up is 401 ` + "`ticket_invalid`" + `. An access token in the address is 401 ` + "`token_in_url`" + `.

With server-sent events the type is the event's name and the id its ` + "`id`" + `; the data field is the data.

**Nothing is missed.** Say what you received last, in ` + "`Last-Event-ID`" + ` (browsers do that by themselves) or ` + "`last_event_id`" + `, and everything
since is sent first, in order and once, up to 1,000 notifications.

**It ends** with one of these WebSocket close codes: 4401 ` + "`session_revoked`" + ` (signed out, or the account was disabled; sign in again),
4408 ` + "`token_expired`" + ` (refresh the access token and connect again), 4413 ` + "`slow_consumer`" + ` (messages were not read; connect again), 1012
` + "`service_restart`" + ` (connect again, after a moment). A person can hold 20 streams; one more is 429 ` + "`too_many_streams`" + `.

What a client sends on the WebSocket is ignored, up to 4 KiB a message.`,
		DefaultStatus: http.StatusOK,
		Errors:        []int{http.StatusForbidden},
		Responses: map[string]*huma.Response{
			"101": {Description: "The WebSocket is open."},
			"200": {
				Description: "The stream of server-sent events.",
				Content: map[string]*huma.MediaType{"text/event-stream": {
					Schema:  &huma.Schema{Type: huma.TypeString},
					Example: "event: unread_count\ndata: {\"unread\":1}\n\n",
				}},
			},
		},
	},
	Allow:  authz.Authenticated(),
	Stream: true,
}

// NotificationFilter narrows a list of notifications.
type NotificationFilter struct {
	Unread   bool     `query:"unread" doc:"Only those that were not read." example:"true"`
	Category Category `query:"category" enum:"security,account,product,marketing" doc:"Only those of this category." example:"product"`
}

// ListNotificationsRequest asks for the caller's notifications.
type ListNotificationsRequest struct {
	page.Query
	NotificationFilter
}

// ListUserNotificationsRequest asks for a user's notifications.
type ListUserNotificationsRequest struct {
	ID string `path:"id" format:"uuid" doc:"The user's id." example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	page.Query
	NotificationFilter
}

// ListNotificationsResponse is a page of notifications.
type ListNotificationsResponse struct {
	Body NotificationPage
}

// NotificationPage is a page of notifications.
type NotificationPage page.Page[Notification]

// Notification is something a person was told in the app.
type Notification struct {
	ID        uuid.UUID      `json:"id" format:"uuid" doc:"The notification's id." example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	Category  Category       `json:"category" enum:"security,account,product,marketing" doc:"What it is about." example:"product"`
	Title     string         `json:"title" doc:"One line." example:"Your export is ready"`
	Body      string         `json:"body" doc:"The text, plain." example:"The export that you asked for can be downloaded."`
	Data      map[string]any `json:"data,omitempty" doc:"What the sender added for programs, such as where a click leads." example:"{\"path\":\"/exports/42\"}"`
	CreatedAt time.Time      `json:"created_at" format:"date-time" doc:"When it was made." example:"2026-01-02T15:04:05Z"`
	ReadAt    *time.Time     `json:"read_at,omitempty" format:"date-time" doc:"When it was first marked as read; absent while it is unread." example:"2026-01-02T15:10:00Z"`
}

// CountUnreadRequest asks for the caller's number of unread notifications.
type CountUnreadRequest struct{}

// CountUnreadResponse is the number of unread notifications.
type CountUnreadResponse struct {
	Body UnreadCount
}

// UnreadCount is how many notifications are unread.
type UnreadCount struct {
	Unread int64 `json:"unread" doc:"How many notifications are unread." example:"3"`
}

// ReadNotificationRequest marks a notification as read.
type ReadNotificationRequest struct {
	ID string `path:"id" format:"uuid" doc:"The notification's id." example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
}

// ReadNotificationResponse is the notification, read.
type ReadNotificationResponse struct {
	Body Notification
}

// ReadAllNotificationsRequest marks many notifications as read.
type ReadAllNotificationsRequest struct {
	Body *NotificationsSeen `required:"false"`
}

// ReadAllNotificationsResponse says how many were marked.
type ReadAllNotificationsResponse struct {
	Body NotificationsRead
}

// NotificationsRead says how many notifications were marked as read, and how many are left.
type NotificationsRead struct {
	Read   int64 `json:"read" doc:"How many were marked as read by this request." example:"3"`
	Unread int64 `json:"unread" doc:"How many are unread now." example:"0"`
}

// StreamNotificationsRequest opens the live stream.
type StreamNotificationsRequest struct {
	LastEventID      string `header:"Last-Event-ID" maxLength:"64" doc:"The id of the last notification received; what came after it is sent first." example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	Ticket           string `query:"ticket" maxLength:"64" doc:"A ticket, for browsers. The gateway takes it; it does not come further." example:"3q2-7wECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxw"`
	LastEventIDQuery string `query:"last_event_id" maxLength:"64" doc:"The same, for clients that cannot set fields." example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
}

// NotificationsSeen says up to where notifications were seen.
type NotificationsSeen struct {
	UpTo string `json:"up_to,omitempty" format:"uuid" doc:"The newest notification that was seen; those made later stay unread." example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
}
