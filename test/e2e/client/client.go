package client

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Door says where a mesh is.
type Door struct {
	Gateway string         // origin
	Inbox   string         // origin of /dev/inbox
	Roots   *x509.CertPool // who vouches for an https gateway; nil: whom the system trusts
}

const timeout = 30 * time.Second

// Client is one device at the gateway. The zero token is nobody's. Copies share connections, and cookies where there are any.
type Client struct {
	Door
	Agent   string // User-Agent; "" is Go's
	Access  string // the bearer token that is sent, unless it is ""
	Refresh string

	t      testing.TB
	http   *http.Client
	issuer string // where links lead to
}

// New makes a client without tokens. Redirects are not followed.
func New(t testing.TB, door Door) *Client {
	t.Helper()
	transport := &http.Transport{MaxIdleConnsPerHost: 16, TLSClientConfig: &tls.Config{RootCAs: door.Roots, MinVersion: tls.VersionTLS12}}
	t.Cleanup(transport.CloseIdleConnections)
	return &Client{Door: door, t: t, issuer: door.Gateway, http: &http.Client{
		Transport: transport, Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// For is the same client in another (sub)test, whose failures it reports.
func (c *Client) For(t testing.TB) *Client {
	other := *c
	other.t = t
	return &other
}

// At is the same client with the same tokens at another gateway.
func (c *Client) At(origin string) *Client {
	other := *c
	other.Gateway = origin
	return &other
}

// Device is another device: the same door, no tokens, with a User-Agent of its own.
func (c *Client) Device(agent string) *Client {
	other := *c
	other.Access, other.Refresh, other.Agent = "", "", agent
	return &other
}

// WithToken is the same client with another token; "" is none.
func (c *Client) WithToken(token string) *Client {
	other := *c
	other.Access = token
	return &other
}

// Browser is another device that keeps cookies as a browser does. The gateways of the tests have no TLS, so the jar is told that they
// have: browsers, too, take Secure cookies from localhost.
func (c *Client) Browser(agent string) *Client {
	c.t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(c.t, err)
	other := c.Device(agent)
	client := *c.http
	client.Jar = secureJar{jar}
	other.http = &client
	return other
}

// Request is what is sent. Body is encoded as JSON, unless Raw is given.
type Request struct {
	Method, Path string // the path with its query
	Header       http.Header
	Body         any
	Raw          []byte
	ContentType  string // "": application/json when there is a body
	Chunked      bool   // send Raw without saying how long it is
}

// Answer is what came back, read whole.
type Answer struct {
	Status int
	Header http.Header
	Body   []byte

	t       testing.TB
	request string
}

// Try sends a request and returns an error only when there was no answer.
func (c *Client) Try(ctx context.Context, r Request) (*Answer, error) {
	request, err := c.request(ctx, r)
	if err != nil {
		return nil, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	answer := &Answer{Status: response.StatusCode, Header: response.Header, Body: body, t: c.t, request: r.Method + " " + r.Path}
	if leak := leaks(body); response.StatusCode >= http.StatusBadRequest && leak != "" {
		c.t.Errorf("%s: the answer holds %q, which is no client's business: %s", answer.request, leak, body)
	}
	return answer, nil
}

func (c *Client) request(ctx context.Context, r Request) (*http.Request, error) {
	raw := r.Raw
	if r.Body != nil {
		var err error
		if raw, err = json.Marshal(r.Body); err != nil {
			return nil, err
		}
	}
	var body io.Reader = http.NoBody
	if raw != nil {
		body = bytes.NewReader(raw)
	}
	if r.Chunked {
		body = io.MultiReader(body) // of unknown length
	}
	request, err := http.NewRequestWithContext(ctx, r.Method, c.Gateway+r.Path, body)
	if err != nil {
		return nil, err
	}
	if raw != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if r.ContentType != "" {
		request.Header.Set("Content-Type", r.ContentType)
	}
	if c.Agent != "" {
		request.Header.Set("User-Agent", c.Agent)
	}
	if c.Access != "" {
		request.Header.Set("Authorization", "Bearer "+c.Access)
	}
	maps.Copy(request.Header, r.Header)
	return request, nil
}

// Do sends a request and fails the test when there is no answer.
func (c *Client) Do(r Request) *Answer {
	c.t.Helper()
	answer, err := c.Try(context.WithoutCancel(c.t.Context()), r) // also for cleanups
	require.NoError(c.t, err, "%s %s", r.Method, r.Path)
	return answer
}

// Get has no body.
func (c *Client) Get(path string) *Answer {
	c.t.Helper()
	return c.Do(Request{Method: http.MethodGet, Path: path})
}

// Post sends body as JSON; nil sends none.
func (c *Client) Post(path string, body any) *Answer {
	c.t.Helper()
	return c.Do(Request{Method: http.MethodPost, Path: path, Body: body})
}

// Put sends body as JSON.
func (c *Client) Put(path string, body any) *Answer {
	c.t.Helper()
	return c.Do(Request{Method: http.MethodPut, Path: path, Body: body})
}

// Patch sends body as JSON, on condition that the version is still etag unless that is "".
func (c *Client) Patch(path, etag string, body any) *Answer {
	c.t.Helper()
	header := http.Header{}
	if etag != "" {
		header.Set("If-Match", etag)
	}
	return c.Do(Request{Method: http.MethodPatch, Path: path, Header: header, Body: body})
}

// Delete has no body.
func (c *Client) Delete(path string) *Answer {
	c.t.Helper()
	return c.Do(Request{Method: http.MethodDelete, Path: path})
}

// inside are words of drivers, runtimes and machines. None of them is ever in an error answer.
var inside = []string{"SQLSTATE", "pgx", "pgconn", "postgres", "panic", "goroutine", ".go:", "dial tcp", "connection refused", "nats:", "no responders", "127.0.0.1"}

func leaks(body []byte) string {
	for _, word := range inside {
		if bytes.Contains(bytes.ToLower(body), []byte(strings.ToLower(word))) {
			return word
		}
	}
	return ""
}

func (a *Answer) String() string { return fmt.Sprintf("%s: %d %s", a.request, a.Status, a.Body) }
