package ratelimit

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

const (
	dialTimeout = time.Second
	bufferSize  = 32 << 10 // the client's default of 512 KiB each way suits other work
)

var errClosed = errors.New("the connection to Redis was closed")

// Connection is a connection to Redis that is made when it is first needed, so that a service starts while Redis is away. It is a
// lifecycle component. It is safe for concurrent use.
type Connection struct {
	options rueidis.ClientOption

	mu      sync.Mutex
	client  rueidis.Client
	dialing *dial
	closed  bool
	dials   sync.WaitGroup
}

// dial is an attempt to connect, on which several callers may wait.
type dial struct {
	done   chan struct{}
	client rueidis.Client
	err    error
}

// Open reads a URL such as "redis://user:password@host:6379/0" (rediss for TLS). It does not connect.
func Open(url string) (*Connection, error) {
	options, err := rueidis.ParseURL(url)
	if err != nil {
		return nil, errors.New("the URL of Redis cannot be read") // the error would repeat it, with the password
	}
	options.Dialer = net.Dialer{Timeout: dialTimeout, KeepAlive: options.Dialer.KeepAlive}
	options.DisableCache = true
	options.ReadBufferEachConn, options.WriteBufferEachConn = bufferSize, bufferSize
	options.PipelineMultiplex = -1 // one connection carries everything
	options.ConnWriteTimeout = dialTimeout
	return &Connection{options: options}, nil
}

// Client returns the client, and connects when there is none. It waits no longer than ctx; the attempt goes on for the next caller.
func (c *Connection) Client(ctx context.Context) (rueidis.Client, error) {
	c.mu.Lock()
	if c.closed || c.client != nil {
		defer c.mu.Unlock()
		if c.closed {
			return nil, errClosed
		}
		return c.client, nil
	}
	attempt := c.dialing
	if attempt == nil {
		attempt = &dial{done: make(chan struct{})}
		c.dialing = attempt
		c.dials.Go(func() { c.connect(attempt) })
	}
	c.mu.Unlock()
	select {
	case <-attempt.done:
		return attempt.client, attempt.err
	case <-ctx.Done():
		return nil, fmt.Errorf("connect to Redis: %w", context.Cause(ctx))
	}
}

func (c *Connection) connect(attempt *dial) {
	client, err := rueidis.NewClient(c.options)
	c.mu.Lock()
	defer c.mu.Unlock()
	defer close(attempt.done)
	c.dialing = nil
	switch {
	case err != nil:
		attempt.err = fmt.Errorf("connect to Redis: %w", err)
	case c.closed:
		client.Close()
		attempt.err = errClosed
	default:
		c.client, attempt.client = client, client
	}
}

// Start does nothing: the connection is made when it is first needed.
func (c *Connection) Start(context.Context) error { return nil }

// Stop closes the connection and waits for an attempt to connect that is under way.
func (c *Connection) Stop(context.Context) error {
	c.mu.Lock()
	c.closed = true
	client := c.client
	c.client = nil
	c.mu.Unlock()
	if client != nil {
		client.Close()
	}
	c.dials.Wait()
	return nil
}
