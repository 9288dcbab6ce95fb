package store

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/services/users/internal/users"
)

func TestTotals(t *testing.T) {
	t.Parallel()
	var known totals
	now := time.Unix(1_800_000_000, 0)
	everybody, active := users.Filter{}, users.Filter{Status: "active"}

	known.put(everybody, largeTotal-1, now)
	_, ok := known.get(everybody, now)
	require.False(t, ok, "a small list is counted each time")

	known.put(everybody, largeTotal, now)
	n, ok := known.get(everybody, now.Add(totalFor-1))
	require.True(t, ok)
	require.EqualValues(t, largeTotal, n)
	_, ok = known.get(active, now)
	require.False(t, ok, "of another filter")
	_, ok = known.get(everybody, now.Add(totalFor))
	require.False(t, ok, "too old")

	for i := range 2 * mostTotals {
		known.put(users.Filter{Text: time.Duration(i).String()}, largeTotal, now)
	}
	require.LessOrEqual(t, len(known.by), mostTotals)
}
