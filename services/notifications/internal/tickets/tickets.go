// Package tickets owns the tickets that open a live stream: a browser can set no field on a WebSocket or an EventSource, and what stands in an
// address is logged by proxies and kept in histories. A ticket is worth nothing there: it works once, within seconds.
//
//	page ── POST …/stream/ticket, with its token ──► Create: hash, and token sealed with the ticket ──► table
//	page ── GET …/stream?ticket=… ──► gateway ── redeem-stream-ticket ──► Redeem: the row is gone, the token is open
//
// The gateway verifies the token as any other, so that what was revoked meanwhile opens nothing.
package tickets

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"go.opentelemetry.io/otel/metric"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/request"
	"github.com/atrium-mesh/atrium/services/notifications/api"
	"github.com/atrium-mesh/atrium/services/notifications/internal/recipients"
)

const (
	// Lifetime is how long a ticket can be used: a page connects at once, on a slow network within seconds.
	Lifetime = 30 * time.Second
	// PerPerson is how many tickets a person can hold: as many as streams at one replica.
	PerPerson = 20
)

// Ticket is a ticket to be kept.
type Ticket struct {
	Hash      [sha256.Size]byte
	Recipient uuid.UUID
	Sealed    []byte
	NotAfter  time.Time // when the token itself expires
}

// Taken is what was kept of a ticket.
type Taken struct {
	Sealed []byte
	Fresh  bool // it was used in time
}

// Tx changes tickets within a transaction. Time is the database's: replicas need not agree on it.
type Tx interface {
	// LockTickets keeps others from changing a person's tickets until the transaction ends.
	LockTickets(ctx context.Context, recipient uuid.UUID) error
	// DropExpiredTickets removes those of a person that nobody can use any more, and returns how many.
	DropExpiredTickets(ctx context.Context, recipient uuid.UUID) (int64, error)
	// CountTickets counts a person's.
	CountTickets(ctx context.Context, recipient uuid.UUID) (int64, error)
	// AddTicket keeps one for Lifetime and returns until when.
	AddTicket(ctx context.Context, t Ticket, lifetime time.Duration) (time.Time, error)
	// TakeTicket removes one and returns what was kept; errs.NotFound when there is none.
	TakeTicket(ctx context.Context, hash [sha256.Size]byte) (Taken, error)
}

// Service implements the operations on tickets.
type Service struct {
	inTx    func(context.Context, func(Tx) error) error
	metrics metrics
}

// New makes the service. InTx runs a function in a transaction, again after a serialization failure.
func New(inTx func(context.Context, func(Tx) error) error, meter metric.MeterProvider) (*Service, error) {
	m, err := newMetrics(meter)
	if err != nil {
		return nil, err
	}
	return &Service{inTx: inTx, metrics: m}, nil
}

// Create implements [api.CreateStreamTicket].
func (s *Service) Create(ctx context.Context, _ *api.CreateStreamTicketRequest) (*api.CreateStreamTicketResponse, error) {
	recipient, err := recipients.Caller(ctx)
	if err != nil {
		return nil, err
	}
	t := newTicket()
	sealed, err := t.seal(string(request.From(ctx).Token))
	if err != nil {
		return nil, err
	}
	kept := Ticket{
		Hash:      t.hash(),
		Recipient: recipient,
		Sealed:    sealed,
		NotAfter:  authz.PrincipalFrom(ctx).ExpiresAt,
	}
	var until time.Time
	var expired int64
	err = s.inTx(ctx, func(tx Tx) error {
		until, expired, err = keep(ctx, tx, kept)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("keep a ticket: %w", err)
	}
	s.metrics.count(ctx, outcomeIssued, 1)
	s.metrics.count(ctx, outcomeExpired, expired)
	return &api.CreateStreamTicketResponse{
		CacheControl: "no-store",
		Body:         api.StreamTicket{Ticket: api.Ticket(t).String(), ExpiresAt: until.UTC()},
	}, nil
}

// keep holds the person's tickets while it counts them, so that many requests at the same time do not get one more each.
func keep(ctx context.Context, tx Tx, t Ticket) (until time.Time, expired int64, err error) {
	if err = tx.LockTickets(ctx, t.Recipient); err != nil {
		return until, 0, err
	}
	if expired, err = tx.DropExpiredTickets(ctx, t.Recipient); err != nil {
		return until, 0, err
	}
	n, err := tx.CountTickets(ctx, t.Recipient)
	if err != nil {
		return until, 0, err
	}
	if n >= PerPerson {
		return until, 0, errs.New(errs.RateLimited, "too_many_tickets", "You hold too many tickets that were not used; wait until they expire.").
			WithRetryAfter(Lifetime)
	}
	until, err = tx.AddTicket(ctx, t, Lifetime)
	return until, expired, err
}

// Redeem implements [api.RedeemStreamTicket].
func (s *Service) Redeem(ctx context.Context, in *api.RedeemStreamTicketRequest) (*api.RedeemStreamTicketResponse, error) {
	read, ok := api.ReadTicket(in.Ticket)
	if !ok {
		return nil, s.refuse(ctx)
	}
	t := secret(read)
	var taken Taken
	err := s.inTx(ctx, func(tx Tx) (err error) {
		taken, err = tx.TakeTicket(ctx, t.hash())
		return err
	})
	switch {
	case errors.Is(err, errs.NotFound):
		return nil, s.refuse(ctx)
	case err != nil:
		return nil, fmt.Errorf("take a ticket: %w", err)
	case !taken.Fresh:
		return nil, s.refuse(ctx)
	}
	token, err := t.open(taken.Sealed)
	if err != nil {
		return nil, err
	}
	s.metrics.count(ctx, outcomeRedeemed, 1)
	return &api.RedeemStreamTicketResponse{AccessToken: token}, nil
}

func (s *Service) refuse(ctx context.Context) error {
	s.metrics.count(ctx, outcomeRefused, 1)
	return api.ErrTicketInvalid()
}
