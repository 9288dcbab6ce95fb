package api

import (
	"encoding/base64"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/op"
)

// ParamTicket is the query parameter of a stream that carries a ticket.
const ParamTicket = "ticket"

// Ticket is what a ticket's text says: 256 random bits.
type Ticket [32]byte

// String is the text that the client gets.
func (t Ticket) String() string { return base64.RawURLEncoding.EncodeToString(t[:]) }

// ReadTicket reads a ticket's text; there is one for each. The gateway refuses what is none without asking anybody.
func ReadTicket(text string) (t Ticket, ok bool) {
	if len(text) != base64.RawURLEncoding.EncodedLen(len(t)) {
		return t, false
	}
	n, err := base64.RawURLEncoding.Strict().Decode(t[:], []byte(text))
	return t, err == nil && n == len(t)
}

// ErrTicketInvalid refuses a ticket. Why it opens nothing is not said: who made one up learns nothing.
func ErrTicketInvalid() error {
	return errs.New(errs.Unauthenticated, "ticket_invalid", "This ticket was used, is too old, or never was one: get another.")
}

// CreateStreamTicket hands a browser a ticket for the live stream.
var CreateStreamTicket = op.Op[CreateStreamTicketRequest, CreateStreamTicketResponse]{
	Operation: huma.Operation{
		OperationID: "create-stream-ticket", Method: http.MethodPost, Path: "/api/v1/notifications/stream/ticket", Tags: tagNotifications,
		Summary: "Get a ticket for the live stream",
		Description: "A ticket opens `GET /api/v1/notifications/stream?ticket=…` once, within 30 seconds, as whoever asked for it: browsers can set no " +
			"field on a WebSocket or an EventSource, and an access token does not belong into an address. The stream lives as long as the access " +
			"token that the ticket was asked for with. Ask for another ticket before every connection, also before one that is made again. A " +
			"person can hold 20 tickets that were not used; one more is 429 `too_many_tickets`.",
		DefaultStatus: http.StatusCreated,
		Errors:        []int{http.StatusForbidden},
	},
	Allow: authz.Authenticated(),
}

// RedeemStreamTicketRequest presents a ticket.
type RedeemStreamTicketRequest struct {
	Ticket string `json:"ticket"`
}

// RedeemStreamTicketResponse is the access token that the ticket was asked for with. It must not be stored or logged.
type RedeemStreamTicketResponse struct {
	AccessToken string `json:"access_token"`
}

// RedeemStreamTicket gives the gateway what a ticket stands for, once; the gateway verifies it as any other token. A ticket that was used,
// came too late or was made up is errs.Unauthenticated "ticket_invalid".
var RedeemStreamTicket = op.Op[RedeemStreamTicketRequest, RedeemStreamTicketResponse]{
	Operation: huma.Operation{OperationID: "redeem-stream-ticket"},
	Subject:   "rpc.notifications.redeem-stream-ticket", Allow: authz.Services("gateway"), Timeout: 2 * time.Second,
}

// CreateStreamTicketRequest asks for a ticket.
type CreateStreamTicketRequest struct{}

// CreateStreamTicketResponse is a ticket. It must never be cached.
type CreateStreamTicketResponse struct {
	CacheControl string `header:"Cache-Control" doc:"no-store: a ticket must not be cached" example:"no-store"`
	Body         StreamTicket
}

// StreamTicket opens the live stream once.
type StreamTicket struct {
	Ticket    string    `json:"ticket" doc:"For the parameter ticket of the stream; it works once." example:"3q2-7wECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxw"`
	ExpiresAt time.Time `json:"expires_at" format:"date-time" doc:"Until when it can be used." example:"2026-01-02T15:04:35Z"`
}
