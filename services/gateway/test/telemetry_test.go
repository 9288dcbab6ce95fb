package test

import (
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
)

// metrics is what Prometheus would read.
func (m *mesh) metrics(t testing.TB) string {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, m.AdminURL+"/metrics", http.NoBody)
	require.NoError(t, err)
	resp, err := m.client.Do(r)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return string(body)
}

// gauge is the value of a metric that has one series; -1 when there is none yet.
func (m *mesh) gauge(t testing.TB, name string) int {
	t.Helper()
	found := regexp.MustCompile(`(?m)^` + name + `(?:\{[^}]*\})? (\d+)$`).FindStringSubmatch(m.metrics(t))
	if found == nil {
		return -1
	}
	value, err := strconv.Atoi(found[1])
	require.NoError(t, err)
	return value
}

func TestMetricsAreBounded(t *testing.T) {
	t.Parallel()
	m := start(t, config.Source{"RATE_LIMIT_SIGN_IN": "1/1m"})
	for i := range 5 {
		m.do(t, request{method: "BREW" + strconv.Itoa(i), path: "/api/v1/users"})
		m.do(t, request{path: "/nowhere/" + strconv.Itoa(i)})
		m.do(t, request{path: "/api/v1/users/0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5" + strconv.Itoa(i), token: m.issuer.SignAdmin(ada)})
	}
	m.users.server.Close()
	m.do(t, request{path: "/api/v1/users/me", token: m.issuer.SignUser(ada)})
	text := m.metrics(t)
	series := regexp.MustCompile(`(?m)^http_server_request_duration_seconds_count\{.*$`).FindAllString(text, -1)
	require.Len(t, series, 4, strings.Join(series, "\n"))
	require.Contains(t, text, `http_request_method="_OTHER"`)
	require.NotContains(t, text, "BREW")
	require.NotContains(t, text, "nowhere")
	require.Regexp(t, `(?m)^atrium_gateway_retries_total\{.*service="users".*\} 3$`, text)
}

func TestReadiness(t *testing.T) {
	t.Parallel()
	m := start(t, nil)
	got := m.do(t, request{path: "/healthz"})
	require.Equal(t, http.StatusOK, got.Status)
	require.JSONEq(t, `{"status":"ok"}`, got.Body)
	m.server.Stop()
	m.WaitUnready(t, "nats")
	require.Eventually(t, func() bool { return m.do(t, request{path: "/healthz"}).Status == http.StatusServiceUnavailable }, within, tick)
	require.JSONEq(t, `{"status":"fail"}`, m.do(t, request{path: "/healthz"}).Body, "and not a word more")
	require.Equal(t, http.StatusOK, m.do(t, request{path: "/api/v1/users/me", token: m.issuer.SignUser(ada)}).Status, "it goes on with what it knows")
	m.server.Start()
	m.WaitReady(t)
}
