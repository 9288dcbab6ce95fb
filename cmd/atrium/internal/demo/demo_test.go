package demo

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestPeople(t *testing.T) {
	t.Parallel()
	fates := map[fate]int{}
	addresses := map[string]bool{}
	for _, p := range people() {
		fates[p.fate]++
		addresses[p.email] = true
	}
	require.Equal(t, map[fate]int{active: 16, invited: 5, deactivated: 3, deleted: 1}, fates)
	require.Len(t, addresses, 25)
	for _, s := range sends() {
		for _, to := range s.to {
			require.True(t, addresses[to], to)
		}
	}
}

func TestClientWaitsWhenItIsToldTo(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil || string(body) != `{"a":1}` || r.Header.Get("Idempotency-Key") != "key" {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		if calls.Add(1) == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		_, _ = w.Write([]byte(`{"id":"x"}`))
	}))
	defer server.Close()
	c := newCaller(server.URL, server.Client())
	var u user
	require.NoError(t, c.call(t.Context(), http.MethodPost, "/", "key", map[string]int{"a": 1}, &u))
	require.Equal(t, "x", u.ID)
	require.EqualValues(t, 2, calls.Load())
}

func TestMarker(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "demo")
	keys, err := readMarker(path)
	require.NoError(t, err)
	require.Empty(t, keys)
	_, err = mark(path, []string{"one", "two"})
	require.NoError(t, err)
	keys, err = readMarker(path)
	require.NoError(t, err)
	require.Equal(t, []string{"one", "two"}, keys)
}
