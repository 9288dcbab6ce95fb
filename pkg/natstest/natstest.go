// Package natstest gives a test a NATS server with JetStream of its own, in process, or a cluster of three, which are processes.
package natstest

import (
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
)

// readyWithin bounds a start, which takes some 20 ms on an idle machine.
const readyWithin = 30 * time.Second

// Run starts a server that ends with the test and returns a connection to it.
func Run(t testing.TB) *nats.Conn {
	t.Helper()
	return StartServer(t).Connect(t)
}

// Server is a NATS server of one test, which may take it away and bring it back. It is not safe for concurrent use.
type Server struct {
	t         testing.TB
	dir       string
	port      int
	configure func(*server.Options) // at each start
	running   *server.Server
}

// StartServer starts a server with JetStream in a folder of the test, which ends with the test.
func StartServer(t testing.TB) *Server {
	t.Helper()
	return StartServerWith(t, func(*server.Options) {})
}

// StartServerWith is StartServer with options of the test's own, such as TLS and users. configure is called at each start.
func StartServerWith(t testing.TB, configure func(*server.Options)) *Server {
	t.Helper()
	s := &Server{t: t, dir: t.TempDir(), port: server.RANDOM_PORT, configure: configure}
	t.Cleanup(s.Stop)
	s.Start()
	return s
}

// URL stays the same after Stop and Start.
func (s *Server) URL() string { return "nats://127.0.0.1:" + strconv.Itoa(s.port) }

// Connect returns a connection that reconnects for ever, quickly, and is closed at the end of the test.
func (s *Server) Connect(t testing.TB) *nats.Conn {
	t.Helper()
	return connect(t, s.URL())
}

func connect(t testing.TB, url string) *nats.Conn {
	t.Helper()
	closed := make(chan struct{})
	nc, err := nats.Connect(url, nats.Name(t.Name()), nats.MaxReconnects(-1), nats.ReconnectWait(20*time.Millisecond),
		nats.ReconnectJitter(10*time.Millisecond, 10*time.Millisecond), nats.ReconnectBufSize(-1), nats.RetryOnFailedConnect(true),
		nats.ClosedHandler(func(*nats.Conn) { close(closed) }))
	if err != nil {
		t.Fatalf("connect to NATS: %v", err)
	}
	t.Cleanup(func() {
		nc.Close()
		<-closed
	})
	return nc
}

// Stop takes the server away.
func (s *Server) Stop() {
	if s.running == nil {
		return
	}
	s.running.Shutdown()
	s.running.WaitForShutdown()
	s.running = nil
}

// Start brings it back on the same port, with its data.
func (s *Server) Start() { s.start(s.dir) }

// StartEmpty brings it back on the same port without its data, as after the loss of its disk.
func (s *Server) StartEmpty() {
	s.dir = s.t.TempDir()
	s.start(s.dir)
}

func (s *Server) start(dir string) {
	s.t.Helper()
	if s.running != nil {
		return
	}
	opts := &server.Options{
		ServerName: "test", Host: "127.0.0.1", Port: s.port, StoreDir: dir, JetStream: true, NoLog: true, NoSigs: true,
		JetStreamMaxMemory: 64 << 20, JetStreamMaxStore: 4 << 30,
	}
	s.configure(opts)
	running, err := server.NewServer(opts)
	if err != nil {
		s.t.Fatalf("make a NATS server: %v", err)
	}
	running.Start()
	s.running = running
	if !running.ReadyForConnections(readyWithin) {
		s.t.Fatalf("NATS was not ready in %v", readyWithin)
	}
	addr, ok := running.Addr().(*net.TCPAddr)
	if !ok {
		s.t.Fatal("NATS has no TCP address")
	}
	s.port = addr.Port
}
