package op_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/op"
)

// TestWhatTwoReadersWouldReadDifferently sends requests that net/http's client does not make, as bytes.
func TestWhatTwoReadersWouldReadDifferently(t *testing.T) {
	t.Parallel()
	b := setup(t, echo)
	const (
		rich  = `{"name":"lamp"}`
		type1 = "Content-Type: application/json\r\n"
		id    = "/api/v1/riches/" + ada
		mine  = "GET /api/v1/things/mine"
		auth  = "Authorization: Bearer " + ada + "\r\n"
	)
	for name, c := range map[string]struct {
		line, header, body string
		status             int
		text               string // in the answer
	}{
		"content type in capitals":        {"PUT " + id, "Content-Type: Application/JSON; Charset=UTF-8\r\n", rich, 200, ""},
		"no content type":                 {"PUT " + id, "", rich, 415, "unsupported_content_type"},
		"empty content type":              {"PUT " + id, "Content-Type: \r\n", rich, 415, "unsupported_content_type"},
		"content type twice":              {"PUT " + id, type1 + "Content-Type: text/plain\r\n", rich, 400, "malformed_header"},
		"charset twice":                   {"PUT " + id, "Content-Type: application/json; charset=utf-8; charset=latin1\r\n", rich, 415, ""},
		"compressed":                      {"PUT " + id, type1 + "Content-Encoding: gzip\r\n", rich, 415, ""},
		"no body":                         {"PUT " + id, type1, "", 400, "The body is missing"},
		"no body and no type":             {"PUT " + id, "", "", 400, "The body is missing"},
		"semicolon in the query":          {"PUT " + id + "?page=1;", type1, rich, 400, "malformed_url"},
		"bad escape in the query":         {"PUT " + id + "?page=%zz", type1, rich, 400, "malformed_url"},
		"half an escape in the query":     {"PUT " + id + "?page=%", type1, rich, 400, "malformed_url"},
		"address that is too long":        {"PUT " + id + "?page=" + strings.Repeat("1", op.MaxURL), type1, rich, 400, "url_too_long"},
		"parameter twice":                 {"PUT " + id + "?page=1&page=2", type1, rich, 422, `"query.page","code":"repeated"`},
		"parameter twice, the same":       {"PUT " + id + "?page=1&page=1", type1, rich, 422, `"query.page","code":"repeated"`},
		"empty number":                    {"PUT " + id + "?page=", type1, rich, 422, `"query.page","code":"type"`},
		"parameter in capitals":           {"PUT " + id + "?PAGE=1", type1, rich, 422, `"query.PAGE","code":"unknown_field"`},
		"parameter without a name":        {"PUT " + id + "?=1", type1, rich, 422, "unknown_field"},
		"id in braces":                    {"PUT /api/v1/riches/%7B" + ada + "%7D", type1, rich, 422, `"path.id","code":"format"`},
		"two tokens":                      {mine, auth + "Authorization: Bearer " + bob + "\r\n", "", 400, "malformed_header"},
		"If-Match twice":                  {mine, auth + "If-Match: \"1\"\r\nIf-Match: \"2\"\r\n", "", 400, "malformed_header"},
		"what the client accepts is ours": {mine, auth + "Accept: application/x-www-form-urlencoded\r\n", "", 200, `"name":"mine"`},
		"form with a semicolon":           {"POST /api/v1/form", "Content-Type: application/x-www-form-urlencoded\r\n", "username=a;b", 400, "malformed_body"},
		"form with a bad escape":          {"POST /api/v1/form", "Content-Type: application/x-www-form-urlencoded\r\n", "username=%zz", 400, "malformed_body"},
		"form with NUL":                   {"POST /api/v1/form", "Content-Type: application/x-www-form-urlencoded\r\n", "username=%00", 400, "malformed_body"},
		"form that is not UTF-8":          {"POST /api/v1/form", "Content-Type: application/x-www-form-urlencoded\r\n", "username=%ff", 400, "malformed_body"},
		"form with a member in capitals":  {"POST /api/v1/form", "Content-Type: application/x-www-form-urlencoded\r\n", "Username=a", 422, `"body.username","code":"required"`},
		"JSON where a form is declared":   {"POST /api/v1/form", type1, `{"username":"a"}`, 415, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, contentType, answer := b.raw(t, c.line, c.header, c.body)
			require.Equal(t, c.status, status, answer)
			require.Contains(t, answer, c.text)
			require.Contains(t, contentType, "json")
		})
	}
}

func TestBodyThatBreaksOffIsTheClientsMistake(t *testing.T) {
	t.Parallel()
	b := setup(t, echo)
	const chunked = "Transfer-Encoding: chunked\r\nContent-Type: application/json\r\n"
	status, _, answer := b.sendBytes(t, "PUT /api/v1/riches/"+ada+" HTTP/1.1\r\nHost: x\r\n"+chunked+"\r\n5\r\n{\"nam\r\nzz\r\n")
	require.Equal(t, http.StatusBadRequest, status, answer)
	require.Contains(t, answer, "malformed_body")
}

func (b *bundle) raw(t *testing.T, line, header, body string) (int, string, string) {
	t.Helper()
	if body != "" {
		header += "Content-Length: " + strconv.Itoa(len(body)) + "\r\n"
	}
	return b.sendBytes(t, line+" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"+header+"\r\n"+body)
}

func (b *bundle) sendBytes(t *testing.T, request string) (int, string, string) {
	t.Helper()
	dialer := net.Dialer{Timeout: 5 * time.Second}
	conn, err := dialer.DialContext(t.Context(), "tcp", strings.TrimPrefix(b.url, "http://"))
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	_, err = io.WriteString(conn, request)
	require.NoError(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	require.NoError(t, err)
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	return resp.StatusCode, resp.Header.Get("Content-Type"), string(answer)
}
