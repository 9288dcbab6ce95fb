package mesh

import (
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/atrium-mesh/atrium/pkg/token"
)

// NATS is the NATS server of a mesh, in the process of the test, with JetStream on disk. It is not safe for concurrent use.
type NATS struct {
	t       testing.TB
	port    int
	dir     string
	users   []*server.User
	guarded bool
	running *server.Server
}

const natsWithin = 30 * time.Second

// startNATS starts it; guarded: with the chart's users, each of whom may do what their service does and nothing else.
func startNATS(t testing.TB, guarded bool) *NATS {
	t.Helper()
	n := &NATS{t: t, port: freePort(t), dir: t.TempDir(), guarded: guarded, users: []*server.User{
		{Username: hearing, Password: hearing},
		{Username: deaf, Password: deaf, Permissions: &server.Permissions{Subscribe: &server.SubjectPermission{Deny: []string{token.RaisedSubject}}}},
	}}
	if guarded {
		n.users = chartPermissions(t)
	}
	t.Cleanup(n.Stop)
	n.Start()
	return n
}

// The users of the server: one may do everything, the other cannot hear revocations.
const (
	hearing = "atrium"
	deaf    = "deaf"
)

// URLOf is for a service, who in a guarded mesh is a user of their own.
func (n *NATS) URLOf(service string) string {
	if !n.guarded {
		return n.URL()
	}
	return "nats://" + service + ":" + natsPassword(service) + "@" + loopback(n.port)
}

// URL stays the same after Stop and Start.
func (n *NATS) URL() string { return "nats://" + hearing + ":" + hearing + "@" + loopback(n.port) }

// DeafURL is for a process that is to miss every revocation that is announced, as if the messages were lost on the way.
func (n *NATS) DeafURL() string { return "nats://" + deaf + ":" + deaf + "@" + loopback(n.port) }

// Stop takes the server away.
func (n *NATS) Stop() {
	if n.running == nil {
		return
	}
	n.running.Shutdown()
	n.running.WaitForShutdown()
	n.running = nil
}

// Start brings it back with its data.
func (n *NATS) Start() {
	n.t.Helper()
	running, err := server.NewServer(&server.Options{
		ServerName: "e2e", Host: "127.0.0.1", Port: n.port, StoreDir: n.dir, JetStream: true, NoLog: true, NoSigs: true,
		JetStreamMaxMemory: 64 << 20, JetStreamMaxStore: 4 << 30,
		Users: n.users,
	})
	if err != nil {
		n.t.Fatalf("mesh: make the NATS server: %v", err)
	}
	running.Start()
	n.running = running
	if !running.ReadyForConnections(natsWithin) {
		n.t.Fatalf("mesh: NATS was not ready in %v", natsWithin)
	}
}
