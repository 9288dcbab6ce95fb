package ratelimit_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/ratelimit"
)

func TestWriteHeader(t *testing.T) {
	t.Parallel()
	limit := ratelimit.Limit{Count: 100, Period: time.Minute}
	for name, tc := range map[string]struct {
		decision ratelimit.Decision
		want     http.Header
	}{
		"allowed": {
			ratelimit.Decision{Allowed: true, Limit: 100, Remaining: 42, ResetAfter: 16_001 * time.Millisecond},
			http.Header{"Ratelimit-Policy": {`"api";q=100;w=60`}, "Ratelimit": {`"api";r=42;t=17`}},
		},
		"refused": {
			ratelimit.Decision{Limit: 100, ResetAfter: time.Minute, RetryAfter: 100 * time.Millisecond},
			http.Header{"Ratelimit-Policy": {`"api";q=100;w=60`}, "Ratelimit": {`"api";r=0;t=60`}, "Retry-After": {"1"}},
		},
		"no_limit": {ratelimit.Decision{Allowed: true}, http.Header{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := http.Header{}
			ratelimit.WriteHeader(h, "api", limit, tc.decision)
			require.Equal(t, tc.want, h)
		})
	}
	t.Run("two_policies", func(t *testing.T) {
		t.Parallel()
		h := http.Header{}
		ratelimit.WriteHeader(h, "api", limit, ratelimit.Decision{Allowed: true, Limit: 100})
		ratelimit.WriteHeader(h, "sign-in", ratelimit.Limit{Count: 5, Period: 90 * time.Second}, ratelimit.Decision{Allowed: true, Limit: 5})
		require.Equal(t, []string{`"api";q=100;w=60`, `"sign-in";q=5;w=90`}, h.Values("RateLimit-Policy"))
	})
}
