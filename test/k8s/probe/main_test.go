package main

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestFindings tells what is open from what is closed, in the order of the arguments.
func TestFindings(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	open := strings.TrimPrefix(server.URL, "http://")
	gone, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	closed := gone.Addr().String()
	require.NoError(t, gone.Close())

	var out bytes.Buffer
	run(t.Context(), &out, []string{"localhost"}, []string{server.URL, "http://" + closed}, []string{closed, open})
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	lines = lines[len(lines)-6:]
	require.Equal(t, []string{"resolved localhost", "got 404 " + server.URL}, lines[:2])
	require.Contains(t, lines[2], "missed http://"+closed)
	require.Equal(t, []string{"closed " + closed, "open " + open, "done"}, lines[3:])
}

func TestListener(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		line string
		port uint64
		ok   bool
	}{
		"of every address":     {"0: 00000000:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000", 8080, true},
		"of every address, v6": {"0: 00000000000000000000000000000000:2382 00000000000000000000000000000000:0000 0A", 9090, true},
		"of loopback":          {"1: 0100007F:1538 00000000:0000 0A 00000000:00000000", 0, false},
		"of loopback, v6":      {"1: 00000000000000000000000001000000:1538 00000000000000000000000000000000:0000 0A", 0, false},
		"a connection":         {"2: 0A58000A:1F90 0A580001:C350 01 00000000:00000000", 0, false},
		"the heading":          {"sl  local_address rem_address   st tx_queue rx_queue", 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			port, ok := listener(test.line)
			require.Equal(t, test.ok, ok)
			if ok {
				require.Equal(t, test.port, port)
			}
		})
	}
}
