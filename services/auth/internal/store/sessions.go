package store

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/store/db"
)

func (r records) AddSession(ctx context.Context, s identity.Session) error {
	return r.q.InsertSession(ctx, db.InsertSessionParams{
		ID: s.ID, OrgID: identity.Org, AccountID: s.AccountID, Device: s.Device, IP: s.IP, UserAgent: s.UserAgent,
		CreatedAt: s.CreatedAt, LastSeenAt: s.LastSeenAt, IssuedAt: s.IssuedAt, ExpiresAt: s.ExpiresAt,
	})
}

func (r records) LockSession(ctx context.Context, id uuid.UUID) (identity.Session, error) {
	row, err := r.q.LockSession(ctx, id)
	return identity.Session(row), err
}

func (r records) TouchSession(ctx context.Context, s identity.Session) error {
	return r.q.TouchSession(ctx, db.TouchSessionParams{
		ID: s.ID, LastSeenAt: s.LastSeenAt, IssuedAt: s.IssuedAt, ExpiresAt: s.ExpiresAt, Device: s.Device, IP: s.IP, UserAgent: s.UserAgent,
	})
}

func (r records) OpenSessions(ctx context.Context, account uuid.UUID, open identity.Open, part identity.Slice) ([]identity.Session, error) {
	if part.After == nil {
		rows, err := r.q.ListOpenSessions(ctx, db.ListOpenSessionsParams{
			AccountID: account,
			Now:       open.Now,
			Since:     open.Since,
			RowLimit:  part.Limit,
			RowOffset: int32(min(part.Offset, 1<<31-1)), //nolint:gosec // bounded here
		})
		return sessions(rows), err
	}
	rows, err := r.q.ListOpenSessionsAfter(ctx, db.ListOpenSessionsAfterParams{
		AccountID:  account,
		Now:        open.Now,
		Since:      open.Since,
		RowLimit:   part.Limit,
		LastSeenAt: part.After.At,
		ID:         part.After.ID,
	})
	return sessions(rows), err
}

func (r records) CountOpenSessions(ctx context.Context, account uuid.UUID, open identity.Open) (int64, error) {
	return r.q.CountOpenSessions(ctx, db.CountOpenSessionsParams{AccountID: account, Now: open.Now, Since: open.Since})
}

func (r records) ProveSession(ctx context.Context, account, session uuid.UUID, at time.Time) error {
	n, err := r.q.ProveSession(ctx, db.ProveSessionParams{ID: session, AccountID: account, At: at})
	if err == nil && n == 0 {
		return errs.New(errs.NotFound, "session_not_found", "There is no such session.")
	}
	return err
}

func (r records) EndSession(ctx context.Context, account, session uuid.UUID, reason string, at time.Time) (identity.Session, error) {
	row, err := r.q.RevokeSession(ctx, db.RevokeSessionParams{ID: session, AccountID: account, Reason: reason, At: at})
	return identity.Session(row), err
}

func (r records) EndSessions(ctx context.Context, account uuid.UUID, e identity.Ending) ([]uuid.UUID, error) {
	return r.q.RevokeSessions(ctx, db.RevokeSessionsParams{
		AccountID: account,
		Keep:      e.Keep,
		Reason:    e.Reason,
		At:        e.At,
		Since:     e.Since,
		Most:      e.Most,
	})
}

func (r records) EndSessionsBeyond(ctx context.Context, account uuid.UUID, others int32, e identity.Ending) ([]uuid.UUID, error) {
	return r.q.RevokeSessionsBeyond(ctx, db.RevokeSessionsBeyondParams{
		AccountID: account,
		Keep:      *e.Keep,
		Others:    others,
		Reason:    e.Reason,
		At:        e.At,
		Most:      e.Most,
	})
}

func (r records) AddRefreshToken(ctx context.Context, t identity.RefreshToken) error {
	return r.q.InsertRefreshToken(ctx, db.InsertRefreshTokenParams{
		ID: t.ID, SessionID: t.SessionID, Hash: t.Hash, ParentID: t.ParentID, CreatedAt: t.CreatedAt, ExpiresAt: t.ExpiresAt,
	})
}

func (r records) FindRefreshToken(ctx context.Context, hash []byte) (identity.FoundToken, error) {
	row, err := r.q.FindRefreshToken(ctx, hash)
	return identity.FoundToken(row), err
}

func (r records) RefreshToken(ctx context.Context, id uuid.UUID) (identity.RefreshToken, error) {
	row, err := r.q.GetRefreshToken(ctx, id)
	return identity.RefreshToken(row), err
}

func (r records) UseRefreshToken(ctx context.Context, id, child uuid.UUID, at time.Time) error {
	return r.q.UseRefreshToken(ctx, db.UseRefreshTokenParams{ID: id, ChildID: child, At: at})
}

func sessions(rows []db.Session) []identity.Session {
	out := make([]identity.Session, len(rows))
	for i, row := range rows {
		out[i] = identity.Session(row)
	}
	return out
}
