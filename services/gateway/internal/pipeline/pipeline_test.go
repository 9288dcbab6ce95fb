package pipeline_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/ratelimit"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
	"github.com/atrium-mesh/atrium/pkg/token"
	"github.com/atrium-mesh/atrium/pkg/token/tokentest"
	"github.com/atrium-mesh/atrium/services/gateway/internal/pipeline"
	"github.com/atrium-mesh/atrium/services/gateway/internal/routes"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// bundle is a pipeline behind a real server. Upstream is up to the test.
type bundle struct {
	*httptest.Server
	issuer *tokentest.Issuer
	logs   *log
}

type log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *log) Write(b []byte) (int, error) { l.mu.Lock(); defer l.mu.Unlock(); return l.buf.Write(b) }

func (l *log) String() string { l.mu.Lock(); defer l.mu.Unlock(); return l.buf.String() }

var write = op.Op[struct{}, struct{}]{
	Operation: huma.Operation{OperationID: "write", Method: http.MethodPost, Path: "/things/{id}", Summary: "Write", MaxBodyBytes: 10},
	Allow:     authz.SelfOr("id", "things:write"), Timeout: time.Millisecond,
}

func setup(t *testing.T, upstream http.HandlerFunc, change func(*pipeline.Config)) *bundle {
	t.Helper()
	b := &bundle{issuer: tokentest.NewIssuer(t), logs: &log{}}
	tel, marks := telemetry.Nop(), token.NewWatermarks(nil)
	c := pipeline.Config{
		Logger: slog.New(slog.NewTextHandler(b.logs, nil)), Tracer: tel.Tracer, Meter: tel.Meter, Propagator: tel.Propagator,
		Routes:   routes.New([]routes.Service{{Name: "things", Operations: []op.Declared{write}}}),
		Verifier: b.issuer.Verifier(marks), Watermarks: marks, Origin: "http://localhost:8080", MaxBody: 100, Upstream: upstream,
		Own: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { pipeline.Refuse(w, r, op.ErrNoRoute()) }),
	}
	if change != nil {
		change(&c)
	}
	p, err := pipeline.New(c)
	require.NoError(t, err)
	b.Server = httptest.NewServer(p)
	t.Cleanup(b.Close)
	return b
}

func (b *bundle) do(t *testing.T, path string, body io.Reader) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.URL+path, body)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+b.issuer.SignUser("ada"))
	resp, err := b.Client().Do(r)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, string(text)
}

func fine(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) }

func TestOneLogLine(t *testing.T) {
	t.Parallel()
	b := setup(t, fine, func(c *pipeline.Config) { c.LogClient = netip.Addr.String })
	status, _ := b.do(t, "/things/ada?q=secret", strings.NewReader("hunter2"))
	require.Equal(t, http.StatusNoContent, status)
	require.Eventually(t, func() bool { return strings.Contains(b.logs.String(), "\n") }, 10*time.Second, time.Millisecond)
	line := b.logs.String()
	require.Equal(t, 1, strings.Count(line, "\n"), line)
	for _, want := range []string{"level=INFO", "method=POST", "route=/things/{id}", "upstream=things", "status=204", "subject=ada", "request_id=", "client=127.0.0.1"} {
		require.Contains(t, line, want)
	}
	for _, not := range []string{"secret", "hunter2", "Bearer"} {
		require.NotContains(t, line, not)
	}
}

func TestLogLineWithoutTheClient(t *testing.T) {
	t.Parallel()
	b := setup(t, fine, func(c *pipeline.Config) { c.LogClient = func(netip.Addr) string { return "" } })
	b.do(t, "/things/ada", http.NoBody)
	require.Eventually(t, func() bool { return strings.Contains(b.logs.String(), "\n") }, 10*time.Second, time.Millisecond)
	require.NotContains(t, b.logs.String(), "client=")
	require.NotContains(t, b.logs.String(), "127.0.0.1")
}

func TestLogLineOfARefusal(t *testing.T) {
	t.Parallel()
	b := setup(t, fine, nil)
	status, _ := b.do(t, "/things/bob", http.NoBody)
	require.Equal(t, http.StatusForbidden, status)
	require.Eventually(t, func() bool { return strings.Contains(b.logs.String(), "code=permission_denied") }, 10*time.Second, time.Millisecond)
	require.NotContains(t, b.logs.String(), "level=ERROR", "what a client does wrong is no error of ours")
}

// away refuses as when the client left while it was asked.
type away struct{}

func (away) Allow(context.Context, string) (ratelimit.Decision, error) {
	return ratelimit.Decision{}, context.Canceled
}

func TestClientWhoLeftIsLoggedAs499(t *testing.T) {
	t.Parallel()
	b := setup(t, fine, func(c *pipeline.Config) {
		c.Limits = map[op.Limit]pipeline.Limit{op.LimitAPI: {Name: "api", Limit: ratelimit.Limit{Count: 1, Period: time.Minute}, Limiter: away{}}}
	})
	b.do(t, "/things/ada", http.NoBody)
	require.Eventually(t, func() bool { return strings.Contains(b.logs.String(), "status=499") }, 10*time.Second, time.Millisecond)
	require.NotContains(t, b.logs.String(), "level=ERROR")
}

