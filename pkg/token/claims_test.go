package token_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/token"
)

// Whatever the instants: a token made with the latest watermark in hand is not void, and one made before a watermark is.
func TestNewIDProperty(t *testing.T) {
	t.Parallel()
	base := time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	instant := rapid.Custom(func(t *rapid.T) time.Time {
		return base.Add(time.Duration(rapid.Int64Range(0, int64(5*time.Millisecond)).Draw(t, "ns")))
	})
	rapid.Check(t, func(t *rapid.T) {
		w := token.NewWatermarks(func() time.Time { return base })
		notBefore := instant.Draw(t, "not before")
		w.Raise(userMark("u", notBefore))
		id, issuedAt, err := token.NewID(instant.Draw(t, "now"), notBefore)
		require.NoError(t, err)
		require.Equal(t, issuedAt, token.IssuedAt(id, time.Time{}))
		require.False(t, w.Revoked(&authz.Principal{Subject: "u", IssuedAt: issuedAt}))

		w.Raise(userMark("u", issuedAt.Add(time.Nanosecond)))
		require.True(t, w.Revoked(&authz.Principal{Subject: "u", IssuedAt: issuedAt}))
	})
}
