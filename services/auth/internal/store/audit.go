package store

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

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

// EraseAudit removes from the trail where and on what a person did things. What was done stays, under an id that means nobody any more.
func (r records) EraseAudit(ctx context.Context, account uuid.UUID) error {
	return r.q.EraseAudit(ctx, account.String())
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