func TestBodyThatComesTooSlowly(t *testing.T) {
	t.Parallel()
	b := setup(t, fine, func(c *pipeline.Config) { c.BodyTimeout = 50 * time.Millisecond })
	slow, end := io.Pipe()
	t.Cleanup(func() { _ = end.Close() })
	status, body := b.do(t, "/things/ada", io.MultiReader(strings.NewReader("x"), slow))
	require.Equal(t, http.StatusBadRequest, status)
	require.Contains(t, body, "body_incomplete")
}

// One who is refused before his body was read could go on sending it slowly for ever.
func TestBodyOfARefusedRequest(t *testing.T) {
	t.Parallel()
	b := setup(t, fine, func(c *pipeline.Config) { c.BodyTimeout = 50 * time.Millisecond })
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", b.Listener.Addr().String())
	require.NoError(t, err)
	defer func() { _ = conn.Close() }()
	require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = io.WriteString(conn, "POST /things/ada HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nslow")
	require.NoError(t, err)
	answer, err := io.ReadAll(conn) // until the gateway hangs up
	require.NoError(t, err)
	require.Contains(t, string(answer), "401 Unauthorized")
}

// The deadline of the body must not outlive it: net/http reads on, to notice when the client leaves.
func TestDeadlineOfTheBodyEndsWithIt(t *testing.T) {
	t.Parallel()
	b := setup(t, func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
			w.WriteHeader(http.StatusTeapot)
		case <-time.After(150 * time.Millisecond):
			w.WriteHeader(http.StatusNoContent)
		}
	}, func(c *pipeline.Config) { c.BodyTimeout = 50 * time.Millisecond })
	status, _ := b.do(t, "/things/ada", strings.NewReader("x"))
	require.Equal(t, http.StatusNoContent, status)
}

func TestOperationsOwnBodyLimit(t *testing.T) {
	t.Parallel()
	b := setup(t, fine, nil)
	status, _ := b.do(t, "/things/ada", strings.NewReader(strings.Repeat("x", 10)))
	require.Equal(t, http.StatusNoContent, status)
	status, body := b.do(t, "/things/ada", strings.NewReader(strings.Repeat("x", 11)))
	require.Equal(t, http.StatusRequestEntityTooLarge, status)
	require.Contains(t, body, "body_too_large")
}

// A body can be read again for a second attempt.
func TestBodyCanBeSentAgain(t *testing.T) {
	t.Parallel()
	b := setup(t, func(w http.ResponseWriter, r *http.Request) {
		first, err := io.ReadAll(r.Body)
		again, err2 := r.GetBody()
		second, err3 := io.ReadAll(again)
		if errors.Join(err, err2, err3) != nil || string(first) != "hello" || string(second) != "hello" || r.ContentLength != 5 {
			w.WriteHeader(http.StatusTeapot)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	}, nil)
	status, _ := b.do(t, "/things/ada", io.MultiReader(strings.NewReader("hel"), strings.NewReader("lo")))
	require.Equal(t, http.StatusNoContent, status)
}

// A client who does not read his answer must not hold the request for ever.
func TestClientWhoReadsTooSlowly(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	b := setup(t, func(w http.ResponseWriter, _ *http.Request) {
		var err error
		for err == nil {
			_, err = w.Write(make([]byte, 64<<10))
		}
		ended <- err
	}, func(c *pipeline.Config) { c.AnswerTimeout = 100 * time.Millisecond })
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.URL+"/things/ada", http.NoBody)
	require.NoError(t, err)
	r.Header.Set("Authorization", "Bearer "+b.issuer.SignUser("ada"))
	resp, err := b.Client().Do(r)
	require.NoError(t, err)
	defer func() { _ = resp.Body.Close() }()
	select {
	case err := <-ended:
		require.Error(t, err)
	case <-time.After(10 * time.Second):
		require.Fail(t, "the answer is still being written")
	}
}

func TestPanicIsOneErrorLine(t *testing.T) {
	t.Parallel()
	b := setup(t, func(http.ResponseWriter, *http.Request) { panic("oh no") }, nil)
	status, body := b.do(t, "/things/ada", http.NoBody)
	require.Equal(t, http.StatusInternalServerError, status)
	require.NotContains(t, body, "oh no")
	require.Contains(t, body, `"code":"internal"`)
	require.Eventually(t, func() bool { return strings.Contains(b.logs.String(), "panic: oh no") }, 10*time.Second, time.Millisecond)
	require.Contains(t, b.logs.String(), "level=ERROR")
	require.Contains(t, b.logs.String(), "status=500")
}

func TestOriginsMustBeOrigins(t *testing.T) {
	t.Parallel()
	tel := telemetry.Nop()
	_, err := pipeline.New(pipeline.Config{Tracer: tel.Tracer, Meter: tel.Meter, Origin: "nonsense"})
	require.ErrorContains(t, err, "nonsense")
}

func TestRefuse(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(pipeline.WithExchange(t.Context(), &pipeline.Exchange{RequestID: "r-1"}), http.MethodGet, "/", http.NoBody)
	pipeline.Refuse(w, r, errs.New(errs.Conflict, "taken", "It is taken."))
	require.Equal(t, http.StatusConflict, w.Code)
	require.Contains(t, w.Body.String(), `"request_id":"r-1"`)
}
