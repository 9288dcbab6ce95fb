package cli_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"net/smtp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/cli"
)

// TestInbox catches a mail without a mesh.
func TestInbox(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	reader, writer := io.Pipe()
	code := make(chan int, 1)
	go func() {
		code <- cli.Run(ctx, []string{"inbox", "--smtp", "127.0.0.1:0", "--http", "127.0.0.1:0"}, cli.Streams{Out: writer, Err: io.Discard})
		_ = writer.Close()
	}()
	line, err := bufio.NewReader(reader).ReadString('\n')
	require.NoError(t, err)
	words := strings.Fields(line) // Mail to smtp://… is shown at http://…/dev/inbox
	mail, page := strings.TrimPrefix(words[2], "smtp://"), words[len(words)-1]

	require.NoError(t, smtp.SendMail(mail, nil, "a@example.com", []string{"ada@example.com"}, []byte("Subject: caught\r\n\r\nhello\r\n")))
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, page+"/messages?to=ada@example.com&wait=5s", nil)
	require.NoError(t, err)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	require.NoError(t, err)
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Contains(t, string(body), `"subject":"caught"`)
	request, err = http.NewRequestWithContext(t.Context(), http.MethodGet, strings.TrimSuffix(page, "/dev/inbox")+"/livez", nil)
	require.NoError(t, err)
	response, err = client.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)
	interrupt()
	require.Equal(t, cli.ExitOK, <-code)
}
