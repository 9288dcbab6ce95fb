package local

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
)

func TestOrigin(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		host string
		port int
		want string
	}{
		{"localhost", 8080, "http://localhost:8080"},
		{"", 8080, "http://localhost:8080"},
		{"0.0.0.0", 80, "http://localhost"},
		{"127.0.0.1", 9090, "http://127.0.0.1:9090"},
		{"::1", 80, "http://[::1]"},
		{"::1", 81, "http://[::1]:81"},
	} {
		require.Equal(t, c.want, origin(c.host, c.port))
	}
}

func TestListen(t *testing.T) {
	t.Parallel()
	a, err := parseListen(t.Context(), "127.0.0.1:0")
	require.NoError(t, err)
	require.NotZero(t, a.Port, "a free port is found")
	require.True(t, a.Loopback())

	var listen net.ListenConfig
	taken, err := listen.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { require.NoError(t, taken.Close()) }()
	_, err = parseListen(t.Context(), taken.Addr().String())
	require.ErrorContains(t, err, "is taken")
	require.ErrorContains(t, err, "--listen")
	for _, wrong := range []string{"localhost:http-alt", "localhost:70000", "a:b:c"} {
		require.ErrorContains(t, CheckListen(t.Context(), wrong), "--listen", wrong)
	}
}

func TestEnvironment(t *testing.T) {
	t.Parallel()
	e := environment{
		process: config.Source{"RATE_LIMIT_API": "off", "DATABASE_URL": "somebody's", "SECRET_KEY_FILE": "/somewhere", "LOG_LEVEL": "error", "SMTP_PASSWORD": "x"},
		origin:  "http://localhost:8080", secret: "s", databases: map[string]string{"users": "postgres://users"}, level: "INFO", smtpPort: 2525,
	}
	users := e.users("http://127.0.0.1:1")
	require.Equal(t, "off", users["RATE_LIMIT_API"], "what the person has set reaches the services")
	require.Equal(t, "postgres://users", users["DATABASE_URL"], "what local mode decides wins")
	require.Equal(t, "INFO", users["LOG_LEVEL"])
	require.NotContains(t, users, "SECRET_KEY_FILE")
	require.Equal(t, "http://127.0.0.1:1/.well-known/jwks.json", users["JWKS_URL"])
	for _, mail := range []config.Source{e.notifications("http://127.0.0.1:1"), e.auth("", "")} {
		require.NotContains(t, mail, "SMTP_PASSWORD", "no mail leaves this machine")
		require.Equal(t, "smtp://127.0.0.1:2525?tls=none", mail["SMTP_URL"])
	}
	require.Equal(t, "somebody's", e.process["DATABASE_URL"], "the process's environment stays as it is")
}

func TestNATSKeepsItsStreams(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for round := range 2 {
		s, url, err := startNATS(t.Context(), dir, "secret", slog.New(slog.DiscardHandler))
		require.NoError(t, err)
		conn, err := nats.Connect(url)
		require.NoError(t, err)
		js, err := jetstream.New(conn)
		require.NoError(t, err)
		_, err = js.CreateOrUpdateStream(t.Context(), jetstream.StreamConfig{Name: "KEPT", Subjects: []string{"kept"}})
		require.NoError(t, err)
		ack, err := js.Publish(t.Context(), "kept", nil)
		require.NoError(t, err)
		require.EqualValues(t, round+1, ack.Sequence)
		_, err = nats.Connect("nats://" + s.Addr().String())
		require.ErrorIs(t, err, nats.ErrAuthorization, "other people of this machine stay out")
		conn.Close()
		stopNATS(s)
	}
}

func TestLogShowsWarningsAndStartsAnew(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var terminal bytes.Buffer
	l, err := openLog(dir, &terminal, slog.LevelWarn)
	require.NoError(t, err)
	logger := slog.New(slog.NewJSONHandler(l, nil)).With("service", "users")
	logger.WarnContext(t.Context(), "not yet there")
	require.Empty(t, terminal.String(), "what is missed during the start is no news")
	l.tellHeld()
	require.Contains(t, terminal.String(), "not yet there")
	l.hold(false)
	logger.InfoContext(t.Context(), "all is well")
	logger.WarnContext(t.Context(), "the disk is slow", "took", "3s")
	require.NotContains(t, terminal.String(), "all is well")
	require.Contains(t, terminal.String(), "WARN  users: the disk is slow took=3s")

	l.size = maxLog
	logger.InfoContext(context.Background(), "after the turn") //nolint:usetesting // any context will do
	require.NoError(t, l.Close())
	logger.InfoContext(t.Context(), "after the end")
	old, err := os.ReadFile(filepath.Join(dir, "atrium.log.1"))
	require.NoError(t, err)
	require.Equal(t, 3, strings.Count(string(old), "\n"))
	current, err := os.ReadFile(filepath.Join(dir, "atrium.log"))
	require.NoError(t, err)
	require.Contains(t, string(current), "after the turn")
	require.NotContains(t, string(current), "after the end")
}
