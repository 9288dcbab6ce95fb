package natstest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// clusterSize is the least with which JetStream goes on when one server is away.
const clusterSize = 3

// Cluster is three NATS servers with JetStream, each a process of its own, which a test may stop, kill and bring back. The TestMain of a
// package that starts one calls [Main] first. It is not safe for concurrent use.
type Cluster struct {
	nodes []*Node
}

// StartCluster starts three servers that end with the test, and returns once JetStream works.
func StartCluster(t testing.TB) *Cluster {
	t.Helper()
	var ports []int
	for range 2 * clusterSize {
		ports = append(ports, freePort(t, ports))
	}
	c := &Cluster{}
	for i := range clusterSize {
		c.nodes = append(c.nodes, &Node{t: t, settings: settings{
			Name: "node" + strconv.Itoa(i+1), Dir: t.TempDir(), Port: ports[i], ClusterPort: ports[clusterSize+i], Routes: ports[clusterSize:],
		}})
	}
	for _, n := range c.nodes {
		t.Cleanup(n.Kill)
		n.Start()
	}
	js, err := jetstream.New(c.Connect(t))
	if err != nil {
		t.Fatalf("open JetStream: %v", err)
	}
	within(t, "JetStream of the cluster works", func(ctx context.Context) error {
		// A stream on all of them: the account is known to a leader before its servers are.
		_, err := js.CreateStream(ctx, jetstream.StreamConfig{Name: "READY", Subjects: []string{"ready"}, Replicas: clusterSize})
		if err != nil {
			return err
		}
		return js.DeleteStream(ctx, "READY")
	})
	return c
}

// URL is of all servers, separated by commas. It stays the same.
func (c *Cluster) URL() string {
	var urls []string
	for _, n := range c.nodes {
		urls = append(urls, n.URL())
	}
	return strings.Join(urls, ",")
}

// Connect returns a connection to any of them, which goes on with another when that one goes.
func (c *Cluster) Connect(t testing.TB) *nats.Conn {
	t.Helper()
	return connect(t, c.URL())
}

// Leader is the server that leads a stream. It waits until there is one.
func (c *Cluster) Leader(t testing.TB, js jetstream.JetStream, stream string) *Node {
	t.Helper()
	var leader *Node
	within(t, "stream "+stream+" has a leader", func(ctx context.Context) (err error) {
		leader, err = c.leader(ctx, js, stream)
		return err
	})
	return leader
}

func (c *Cluster) leader(ctx context.Context, js jetstream.JetStream, stream string) (*Node, error) {
	s, err := js.Stream(ctx, stream)
	if err != nil {
		return nil, fmt.Errorf("look at the stream: %w", err)
	}
	at := slices.IndexFunc(c.nodes, func(n *Node) bool { return n.running() && s.CachedInfo().Cluster.Leader == n.settings.Name })
	if at < 0 {
		return nil, fmt.Errorf("its leader is %q", s.CachedInfo().Cluster.Leader)
	}
	return c.nodes[at], nil
}

// StepDown makes the next server, in the order of their names, the leader of a stream.
func (c *Cluster) StepDown(t testing.TB, js jetstream.JetStream, stream string) {
	t.Helper()
	at := slices.Index(c.nodes, c.Leader(t, js, stream))
	next := c.nodes[(at+1)%len(c.nodes)]
	request := []byte(`{"placement": {"preferred": "` + next.settings.Name + `"}}`)
	within(t, next.settings.Name+" leads stream "+stream, func(ctx context.Context) error {
		if leader, err := c.leader(ctx, js, stream); err != nil || leader == next {
			return err
		}
		if _, err := js.Conn().RequestWithContext(ctx, "$JS.API.STREAM.LEADER.STEPDOWN."+stream, request); err != nil {
			return err
		}
		return errors.New("asked for")
	})
}

// WaitCurrent waits until all replicas of a stream have what its leader has.
func (c *Cluster) WaitCurrent(t testing.TB, js jetstream.JetStream, stream string) {
	t.Helper()
	within(t, "replicas of "+stream+" are current", func(ctx context.Context) error {
		s, err := js.Stream(ctx, stream)
		if err != nil {
			return err
		}
		cluster := s.CachedInfo().Cluster
		if len(cluster.Replicas) != s.CachedInfo().Config.Replicas-1 {
			return fmt.Errorf("there are %d replicas beside the leader", len(cluster.Replicas))
		}
		for _, r := range cluster.Replicas {
			if !r.Current || r.Lag > 0 {
				return fmt.Errorf("%s is %d behind", r.Name, r.Lag)
			}
		}
		return nil
	})
}

// within tries until it succeeds, and fails the test when that takes too long.
func within(t testing.TB, what string, try func(ctx context.Context) error) {
	t.Helper()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	var err error
	for end := time.Now().Add(readyWithin); time.Now().Before(end); <-ticker.C {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		err = try(ctx)
		cancel()
		if err == nil {
			return
		}
	}
	t.Fatalf("%s: not in %v: %v", what, readyWithin, err)
}

func freePort(t testing.TB, taken []int) int {
	t.Helper()
	for {
		l, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatalf("find a free port: %v", err)
		}
		port := l.Addr().(*net.TCPAddr).Port
		_ = l.Close()
		if !slices.Contains(taken, port) {
			return port
		}
	}
}
