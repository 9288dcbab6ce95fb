package ratelimit_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/atrium-mesh/atrium/pkg/ratelimit"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]ratelimit.Limit{
		"5/1m":      {Count: 5, Period: time.Minute},
		"100/1m":    {Count: 100, Period: time.Minute},
		"10/1m30s":  {Count: 10, Period: 90 * time.Second},
		" 1/24h ":   {Count: 1, Period: 24 * time.Hour},
		"1000/500s": {Count: 1000, Period: 500 * time.Second},
		"off":       {},
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			got, err := ratelimit.Parse(text)
			require.NoError(t, err)
			require.Equal(t, want, got)
			require.Equal(t, text == "off", got.Off())
		})
	}
	for _, text := range []string{
		"", "5", "/", "5/", "/1m", "0/1m", "-1/1m", "x/1m", "5/0s", "5/-1m", "5/1", "5/minute", "5/999ms", "5/25h", "1000001/1m", "5/1m/1h", "OFF", "5.5/1m",
	} {
		t.Run("refused:"+text, func(t *testing.T) {
			t.Parallel()
			_, err := ratelimit.Parse(text)
			require.Error(t, err)
		})
	}
}

func TestLimitText(t *testing.T) {
	t.Parallel()
	require.Equal(t, "5/1m", ratelimit.Limit{Count: 5, Period: time.Minute}.String())
	require.Equal(t, "5/1h", ratelimit.Limit{Count: 5, Period: time.Hour}.String())
	require.Equal(t, "5/10s", ratelimit.Limit{Count: 5, Period: 10 * time.Second}.String())
	require.Equal(t, "off", ratelimit.Limit{}.String())
	rapid.Check(t, func(t *rapid.T) {
		l := ratelimit.Limit{
			Count:  rapid.IntRange(1, 1_000_000).Draw(t, "count"),
			Period: time.Duration(rapid.Int64Range(int64(time.Second), int64(24*time.Hour)).Draw(t, "period")),
		}
		text, err := l.MarshalText()
		require.NoError(t, err)
		var again ratelimit.Limit
		require.NoError(t, again.UnmarshalText(text))
		require.Equal(t, l, again)
	})
	var l ratelimit.Limit
	require.Error(t, l.UnmarshalText([]byte("often")))
}

func FuzzParse(f *testing.F) {
	f.Add("5/1m")
	f.Add("off")
	f.Fuzz(func(t *testing.T, text string) {
		l, err := ratelimit.Parse(text)
		if err != nil {
			return
		}
		again, err := ratelimit.Parse(l.String())
		require.NoError(t, err)
		require.Equal(t, l, again)
	})
}
