package natstest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"syscall"
	"testing"

	"github.com/nats-io/nats-server/v2/server"
)

// nodeVariable makes a test binary a node of a cluster.
const nodeVariable = "ATRIUM_NATSTEST_NODE"

// settings are what a node's process is told.
type settings struct {
	Name        string
	Dir         string
	Port        int
	ClusterPort int
	Routes      []int
}

// Node is one server of a [Cluster].
type Node struct {
	t        testing.TB
	settings settings
	process  *exec.Cmd // nil: it does not run
	alive    io.Closer // the node ends when this does, and so with the test's process
}

// URL stays the same after Stop and Start.
func (n *Node) URL() string { return "nats://127.0.0.1:" + strconv.Itoa(n.settings.Port) }

func (n *Node) running() bool { return n.process != nil }

// Start starts it, with the data that it had, and returns once it takes connections.
func (n *Node) Start() {
	n.t.Helper()
	if n.running() {
		return
	}
	text, err := json.Marshal(n.settings)
	if err != nil {
		n.t.Fatalf("describe a NATS server: %v", err)
	}
	cmd := exec.Command(os.Args[0]) //nolint:noctx // this very program; Stop and Kill end it
	cmd.Env = append(os.Environ(), nodeVariable+"="+string(text))
	cmd.Stderr = os.Stderr
	if n.alive, err = cmd.StdinPipe(); err != nil {
		n.t.Fatalf("make a pipe: %v", err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		n.t.Fatalf("make a pipe: %v", err)
	}
	if err := cmd.Start(); err != nil {
		n.t.Fatalf("start a NATS server: %v", err)
	}
	n.process = cmd
	if _, err := out.Read(make([]byte, 1)); err != nil {
		n.t.Fatalf("NATS server %s did not start; does TestMain call natstest.Main? %v", n.settings.Name, err)
	}
}

// Stop shuts it down in good order: what it leads goes to others first.
func (n *Node) Stop() { n.end(syscall.SIGTERM) }

// Kill ends it as a crash does.
func (n *Node) Kill() { n.end(syscall.SIGKILL) }

func (n *Node) end(how syscall.Signal) {
	if !n.running() {
		return
	}
	_ = n.process.Process.Signal(how)
	_ = n.process.Wait() // how it ended is no matter
	_ = n.alive.Close()
	n.process = nil
}

// Main runs a node and does not return, in a process that a [Cluster] has started. In any other it does nothing.
func Main() {
	text, ok := os.LookupEnv(nodeVariable)
	if !ok {
		return
	}
	if err := runNode([]byte(text)); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "NATS server of a test:", err)
		os.Exit(1) //nolint:revive // this process is nothing else
	}
	os.Exit(0) //nolint:revive // the same
}

func runNode(text []byte) error {
	var s settings
	if err := json.Unmarshal(text, &s); err != nil {
		return fmt.Errorf("read the settings: %w", err)
	}
	opts := &server.Options{
		ServerName: s.Name, Host: "127.0.0.1", Port: s.Port, StoreDir: s.Dir, JetStream: true, NoLog: true, NoSigs: true,
		JetStreamMaxMemory: 64 << 20, JetStreamMaxStore: 4 << 30,
		Cluster: server.ClusterOpts{Name: "test", Host: "127.0.0.1", Port: s.ClusterPort},
	}
	for _, port := range s.Routes {
		opts.Routes = append(opts.Routes, &url.URL{Scheme: "nats", Host: "127.0.0.1:" + strconv.Itoa(port)})
	}
	running, err := server.NewServer(opts)
	if err != nil {
		return fmt.Errorf("make the server: %w", err)
	}
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM)
	running.Start()
	if !running.ReadyForConnections(readyWithin) {
		return fmt.Errorf("it was not ready in %v", readyWithin)
	}
	if _, err := fmt.Fprint(os.Stdout, "."); err != nil {
		return fmt.Errorf("say that it is ready: %w", err)
	}
	orphaned := make(chan struct{})
	go func() { _, _ = io.Copy(io.Discard, os.Stdin); close(orphaned) }()
	select {
	case <-stop:
	case <-orphaned:
	}
	running.Shutdown()
	running.WaitForShutdown()
	return nil
}
