package cli_test

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/cli"
	"github.com/atrium-mesh/atrium/pkg/config"
)

// TestUp starts the mesh as a person does, uses an address that was printed, and stops it with Ctrl-C.
func TestUp(t *testing.T) {
	t.Parallel()
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	reader, writer := io.Pipe()
	code := make(chan int, 1)
	go func() {
		code <- cli.Run(ctx, []string{"up", "--ephemeral", "--listen", "127.0.0.1:0", "--admin-email", "root@example.com"},
			cli.Streams{Out: writer, Err: io.Discard, Environment: config.Source{}})
		_ = writer.Close()
	}()
	lines := bufio.NewScanner(reader)
	docs, admin := "", ""
	for lines.Scan() && !strings.Contains(lines.Text(), "Ctrl-C stops everything") {
		words := strings.Fields(lines.Text())
		switch {
		case len(words) > 2 && words[0] == "API":
			docs = words[2]
		case len(words) > 2 && words[0] == "Admin":
			admin = words[2]
		}
	}
	require.NotEmpty(t, docs, "the start failed")
	require.Len(t, admin, 20, "the generated password is printed")

	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, docs, nil)
	require.NoError(t, err)
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusOK, response.StatusCode)

	interrupt()
	rest, err := io.ReadAll(reader)
	require.NoError(t, err)
	require.Contains(t, string(rest), "Atrium stops")
	require.Equal(t, cli.ExitOK, <-code)
	_, err = client.Do(request)
	require.Error(t, err, "nothing is left")
}
