package local_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/demo"
	"github.com/atrium-mesh/atrium/cmd/atrium/internal/local"
	"github.com/atrium-mesh/atrium/pkg/config"
)

const (
	adminEmail    = "root@example.com"
	adminPassword = "seven green bicycles"
)

func start(t *testing.T, cfg local.Config) *local.Mesh {
	t.Helper()
	cfg.Listen, cfg.LogLevel = "127.0.0.1:0", slog.LevelInfo
	cfg.Environment = config.Source{"RATE_LIMIT_SIGN_IN": "off", "RATE_LIMIT_SIGN_UP": "off", "RATE_LIMIT_API": "off"}
	cfg.Terminal = io.Discard
	mesh, err := local.Start(t.Context(), cfg)
	require.NoError(t, err)
	t.Logf("ready after %v", mesh.Took)
	return mesh
}

func stop(t *testing.T, mesh *local.Mesh) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
	defer cancel()
	require.NoError(t, mesh.Stop(ctx))
}

// client is somebody at the gateway.
type client struct {
	t      *testing.T
	origin string
	token  string
	http   *http.Client
}

func newClient(t *testing.T, mesh *local.Mesh) *client {
	t.Helper()
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return &client{t: t, origin: mesh.Origin, http: &http.Client{Transport: transport, Timeout: time.Minute}}
}

// call returns the status and the answer as JSON.
func (c *client) call(method, path string, body any) (int, map[string]any) {
	c.t.Helper()
	encoded, err := json.Marshal(body)
	require.NoError(c.t, err)
	request, err := http.NewRequestWithContext(c.t.Context(), method, c.origin+path, bytes.NewReader(encoded))
	require.NoError(c.t, err)
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := c.http.Do(request)
	require.NoError(c.t, err)
	defer func() { _ = response.Body.Close() }()
	answer := map[string]any{}
	raw, err := io.ReadAll(response.Body)
	require.NoError(c.t, err)
	if len(raw) > 0 {
		require.NoError(c.t, json.Unmarshal(raw, &answer), string(raw))
	}
	return response.StatusCode, answer
}

func (c *client) signIn(email, password string) {
	c.t.Helper()
	status, answer := c.call(http.MethodPost, "/api/v1/auth/login", map[string]string{"email": email, "password": password})
	require.Equal(c.t, http.StatusOK, status, answer)
	c.token = answer["access_token"].(string)
}

// mailToken waits for a mail and returns the token of its link.
func (c *client) mailToken(to string) string {
	c.t.Helper()
	status, answer := c.call(http.MethodGet, "/dev/inbox/messages?wait=30s&to="+url.QueryEscape(to), nil)
	require.Equal(c.t, http.StatusOK, status)
	items := answer["items"].([]any)
	require.NotEmpty(c.t, items, "no mail came")
	found := regexp.MustCompile(`token=([\w.~-]+)`).FindStringSubmatch(items[0].(map[string]any)["text"].(string))
	require.NotNil(c.t, found, items[0])
	return found[1]
}

// TestUp is one person's way from sign-up to a profile, through everything that a person starts with `atrium up`.
func TestUp(t *testing.T) {
	t.Parallel()
	mesh := start(t, local.Config{Ephemeral: true})
	defer stop(t, mesh)
	require.Contains(t, mesh.SetupURL, "token=", "there is a way to the first administrator")

	c := newClient(t, mesh)
	status, _ := c.call(http.MethodPost, "/api/v1/auth/register",
		map[string]string{"email": "Ada@example.com", "password": "seven green bicycles", "full_name": "Ada Lovelace"})
	require.Equal(t, http.StatusAccepted, status)
	status, _ = c.call(http.MethodPost, "/api/v1/auth/verify-email",
		map[string]string{"token": c.mailToken("ada@example.com"), "password": "seven green bicycles"})
	require.Equal(t, http.StatusNoContent, status)
	c.signIn("ada@example.com", "seven green bicycles")
	status, me := c.call(http.MethodGet, "/api/v1/users/me", nil)
	require.Equal(t, http.StatusOK, status)
	require.Equal(t, "Ada Lovelace", me["full_name"])

	for _, path := range []string{"/docs", "/redoc", "/dev/inbox", "/dev/traces"} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, mesh.Origin+path, nil)
		require.NoError(t, err)
		response, err := c.http.Do(request)
		require.NoError(t, err)
		require.NoError(t, response.Body.Close())
		require.Equal(t, http.StatusOK, response.StatusCode, path)
	}
	c.signUpIsOneTrace()
}

func (c *client) signUpIsOneTrace() {
	c.t.Helper()
	require.Eventually(c.t, func() bool {
		_, answer := c.call(http.MethodGet, "/dev/traces.json?q=auth/register", nil)
		for _, item := range answer["items"].([]any) {
			services := item.(map[string]any)["services"].([]any)
			if slices.Equal(services, []any{"auth", "gateway", "notifications", "users"}) {
				return true
			}
		}
		return false
	}, 30*time.Second, 100*time.Millisecond, "the sign-up is one trace through all services")
}

// TestASecondStart finds what the first one left.
func TestASecondStart(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	cfg := local.Config{Data: data, AdminEmail: adminEmail, AdminPassword: adminPassword}
	mesh := start(t, cfg)
	require.Empty(t, mesh.SetupURL, "there is an administrator")
	_, err := local.Start(t.Context(), local.Config{Listen: "127.0.0.1:0", Data: data, Terminal: io.Discard})
	var inUse *local.InUseError
	require.ErrorAs(t, err, &inUse)
	require.ErrorContains(t, err, mesh.Origin)
	running, done, err := local.Database(t.Context(), data, "auth")
	require.NoError(t, err)
	require.Contains(t, running, "atrium_auth", "the tools reach the databases of a running mesh")
	require.NoError(t, done(t.Context()))
	stop(t, mesh)

	mesh = start(t, local.Config{Data: data})
	defer stop(t, mesh)
	c := newClient(t, mesh)
	c.signIn(adminEmail, adminPassword)
	require.NoFileExists(t, filepath.Join(data, "demo"))
	fillDemo(t, mesh)
}

// fillDemo adds the demo twice: the second time there is nothing left to do.
func fillDemo(t *testing.T, mesh *local.Mesh) {
	t.Helper()
	password, err := mesh.Folder.Password("demo_people")
	require.NoError(t, err)
	cfg := demo.Config{
		Origin: mesh.Origin, AdminEmail: adminEmail, AdminPassword: adminPassword, Password: password,
		Marker: filepath.Join(mesh.Folder.Path, "demo"), Now: time.Now,
	}
	result, err := demo.Fill(t.Context(), cfg)
	require.NoError(t, err)
	require.Equal(t, 25, result.Made)
	require.Equal(t, 5, result.Sent)
	result, err = demo.Fill(t.Context(), cfg)
	require.NoError(t, err)
	require.True(t, result.Unchanged)

	admin := newClient(t, mesh)
	admin.signIn(adminEmail, adminPassword)
	for status, want := range map[string]float64{"active": 17, "pending": 5, "deactivated": 3, "deleted": 1} {
		_, page := admin.call(http.MethodGet, "/api/v1/users?status="+status, nil)
		require.InDelta(t, want, page["total"], 0, status)
	}
	ada := newClient(t, mesh)
	ada.signIn(result.SignInAs, password)
	require.Eventually(t, func() bool {
		_, page := ada.call(http.MethodGet, "/api/v1/notifications", nil)
		total, _ := page["total"].(float64)
		return total >= 3
	}, 30*time.Second, 100*time.Millisecond, "the demo's notifications arrive")
}
