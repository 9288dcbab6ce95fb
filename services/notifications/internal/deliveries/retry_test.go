package deliveries_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/services/notifications/api"
	"github.com/atrium-mesh/atrium/services/notifications/internal/deliveries"
	"github.com/atrium-mesh/atrium/services/notifications/internal/templates"
)

func TestRetry(t *testing.T) {
	t.Parallel()
	r := deliveries.DefaultRetry()
	var total, middle time.Duration
	for attempt := int32(1); attempt < r.MaxAttempts; attempt++ {
		middle = min(r.First<<(attempt-1), r.Longest)
		if middle <= 0 {
			middle = r.Longest
		}
		for range 50 {
			wait, again := r.After(attempt)
			require.True(t, again)
			require.InDelta(t, middle, wait, float64(middle)/5+1)
		}
		total += middle
	}
	_, again := r.After(r.MaxAttempts)
	require.False(t, again)
	require.InDelta(t, 24*time.Hour, total, float64(3*time.Hour), "it is tried for about a day")
}

func TestKinds(t *testing.T) {
	t.Parallel()
	for _, name := range templates.Names() {
		kind, ok := deliveries.KindOf(name)
		require.True(t, ok, name)
		if kind.Link != "" {
			require.Equal(t, api.CategorySecurity, kind.Category, "what carries a link of auth's must reach its person")
		}
	}
	_, ok := deliveries.KindOf("gossip")
	require.False(t, ok)
	for i, info := range api.Categories() {
		require.Equal(t, i+1, deliveries.Priority(info.Category))
	}
}
