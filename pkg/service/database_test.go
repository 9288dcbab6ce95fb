package service_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/pglocal"
	"github.com/atrium-mesh/atrium/pkg/pgtest"
	"github.com/atrium-mesh/atrium/pkg/service"
	"github.com/atrium-mesh/atrium/pkg/service/servicetest"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
	"github.com/atrium-mesh/atrium/pkg/tlsfile/tlsfiletest"
	"github.com/atrium-mesh/atrium/pkg/token/tokentest"
)

// logBuffer is a log that a test reads while it is written.
type logBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// warning is the first line at WARN that says this.
func (l *logBuffer) warning(what string) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.text.String()) {
		if strings.Contains(line, "level=WARN") && strings.Contains(line, what) {
			return line
		}
	}
	return ""
}

// What keeps a service from its database is in the log soon, in words, and without the password.
func TestDatabaseTrouble(t *testing.T) {
	t.Parallel()
	const password = "s3cret-of-the-database"
	server, closed := startDatabase(t), freeAddress(t)
	dir, other := t.TempDir(), t.TempDir()
	cert, key := tlsfiletest.Write(t, dir)
	stranger, _ := tlsfiletest.Write(t, other)
	secure := startTLSOnly(t, cert, key)
	_, port, err := net.SplitHostPort(secure)
	require.NoError(t, err)

	for name, tc := range map[string]struct{ url, want string }{
		"wrong password":          {url: "postgres@" + server + "/postgres", want: "it refuses this user or password (DATABASE_URL)"},
		"no such user":            {url: "nobody@" + server + "/postgres", want: "it refuses this user or password (DATABASE_URL)"},
		"no such host":            {url: "postgres@database.invalid:5432/postgres", want: "there is no such host (DATABASE_URL)"},
		"nobody listens":          {url: "postgres@" + closed + "/postgres", want: "it refuses the connection: nobody listens there (DATABASE_URL)"},
		"no such database":        {url: "guest@" + server + "/nothing", want: "there is no such database (DATABASE_URL)"},
		"may not make tables":     {url: "guest@" + server + "/postgres", want: "this user is not permitted to do that"},
		"without TLS":             {url: "postgres@" + server + "/postgres?sslmode=verify-full&sslrootcert=" + cert, want: "it does not offer TLS, which sslmode in DATABASE_URL asks for"},
		"an unknown authority":    {url: "postgres@" + secure + "/postgres?sslmode=verify-full&sslrootcert=" + stranger, want: "its certificate is not vouched for (sslrootcert in DATABASE_URL)"},
		"certificate of somebody": {url: "postgres@127.0.0.2:" + port + "/postgres?sslmode=verify-full&sslrootcert=" + cert, want: "its certificate is for another name than that in DATABASE_URL"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			user, rest, _ := strings.Cut(tc.url, "@")
			log := runWith(t, "postgres://"+user+":"+password+"@"+rest)
			require.Eventually(t, func() bool { return log.warning(`reason="`+tc.want+`"`) != "" }, time.Minute, tick, log)
			line := log.warning(tc.want)
			require.Contains(t, line, `msg="cannot bring the database up to date; trying again"`)
			require.Contains(t, line, "error=", "the whole of it is there too")
			log.mu.Lock()
			defer log.mu.Unlock()
			require.NotContains(t, log.text.String(), password)
		})
	}
}

// startDatabase is the address of a server that asks for passwords; guest's is "s3cret-of-the-database", and guest may make no tables.
func startDatabase(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "atrium-pg-") //nolint:usetesting // a socket's address must be short
	require.NoError(t, err)
	addr := freeAddress(t)
	var port int
	_, err = fmt.Sscanf(addr, "127.0.0.1:%d", &port)
	require.NoError(t, err)
	server, err := pglocal.Start(t.Context(), pglocal.Options{Dir: dir, Port: port, Volatile: true, Ephemeral: true})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Kill()) })
	pool := pgtest.Open(t, server.URL("postgres"))
	_, err = pool.Exec(t.Context(), "CREATE ROLE guest LOGIN PASSWORD 's3cret-of-the-database'; REVOKE CREATE ON SCHEMA public FROM public")
	require.NoError(t, err)
	return addr
}

func freeAddress(t *testing.T) string {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// startTLSOnly answers as PostgreSQL does up to the TLS handshake, which is as far as its clients here come.
func startTLSOnly(t *testing.T, cert, key string) (addr string) {
	t.Helper()
	pair, err := tls.LoadX509KeyPair(cert, key)
	require.NoError(t, err)
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "0.0.0.0:0")
	require.NoError(t, err)
	var wg sync.WaitGroup
	t.Cleanup(func() { _ = l.Close(); wg.Wait() })
	wg.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(waitFor))
				if _, err := io.ReadFull(conn, make([]byte, 8)); err != nil { // SSLRequest
					return
				}
				_, _ = conn.Write([]byte("S"))
				secure := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12})
				_ = secure.HandshakeContext(context.WithoutCancel(t.Context()))
			})
		}
	})
	_, port, err := net.SplitHostPort(l.Addr().String())
	require.NoError(t, err)
	return net.JoinHostPort("127.0.0.1", port)
}

// runWith runs the service on a database as its program does, and returns its log.
func runWith(t *testing.T, databaseURL string) *logBuffer {
	t.Helper()
	issuer := tokentest.NewIssuer(t)
	log := new(logBuffer)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		ended <- service.Run(ctx, visits(), config.Source{
			"HTTP_ADDR": "127.0.0.1:0", "ADMIN_ADDR": "127.0.0.1:0", "DATABASE_URL": databaseURL, "NATS_URL": "nats://127.0.0.1:1",
			"ISSUER": issuer.URL, "JWKS_URL": issuer.JWKSURL, "SECRET_KEY": servicetest.SecretKey, "LOG_FORMAT": "text",
		}, telemetry.WithLogOutput(log))
	}()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	return log
}
