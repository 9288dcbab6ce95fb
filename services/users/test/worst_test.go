package test

import (
	"testing"

	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/op/worsttest"
	"github.com/atrium-mesh/atrium/services/users/api"
)

// worst starts users and sends as the gateway does, from a client that is new each time.
func worst(t testing.TB) func(worsttest.Request) int {
	t.Helper()
	m := setup(t)
	own := m.Issuer.SignService("gateway", "users")
	return func(q worsttest.Request) int {
		r, ip := q.Numbered(t, m.URL)
		r.Header.Set(op.HeaderService, own)
		if r.Header.Get(op.HeaderClientIP) == "" {
			r.Header.Set(op.HeaderClientIP, ip)
		}
		return worsttest.Send(t, r)
	}
}

// Whatever a stranger sends, the work for it is bounded.
//
//nolint:paralleltest // counts what the whole process does
func TestWorstRequests_cost_little_work(t *testing.T) {
	if testing.Short() {
		t.Skip("measures for a while")
	}
	worsttest.Bounded(t, worsttest.All(t, api.Operations()), nil, worst(t))
}

// BenchmarkWorstRequests tells what a stranger's dearest requests cost.
func BenchmarkWorstRequests(b *testing.B) {
	worsttest.Measured(b, worsttest.All(b, api.Operations()), nil, worst(b))
}
