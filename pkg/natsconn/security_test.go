package natsconn_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/natsconn"
	"github.com/atrium-mesh/atrium/pkg/natstest"
	"github.com/atrium-mesh/atrium/pkg/tlsfile/tlsfiletest"
)

const password = "s3cret-of-nats"

// user may publish and subscribe to these subjects, as those of an installed mesh may.
func user(name, secret string, publish, subscribe []string) *server.User {
	return &server.User{Username: name, Password: secret, Permissions: &server.Permissions{
		Publish: &server.SubjectPermission{Allow: publish}, Subscribe: &server.SubjectPermission{Allow: subscribe},
		Response: &server.ResponsePermission{MaxMsgs: server.DEFAULT_ALLOW_RESPONSE_MAX_MSGS, Expires: server.DEFAULT_ALLOW_RESPONSE_EXPIRATION},
	}}
}

func secure(t *testing.T, cert, key string) func(*server.Options) {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(cert, key)
	require.NoError(t, err)
	return func(o *server.Options) {
		o.TLSConfig, o.TLSTimeout = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}, 5
	}
}

func tlsURL(s *natstest.Server) string { return strings.Replace(s.URL(), "nats://", "tls://", 1) }

// Services sign in with their own names over TLS, and each can do its own work and read no other's answers.
func TestUsers(t *testing.T) {
	t.Parallel()
	cert, key := tlsfiletest.Write(t, t.TempDir())
	withTLS := secure(t, cert, key)
	s := natstest.StartServerWith(t, func(o *server.Options) {
		withTLS(o)
		o.Users = []*server.User{
			user("users", password, []string{
				"rpc.auth.get", "events.users.>", "$JS.API.STREAM.CREATE.USERS", "$JS.API.STREAM.UPDATE.USERS", "$JS.API.STREAM.INFO.USERS",
			}, []string{"_INBOX_users.>"}),
			user("auth", password, []string{
				"$JS.API.CONSUMER.CREATE.USERS.auth", "$JS.API.CONSUMER.CREATE.USERS.auth.>", "$JS.API.CONSUMER.MSG.NEXT.USERS.auth",
				"$JS.ACK.USERS.auth.>",
			}, []string{"_INBOX_auth.>", "rpc.auth.> auth"}),
		}
	})
	connect := func(name string) (*nats.Conn, *logBuffer) {
		log := new(logBuffer)
		c := openWith(t, natsconn.Config{URL: tlsURL(s), Username: name, Password: password, CAFile: cert}, name, log)
		require.Eventually(t, c.IsConnected, 10*time.Second, 5*time.Millisecond, log)
		state, err := c.TLSConnectionState()
		require.NoError(t, err)
		require.EqualValues(t, tls.VersionTLS13, state.Version)
		return c.Conn, log
	}
	users, usersLog := connect("users")
	auth, authLog := connect("auth")

	_, err := auth.QueueSubscribe("rpc.auth.get", "auth", func(m *nats.Msg) { _ = m.Respond([]byte("answer")) })
	require.NoError(t, err)
	require.NoError(t, auth.Flush())
	answer, err := users.Request("rpc.auth.get", nil, 5*time.Second)
	require.NoError(t, err)
	require.Equal(t, "answer", string(answer.Data))

	_, err = natsconn.EnsureStream(t.Context(), jetStream(t, users), natsconn.StreamConfig{Name: "USERS", Subjects: []string{"events.users.>"}})
	require.NoError(t, err)
	_, err = jetStream(t, users).Publish(t.Context(), "events.users.changed", []byte("event"))
	require.NoError(t, err)
	consumer, err := jetStream(t, auth).CreateOrUpdateConsumer(t.Context(), "USERS", jetstream.ConsumerConfig{
		Durable: "auth", FilterSubjects: []string{"events.users.changed"}, AckPolicy: jetstream.AckExplicitPolicy,
	})
	require.NoError(t, err)
	msg, err := consumer.Next(jetstream.FetchMaxWait(5 * time.Second))
	require.NoError(t, err)
	require.Equal(t, "event", string(msg.Data()))
	require.NoError(t, msg.DoubleAck(t.Context()))
	require.Empty(t, usersLog.warning(""))
	require.Empty(t, authLog.warning(""))

	_, err = auth.SubscribeSync("_INBOX_users.>")
	require.NoError(t, err, "the server says no later")
	require.Eventually(t, func() bool { return authLog.warning("Permissions Violation") != "" }, 10*time.Second, 5*time.Millisecond)
	require.Contains(t, authLog.warning("Permissions Violation"), "_INBOX_users.>")
	require.NotContains(t, usersLog.String()+authLog.String(), password)
}

// What keeps a service from NATS is said in words, and mended without a restart.
func TestTrouble(t *testing.T) {
	t.Parallel()
	cert, key := tlsfiletest.Write(t, t.TempDir())
	stranger, _ := tlsfiletest.Write(t, t.TempDir())
	withTLS := secure(t, cert, key)
	onServer := "another"
	s := natstest.StartServerWith(t, func(o *server.Options) {
		withTLS(o)
		o.Users = []*server.User{{Username: "users", Password: onServer}}
	})
	plain := natstest.StartServer(t)
	gone := natstest.StartServer(t)
	gone.Stop()

	wrong := new(logBuffer)
	mended := openWith(t, natsconn.Config{URL: tlsURL(s), Username: "users", Password: password, CAFile: cert}, "users", wrong)
	for want, cfg := range map[string]natsconn.Config{
		"it refuses this user or password (NATS_USERNAME, NATS_PASSWORD, NATS_CREDS_FILE)":     {URL: tlsURL(s), CAFile: cert, Username: "nobody", Password: password},
		"its certificate is not vouched for (NATS_CA_FILE), or is for another name (NATS_URL)": {URL: tlsURL(s), CAFile: stranger, Username: "users", Password: password},
		"it does not offer TLS, which NATS_URL or NATS_CA_FILE asks for":                       {URL: tlsURL(plain), CAFile: cert},
		"it refuses the connection: nobody listens there":                                      {URL: "nats://users:" + password + "@" + strings.TrimPrefix(gone.URL(), "nats://")},
		"there is no such host (NATS_URL)":                                                     {URL: "nats://nats.invalid:4222", Username: "users", Password: password},
	} {
		log := new(logBuffer)
		openWith(t, cfg, "users", log)
		require.Eventually(t, func() bool { return log.warning(want) != "" }, 20*time.Second, 5*time.Millisecond, "%s: %s", want, log)
		require.NotContains(t, log.String(), password)
	}
	require.Eventually(t, func() bool { return wrong.warning("it refuses this user or password") != "" }, 20*time.Second, 5*time.Millisecond)
	s.Stop()
	onServer = password
	s.Start()
	require.Eventually(t, mended.IsConnected, 20*time.Second, 5*time.Millisecond)
}

func openWith(t *testing.T, cfg natsconn.Config, name string, log *logBuffer) *natsconn.Conn {
	t.Helper()
	c, err := natsconn.Open(cfg, name, slog.New(slog.NewTextHandler(log, nil)))
	require.NoError(t, err)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Second)
		defer cancel()
		require.NoError(t, c.Stop(ctx))
	})
	return c
}

// logBuffer is a log that a test reads while it is written.
type logBuffer struct {
	mu    sync.Mutex
	lines bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.Write(p)
}

// String is the log.
func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.String()
}

// warning is the first line at WARN that says this.
func (l *logBuffer) warning(what string) string {
	for line := range strings.Lines(l.String()) {
		if strings.Contains(line, "level=WARN") && strings.Contains(line, what) {
			return line
		}
	}
	return ""
}
