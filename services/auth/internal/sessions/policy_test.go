package sessions

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

func TestJudge(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	const grace = 10 * time.Second
	ago := func(d time.Duration) *time.Time { at := now.Add(-d); return &at }
	child := uuid.Must(uuid.NewV7())

	for name, tt := range map[string]struct {
		change func(a *identity.Account, s *identity.Session, t *identity.RefreshToken)
		want   verdict
	}{
		"fresh":   {func(*identity.Account, *identity.Session, *identity.RefreshToken) {}, rotates},
		"expired": {func(_ *identity.Account, _ *identity.Session, t *identity.RefreshToken) { t.ExpiresAt = now }, refused},
		"account_disabled": {func(a *identity.Account, _ *identity.Session, _ *identity.RefreshToken) {
			a.Status = identity.StatusDisabled
		}, refused},
		"account_erased": {func(a *identity.Account, _ *identity.Session, _ *identity.RefreshToken) {
			a.Status = identity.StatusErased
		}, refused},
		"session_revoked": {func(_ *identity.Account, s *identity.Session, _ *identity.RefreshToken) { s.RevokedAt = ago(1) }, refused},
		"session_expired": {func(_ *identity.Account, s *identity.Session, _ *identity.RefreshToken) { s.ExpiresAt = now }, refused},
		"used_just_now": {func(_ *identity.Account, _ *identity.Session, t *identity.RefreshToken) {
			t.UsedAt, t.ChildID = ago(0), &child
		}, repeats},
		"used_in_the_future": {func(_ *identity.Account, _ *identity.Session, t *identity.RefreshToken) {
			t.UsedAt, t.ChildID = ago(-time.Second), &child
		}, repeats},
		"used_at_the_end_of_grace": {func(_ *identity.Account, _ *identity.Session, t *identity.RefreshToken) {
			t.UsedAt, t.ChildID = ago(grace), &child
		}, repeats},
		"used_before_grace": {func(_ *identity.Account, _ *identity.Session, t *identity.RefreshToken) {
			t.UsedAt, t.ChildID = ago(grace+1), &child
		}, stolen},
		"used_and_expired": {func(_ *identity.Account, _ *identity.Session, t *identity.RefreshToken) {
			t.UsedAt, t.ChildID, t.ExpiresAt = ago(time.Hour), &child, now
		}, stolen},
		"used_in_a_revoked_session": {func(_ *identity.Account, s *identity.Session, t *identity.RefreshToken) {
			t.UsedAt, t.ChildID, s.RevokedAt = ago(time.Hour), &child, ago(1)
		}, refused},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a := identity.Account{Status: identity.StatusActive}
			s := identity.Session{ExpiresAt: now.Add(time.Hour)}
			token := identity.RefreshToken{ExpiresAt: now.Add(time.Hour)}
			tt.change(&a, &s, &token)
			require.Equal(t, tt.want, judge(a, s, token, now, grace))
		})
	}
}
