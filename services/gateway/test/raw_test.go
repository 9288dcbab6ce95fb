package test

import (
	"bufio"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// line is a connection on which a test writes whatever it wants.
type line struct {
	t    testing.TB
	conn net.Conn
	in   *bufio.Reader
}

func dial(t testing.TB, url string) *line {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(url, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(30*time.Second)))
	return &line{t: t, conn: conn, in: bufio.NewReader(conn)}
}

// send writes lines, each ended as HTTP asks for.
func (l *line) send(lines ...string) {
	l.t.Helper()
	_, err := l.conn.Write([]byte(strings.Join(lines, "\r\n")))
	require.NoError(l.t, err)
}

// answer reads one response to a request with this method.
func (l *line) answer(method string) answer {
	l.t.Helper()
	resp, err := http.ReadResponse(l.in, &http.Request{Method: method})
	require.NoError(l.t, err)
	return read(l.t, resp)
}
