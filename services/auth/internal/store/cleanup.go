package store

import (
	"context"
	"time"

	"github.com/atrium-mesh/atrium/pkg/idempotency"
	"github.com/atrium-mesh/atrium/pkg/jobs"
	"github.com/atrium-mesh/atrium/services/auth/internal/mailboxes"
	"github.com/atrium-mesh/atrium/services/auth/internal/store/db"
	"github.com/atrium-mesh/atrium/services/auth/internal/throttle"
)

const (
	keepSessions = 30 * 24 * time.Hour // to look at after an incident
	keepNotices  = 24 * time.Hour      // they are counted for a day

	// keepLinks is so that a link that is opened late is said to have expired, and not to be wrong. It is no shorter than a mail may wait for
	// its link: as long as the mail may ask for it, a link that was sent is there and says so, and is not made anew.
	keepLinks = 7 * 24 * time.Hour
)

// Expiring is everything that expires. The audit trail is kept for keepAudit.
func (s *Store) Expiring(keepAudit time.Duration) []jobs.Expiring {
	return []jobs.Expiring{
		{Name: "refresh_tokens", Delete: func(ctx context.Context, before time.Time, limit int32) (int64, error) {
			return s.q.DeleteExpiredRefreshTokens(ctx, db.DeleteExpiredRefreshTokensParams{Before: before, RowLimit: limit})
		}},
		{Name: "sessions", Keep: keepSessions, Delete: func(ctx context.Context, before time.Time, limit int32) (int64, error) {
			return s.q.DeleteEndedSessions(ctx, db.DeleteEndedSessionsParams{Before: before, RowLimit: limit})
		}},
		{Name: "links", Keep: keepLinks, Delete: func(ctx context.Context, before time.Time, _ int32) (int64, error) {
			return s.q.DeleteExpiredLinks(ctx, before)
		}},
		{Name: "link_causes", Delete: func(ctx context.Context, before time.Time, limit int32) (int64, error) {
			return s.q.DeleteExpiredLinkCauses(ctx, db.DeleteExpiredLinkCausesParams{Before: before, RowLimit: limit})
		}},
		{Name: "watermarks", Delete: func(ctx context.Context, before time.Time, limit int32) (int64, error) {
			return s.q.DeleteExpiredWatermarks(ctx, db.DeleteExpiredWatermarksParams{Before: before, RowLimit: limit})
		}},
		{Name: "service_assertions", Delete: func(ctx context.Context, before time.Time, limit int32) (int64, error) {
			return s.q.DeleteExpiredAssertions(ctx, db.DeleteExpiredAssertionsParams{Before: before, RowLimit: limit})
		}},
		{Name: "sign_in_failures", Keep: throttle.Retention, Delete: func(ctx context.Context, before time.Time, limit int32) (int64, error) {
			return s.q.DeleteOldSignInFailures(ctx, db.DeleteOldSignInFailuresParams{Before: before, RowLimit: limit})
		}},
		{Name: "known_addresses", Keep: throttle.KnownRetention, Delete: func(ctx context.Context, before time.Time, limit int32) (int64, error) {
			return s.q.DeleteOldKnownAddresses(ctx, db.DeleteOldKnownAddressesParams{Before: before, RowLimit: limit})
		}},
		{Name: "mailboxes", Keep: mailboxes.Retention, Delete: func(ctx context.Context, before time.Time, limit int32) (int64, error) {
			return s.q.DeleteOldMailboxes(ctx, db.DeleteOldMailboxesParams{Before: before, RowLimit: limit})
		}, Count: s.q.CountMailboxes},
		{Name: "sign_up_browsers", Delete: func(ctx context.Context, before time.Time, limit int32) (int64, error) {
			return s.q.DeleteExpiredSignUpBrowsers(ctx, db.DeleteExpiredSignUpBrowsersParams{Before: before, RowLimit: limit})
		}, Count: s.q.CountSignUpBrowsers},
		{Name: "audit_log", Keep: keepAudit, Delete: func(ctx context.Context, before time.Time, limit int32) (int64, error) {
			return s.q.DeleteOldAudit(ctx, db.DeleteOldAuditParams{Before: before, RowLimit: limit})
		}},
		{Name: "device_notices", Keep: keepNotices, Delete: func(ctx context.Context, before time.Time, limit int32) (int64, error) {
			return s.q.DeleteOldDeviceNotices(ctx, db.DeleteOldDeviceNoticesParams{Before: before, RowLimit: limit})
		}, Count: s.q.CountDeviceNotices},
		{Name: "audit_erasures", Delete: s.eraseAudits},
		{Name: "idempotency_keys", Delete: func(ctx context.Context, _ time.Time, _ int32) (int64, error) {
			return idempotency.Cleanup(ctx, s.pool)
		}},
	}
}
