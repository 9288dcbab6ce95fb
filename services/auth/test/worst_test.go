package test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/op/worsttest"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/password"
)

// sendWorst sends a request as the gateway does, from a client that is new each time.
func (m *mesh) sendWorst(t testing.TB, w worsttest.Request) int {
	t.Helper()
	own, err := m.edge.token(t.Context(), false)
	require.NoError(t, err)
	r, ip := w.Numbered(t, m.URL)
	r.Header.Set(op.HeaderService, own)
	if r.Header.Get(op.HeaderClientIP) == "" {
		r.Header.Set(op.HeaderClientIP, ip)
	}
	return worsttest.Send(t, r)
}

// Whatever a stranger sends, the work for it is bounded.
//
//nolint:paralleltest // counts what the whole process does
func TestWorstRequests_cost_little_work(t *testing.T) {
	if testing.Short() {
		t.Skip("measures for a while")
	}
	m := setup(t, nil)
	worsttest.Bounded(t, worsttest.All(t, api.Operations()), oneHash(t), func(w worsttest.Request) int { return m.sendWorst(t, w) })
}

// BenchmarkWorstRequests tells for each public operation what its dearest requests cost, besides the hash of a password where one is made.
func BenchmarkWorstRequests(b *testing.B) {
	m := setup(b, nil)
	worsttest.Measured(b, worsttest.All(b, api.Operations()), oneHash(b), func(w worsttest.Request) int { return m.sendWorst(b, w) })
}

// oneHash hashes a password as setup has it.
func oneHash(t testing.TB) func() {
	t.Helper()
	c := password.Default()
	c.MemoryKiB, c.Iterations = 7168, 1
	hasher, err := password.NewHasher(c)
	require.NoError(t, err)
	return func() { _, _ = hasher.Hash(t.Context(), goodPassword) }
}
