package ratelimit

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Keys whose window is empty are dropped as others come, so that memory is that of the last period.
func TestMemorySweeps(t *testing.T) {
	t.Parallel()
	now := time.Unix(1_770_000_000, 0)
	m, err := newMemory(Config{Name: "test", Limit: Limit{Count: 1, Period: time.Minute}, Clock: func() time.Time { return now }})
	require.NoError(t, err)
	for n := range 1000 {
		m.take(digestOf(strconv.Itoa(n)))
	}
	require.Equal(t, 1000, m.keys.Len())
	now = now.Add(time.Minute)
	for n := range 500 {
		m.take(digestOf("new" + strconv.Itoa(n)))
	}
	require.Equal(t, 500, m.keys.Len())
}

// However many are allowed, the log has at most about sixty entries.
func TestWindowIsSmall(t *testing.T) {
	t.Parallel()
	l := Limit{Count: 1_000_000, Period: time.Minute}
	var w window
	for now := int64(1_770_000_000_000); now < 1_770_000_180_000; now += 3 {
		w.take(now, l)
		require.LessOrEqual(t, len(w), 62)
	}
}
