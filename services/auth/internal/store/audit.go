package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/pkg/strictjson"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/store/db"
)

// AuditEntries are the entries that fit, the latest first.
func (s *Store) AuditEntries(ctx context.Context, f audit.Filter, part audit.Slice) ([]audit.Entry, error) {
	params := db.ListAuditParams{
		OrgID: identity.Org, Action: text(f.Action), Actor: text(f.Actor), Subject: text(f.Subject), Outcome: text(f.Outcome),
		FromAt: instant(f.From), ToAt: instant(f.To), RowLimit: part.Limit, RowOffset: rowOffset(part.Offset),
	}
	if part.After != nil {
		params.BeforeAt, params.BeforeID = &part.After.At, &part.After.ID
	}
	rows, err := s.q.ListAudit(ctx, params)
	if err != nil {
		return nil, err
	}
	out := make([]audit.Entry, len(rows))
	for i, row := range rows {
		out[i] = audit.Entry{
			ID: row.ID, At: row.At, Action: row.Action, Actor: row.Actor, Subject: row.Subject, Outcome: row.Outcome,
			IP: row.IP, Device: row.Device, RequestID: row.RequestID,
		}
		if err := strictjson.Unmarshal(row.Details, &out[i].Details); err != nil {
			return nil, fmt.Errorf("decode an audit entry: %w", err)
		}
	}
	return out, nil
}

// mostCounted is as far as entries are counted: the trail has millions, and everybody who looks at its first page would count them.
const mostCounted = 50_000

// CountAuditEntries counts the entries that fit, up to mostCounted.
func (s *Store) CountAuditEntries(ctx context.Context, f audit.Filter) (int64, error) {
	return s.q.CountAudit(ctx, db.CountAuditParams{
		OrgID: identity.Org, Action: text(f.Action), Actor: text(f.Actor), Subject: text(f.Subject), Outcome: text(f.Outcome),
		FromAt: instant(f.From), ToAt: instant(f.To), Most: mostCounted,
	})
}

// eraseAtOnce is how many entries one transaction empties.
const eraseAtOnce = 5000

// EraseAudit removes from the trail where and on what a person did things. What was done stays, under an id that means nobody any more. A
// trail of more than eraseAtOnce entries is finished by the clean-up, which calls [Store.eraseAudits].
func (r records) EraseAudit(ctx context.Context, account uuid.UUID, at time.Time) error {
	n, err := r.q.EraseAudit(ctx, db.EraseAuditParams{AccountID: account.String(), RowLimit: eraseAtOnce})
	if err != nil || n < eraseAtOnce {
		return err
	}
	return r.q.EraseAuditLater(ctx, db.EraseAuditLaterParams{AccountID: account, At: at})
}

// eraseAudits goes on with the trails of accounts that are erased, for at least limit entries. It returns how many; fewer when nothing is left.
func (s *Store) eraseAudits(ctx context.Context, _ time.Time, limit int32) (total int64, err error) {
	for total < int64(limit) {
		n, more, err := s.eraseSomeAudit(ctx)
		total += n
		if err != nil || !more {
			return total, err
		}
	}
	return total, nil
}

// eraseSomeAudit empties entries of one account, in a transaction of its own, so that a crash loses no more than that. More is false when there
// was no account with any.
func (s *Store) eraseSomeAudit(ctx context.Context) (n int64, more bool, err error) {
	err = pg.InTx(ctx, s.pool, func(tx pgx.Tx) error {
		q := WithTx(tx).q
		account, err := q.NextAuditErasure(ctx)
		if more = err == nil; !more {
			return err
		}
		n, err = q.EraseAudit(ctx, db.EraseAuditParams{AccountID: account.String(), RowLimit: eraseAtOnce})
		if err != nil || n == eraseAtOnce {
			return err
		}
		return q.EndAuditErasure(ctx, account)
	})
	if errors.Is(err, errs.NotFound) {
		err = nil
	}
	return n, more, err
}

func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
