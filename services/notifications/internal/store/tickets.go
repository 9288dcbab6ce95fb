package store

import (
	"context"
	"crypto/sha256"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/services/notifications/internal/store/db"
	"github.com/atrium-mesh/atrium/services/notifications/internal/tickets"
)

var (
	_ tickets.Tx    = (*Tx)(nil)
	_ tickets.Table = (*Store)(nil)
)

// LockTickets is of tickets.Tx.
func (t *Tx) LockTickets(ctx context.Context, recipient uuid.UUID) error {
	return t.q.LockStreamTickets(ctx, recipient)
}

// DropExpiredTickets is of tickets.Tx.
func (t *Tx) DropExpiredTickets(ctx context.Context, recipient uuid.UUID) (int64, error) {
	return t.q.DropExpiredStreamTickets(ctx, recipient)
}

// CountTickets is of tickets.Tx.
func (t *Tx) CountTickets(ctx context.Context, recipient uuid.UUID) (int64, error) {
	return t.q.CountStreamTickets(ctx, recipient)
}

// AddTicket is of tickets.Tx.
func (t *Tx) AddTicket(ctx context.Context, ticket tickets.Ticket, lifetime time.Duration) (time.Time, error) {
	return t.q.AddStreamTicket(ctx, db.AddStreamTicketParams{
		Hash:        ticket.Hash[:],
		RecipientID: ticket.Recipient,
		Sealed:      ticket.Sealed,
		Seconds:     lifetime.Seconds(),
		NotAfter:    ticket.NotAfter,
	})
}

// TakeTicket is of tickets.Tx.
func (t *Tx) TakeTicket(ctx context.Context, hash [sha256.Size]byte) (tickets.Taken, error) {
	row, err := t.q.TakeStreamTicket(ctx, hash[:])
	return tickets.Taken{Sealed: row.Sealed, Fresh: row.Fresh}, err
}

// PurgeTickets is of tickets.Table.
func (s *Store) PurgeTickets(ctx context.Context, most int32) (int64, error) {
	return s.q.PurgeStreamTickets(ctx, most)
}

// CountAllTickets is of tickets.Table.
func (s *Store) CountAllTickets(ctx context.Context) (int64, error) {
	return s.q.CountAllStreamTickets(ctx)
}
