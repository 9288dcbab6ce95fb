package inbox_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"github.com/wneessen/go-mail"
	"go.uber.org/goleak"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/inbox"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type bundle struct {
	dir    string
	store  *inbox.Store
	server *inbox.Server
	url    string
	client *http.Client
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{dir: t.TempDir()}
	var err error
	b.store, err = inbox.Open(b.dir, time.Now)
	require.NoError(t, err)
	b.server, err = inbox.Listen(t.Context(), "127.0.0.1:0", b.store, slog.New(slog.DiscardHandler))
	require.NoError(t, err)
	require.NoError(t, b.server.Start(t.Context()))
	handler, err := inbox.NewHandler(b.store)
	require.NoError(t, err)
	mux := http.NewServeMux()
	handler.Register(mux)
	web := httptest.NewServer(mux)
	b.url, b.client = web.URL, web.Client()
	t.Cleanup(func() {
		require.NoError(t, b.server.Stop(context.Background())) //nolint:usetesting // t.Context is done in a cleanup
		require.NoError(t, b.store.Close())
		web.Close()
	})
	return b
}

func (b *bundle) send(t *testing.T, messageID, html string, to ...string) {
	t.Helper()
	m := mail.NewMsg()
	require.NoError(t, m.FromFormat("Atrium", "no-reply@atrium.example"))
	require.NoError(t, m.To(to...))
	m.Subject("Grüße: verify your address")
	m.SetMessageIDWithValue(messageID)
	m.SetBodyString(mail.TypeTextPlain, "Hello,\nopen http://localhost:8080/verify?token=s3cret.\n")
	m.AddAlternativeString(mail.TypeTextHTML, html)
	client, err := mail.NewClient("127.0.0.1", mail.WithPort(b.server.Port()), mail.WithTLSPolicy(mail.NoTLS))
	require.NoError(t, err)
	require.NoError(t, client.DialAndSendWithContext(t.Context(), m))
}

func (b *bundle) get(t *testing.T, path string) (*http.Response, string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, b.url+path, nil)
	require.NoError(t, err)
	response, err := b.client.Do(request)
	require.NoError(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return response, string(body)
}

func (b *bundle) list(t *testing.T, query string) []inbox.Message {
	t.Helper()
	response, body := b.get(t, "/dev/inbox/messages?"+query)
	require.Equal(t, http.StatusOK, response.StatusCode, body)
	var list struct{ Items []inbox.Message }
	require.NoError(t, json.Unmarshal([]byte(body), &list))
	require.NotNil(t, list.Items)
	return list.Items
}

func TestMailIsReceivedAndRead(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.send(t, "one@atrium.example", "<p>Hello</p>", "Ada@Example.com", "bob@example.com")

	items := b.list(t, "to=ada@example.COM&wait=5s")
	require.Len(t, items, 1)
	m := items[0]
	require.Equal(t, "Ada@Example.com", m.To)
	require.Equal(t, "no-reply@atrium.example", m.From)
	require.Equal(t, "Atrium", m.FromName)
	require.Equal(t, "Grüße: verify your address", m.Subject)
	require.Equal(t, "one@atrium.example", m.MessageID)
	require.Equal(t, "Hello,\nopen http://localhost:8080/verify?token=s3cret.\n", m.Text)
	require.Contains(t, m.HTML, "<p>Hello</p>")
	require.Equal(t, m.Subject, m.Header("subject"))
	require.WithinDuration(t, time.Now(), m.ReceivedAt, time.Minute)

	response, body := b.get(t, "/dev/inbox/messages/"+m.ID)
	require.Equal(t, http.StatusOK, response.StatusCode)
	require.Contains(t, body, m.ID)
	require.Len(t, b.list(t, ""), 2, "one item for each recipient")
}

func TestListWaitsForANewerMessage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.send(t, "one@atrium.example", "", "ada@example.com")
	first := b.list(t, "to=ada@example.com")
	require.Len(t, first, 1)

	found := make(chan []inbox.Message, 1)
	go func() {
		found <- b.store.Wait(t.Context(), inbox.Filter{To: "ada@example.com", Since: first[0].ID})
	}()
	b.send(t, "other@atrium.example", "", "bob@example.com")
	b.send(t, "two@atrium.example", "", "ada@example.com")
	newer := <-found
	require.Len(t, newer, 1)
	require.Equal(t, "two@atrium.example", newer[0].MessageID)
	require.Empty(t, b.list(t, "to=ada@example.com&wait=1ms&since="+newer[0].ID), "an empty list once the wait is over")
}

func TestListRefusesAWaitThatIsNoDuration(t *testing.T) {
	t.Parallel()
	response, body := setup(t).get(t, "/dev/inbox/messages?wait=soon")
	require.Equal(t, http.StatusUnprocessableEntity, response.StatusCode)
	require.Contains(t, body, "query.wait")
}

func TestADeliveryTriedAgainIsKeptOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 3 {
		b.send(t, "same@atrium.example", "", "ada@example.com")
	}
	b.send(t, "same@atrium.example", "", "bob@example.com")
	require.Len(t, b.list(t, "to=ada@example.com"), 1)
	require.Len(t, b.list(t, "to=bob@example.com"), 1)
}

func TestClear(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.send(t, "one@atrium.example", "", "ada@example.com")
	request, err := http.NewRequestWithContext(t.Context(), http.MethodDelete, b.url+"/dev/inbox/messages", nil)
	require.NoError(t, err)
	response, err := b.client.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusNoContent, response.StatusCode)
	require.Empty(t, b.list(t, ""))
	b.send(t, "one@atrium.example", "", "ada@example.com")
	require.Len(t, b.list(t, ""), 1, "a cleared inbox has seen nothing")
}

func TestPages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, body := b.get(t, "/dev/inbox")
	require.Contains(t, body, "No mail yet")

	b.send(t, "one@atrium.example", `<script>alert(1)</script><p>Hi</p>`, "ada@example.com")
	id := b.list(t, "")[0].ID
	response, body := b.get(t, "/dev/inbox")
	require.Contains(t, response.Header.Get("Content-Security-Policy"), "default-src 'none'")
	require.Contains(t, body, "ada@example.com")
	require.Contains(t, body, `<iframe sandbox="allow-popups allow-popups-to-escape-sandbox" src="/dev/inbox/messages/`+id+`/html"`)
	require.Contains(t, body, `data-copy="s3cret"`, "the token of a link can be copied")

	response, body = b.get(t, "/dev/inbox/messages/"+id+"/html")
	require.Contains(t, body, "<p>Hi</p>")
	policy := response.Header.Get("Content-Security-Policy")
	require.Contains(t, policy, "sandbox")
	require.NotContains(t, policy, "allow-scripts")
	require.NotContains(t, policy, "allow-same-origin")
	require.Contains(t, policy, "default-src 'none'")

	_, body = b.get(t, "/dev/inbox/"+id+"?view=text")
	require.Contains(t, body, `<a href="http://localhost:8080/verify?token=s3cret" target="_blank"`)
	_, body = b.get(t, "/dev/inbox/"+id+"?view=headers")
	require.Contains(t, body, "one@atrium.example")
	require.Contains(t, body, `href="/dev/traces?all=1&amp;q=one"`, "the mail's trace is one click away")
	_, body = b.get(t, "/dev/inbox?q=nobody")
	require.Contains(t, body, "No mail matches")
	response, _ = b.get(t, "/dev/inbox/missing")
	require.Equal(t, http.StatusNotFound, response.StatusCode)
	response, _ = b.get(t, "/dev/inbox/messages/missing")
	require.Equal(t, http.StatusNotFound, response.StatusCode)
}

func TestMessagesSurviveARestart(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	store, err := inbox.Open(dir, time.Now)
	require.NoError(t, err)
	for i := range inbox.MaxMessages + 5 {
		added, err := store.Add(inbox.Message{MessageID: strconv.Itoa(i), To: "ada@example.com", Subject: strconv.Itoa(i)})
		require.NoError(t, err)
		require.True(t, added)
	}
	require.NoError(t, store.Close())
	appendTo(t, filepath.Join(dir, "messages.jsonl"), `{"id":"torn by a kill`)

	store, err = inbox.Open(dir, time.Now)
	require.NoError(t, err)
	defer func() { require.NoError(t, store.Close()) }()
	items := store.List(inbox.Filter{})
	require.Len(t, items, inbox.MaxMessages)
	require.Equal(t, "5", items[0].Subject, "the oldest went first")
	require.Equal(t, strconv.Itoa(inbox.MaxMessages+4), items[len(items)-1].Subject)
	added, err := store.Add(inbox.Message{MessageID: "10", To: "ADA@example.com"})
	require.NoError(t, err)
	require.False(t, added, "what was seen before the restart is known")
}

func TestCloseEndsWaits(t *testing.T) {
	t.Parallel()
	store, err := inbox.Open(t.TempDir(), time.Now)
	require.NoError(t, err)
	done := make(chan []inbox.Message)
	go func() { done <- store.Wait(context.Background(), inbox.Filter{}) }() //nolint:usetesting // must outlive nothing but Close
	require.NoError(t, store.Close())
	require.Empty(t, <-done)
}

func appendTo(t *testing.T, path, text string) {
	t.Helper()
	file, err := os.OpenFile(path, os.O_APPEND|os.O_WRONLY, 0o600)
	require.NoError(t, err)
	_, err = file.WriteString(text)
	require.NoError(t, err)
	require.NoError(t, file.Close())
}
