package password

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

// Hashes are of the same text as ever: what NFKC makes of a password.
func TestNormalize(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringN(0, 60, 200).Draw(t, "password") + strings.Repeat("\u0301", rapid.IntRange(0, 40).Draw(t, "marks"))
		want := norm.NFKC.String(text)
		got, ok := normalize(text)
		require.Equal(t, len(want) <= MaxBytes, ok)
		if ok {
			require.Equal(t, want, got)
		}
	})
	_, ok := normalize(strings.Repeat("a", MaxBytes+1))
	require.False(t, ok)
	_, ok = normalize(strings.Repeat("\ufdfa", MaxBytes/3))
	require.False(t, ok)
}

// A password that NFKC would make eleven times as long is given up early.
//
//nolint:paralleltest // counts allocations
func TestNormalize_stops_when_it_is_too_long(t *testing.T) {
	require.LessOrEqual(t, testing.AllocsPerRun(10, func() { _, _ = normalize(strings.Repeat("a", 60<<20)) }), 1.0)
	growing := strings.Repeat("\ufdfa", MaxBytes/3)
	require.LessOrEqual(t, testing.AllocsPerRun(10, func() { _, _ = normalize(growing) }), 10.0)
}
