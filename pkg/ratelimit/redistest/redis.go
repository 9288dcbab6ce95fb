// Package redistest owns a Redis for tests: a real redis-server when there is one on the PATH, else an imitation in the process.
package redistest

import (
	"context"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/stretchr/testify/require"
)

// Server is a Redis without persistence that is stopped when the test ends.
type Server struct {
	URL string

	t      testing.TB
	binary string // "": the imitation
	socket string
	stop   context.CancelFunc
	done   chan struct{}
	mini   *miniredis.Miniredis
}

// Run starts a Redis.
func Run(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t}
	binary, err := exec.LookPath("redis-server")
	if err != nil {
		s.mini = miniredis.RunT(t)
		s.URL = "redis://" + s.mini.Addr()
		return s
	}
	folder, err := os.MkdirTemp("", "redis") //nolint:usetesting // the path of a socket has at most 107 bytes
	require.NoError(t, err)
	s.binary, s.socket = binary, filepath.Join(folder, "s")
	s.URL = "unix://" + s.socket
	t.Cleanup(func() {
		s.Stop()
		require.NoError(t, os.RemoveAll(folder))
	})
	s.Start()
	return s
}

// Real reports whether it is a redis-server and not the imitation.
func (s *Server) Real() bool { return s.mini == nil }

// Start starts it again after Stop, empty, and waits until it answers.
func (s *Server) Start() {
	s.t.Helper()
	if s.mini != nil {
		s.mini.FlushAll()
		require.NoError(s.t, s.mini.Restart())
		return
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.t.Context()))
	cmd := exec.CommandContext(ctx, s.binary, "--port", "0", "--unixsocket", s.socket, "--save", "", "--appendonly", "no", "--dir", filepath.Dir(s.socket))
	require.NoError(s.t, cmd.Start())
	s.stop, s.done = cancel, make(chan struct{})
	go func() {
		defer close(s.done)
		_ = cmd.Wait() // an error, since it is killed
	}()
	require.Eventually(s.t, s.answers, 10*time.Second, 5*time.Millisecond, "redis-server did not start")
}

// Stop kills it. It does nothing when it is not running.
func (s *Server) Stop() {
	if s.mini != nil {
		s.mini.Close()
		return
	}
	if s.stop == nil {
		return
	}
	s.stop()
	<-s.done
	s.stop = nil
}

func (s *Server) answers() bool {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(context.WithoutCancel(s.t.Context()), "unix", s.socket)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close() }()
	if _, err = conn.Write([]byte("PING\r\n")); err != nil {
		return false
	}
	answer := make([]byte, len("+PONG"))
	_, err = conn.Read(answer)
	return err == nil && string(answer) == "+PONG"
}
