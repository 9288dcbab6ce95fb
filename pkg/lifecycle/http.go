package lifecycle

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"time"
)

// HTTPServer is an *http.Server as a Component: it listens in Start, so that a port that is taken stops the start,
// and in Stop lets requests finish before it closes what is left.
type HTTPServer struct {
	server   *http.Server
	secure   bool // over TLS
	addr     atomic.Pointer[net.TCPAddr]
	requests inflight
	draining atomic.Bool
	cancel   context.CancelFunc
	stopping chan struct{}
	done     chan struct{}
	failed   chan error
}

// NewHTTPServer wraps server, which the component owns from here on. Timeouts that are zero get safe values. With a TLSConfig it serves
// TLS, and the protocols that NextProtos names: HTTP/2 only if "h2" is among them.
func NewHTTPServer(server *http.Server) *HTTPServer {
	if server.ReadHeaderTimeout == 0 {
		server.ReadHeaderTimeout = 10 * time.Second
	}
	if server.IdleTimeout == 0 {
		server.IdleTimeout = 2 * time.Minute
	}
	if server.MaxHeaderBytes == 0 {
		server.MaxHeaderBytes = 64 << 10
	}
	if server.TLSConfig != nil && server.Protocols == nil {
		server.Protocols = new(http.Protocols) // net/http would add h2 by itself
		server.Protocols.SetHTTP1(true)
		server.Protocols.SetHTTP2(slices.Contains(server.TLSConfig.NextProtos, "h2"))
	}
	return &HTTPServer{
		server:   server,
		secure:   server.TLSConfig != nil, // which net/http sets by itself, also for a plain server
		stopping: make(chan struct{}),
		done:     make(chan struct{}),
		failed:   make(chan error, 1),
	}
}

// Addr is where the server listens, with the port that was really taken; empty before Start.
func (s *HTTPServer) Addr() string {
	if addr := s.addr.Load(); addr != nil {
		return addr.String()
	}
	return ""
}

// URL is the base address of the server as seen from this machine; empty before Start.
func (s *HTTPServer) URL() string {
	addr := s.addr.Load()
	if addr == nil {
		return ""
	}
	host := addr.IP.String()
	if addr.IP.IsUnspecified() {
		host = "127.0.0.1"
	}
	scheme := "http://"
	if s.secure {
		scheme = "https://"
	}
	return scheme + net.JoinHostPort(host, fmt.Sprint(addr.Port))
}

// Start listens and serves, over TLS when the server has a configuration for it. Requests inherit the values of ctx and are canceled when Stop gives up on them.
func (s *HTTPServer) Start(ctx context.Context) error {
	var lc net.ListenConfig
	listener, err := lc.Listen(ctx, "tcp", s.server.Addr)
	if err != nil {
		return fmt.Errorf("listen on %s: %w", s.server.Addr, err)
	}
	if addr, ok := listener.Addr().(*net.TCPAddr); ok {
		s.addr.Store(addr)
	}
	base, cancel := context.WithCancel(context.WithValue(context.WithoutCancel(ctx), stoppingKey{}, s.stopping))
	s.cancel = cancel
	s.server.Handler = s.requests.count(s.closing(s.server.Handler))
	s.server.BaseContext = func(net.Listener) context.Context { return base }
	go func() {
		defer close(s.done)
		if err := s.serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.failed <- err
		}
	}()
	return nil
}

func (s *HTTPServer) serve(listener net.Listener) error {
	if s.secure {
		return s.server.ServeTLS(listener, "", "")
	}
	return s.server.Serve(listener)
}

// Failed receives the error that ended serving.
func (s *HTTPServer) Failed() <-chan error { return s.failed }

// Stop accepts no more requests, waits for those that run, and cancels them when ctx is done. A connection that
// was taken over (a WebSocket) has its request canceled once the others are done.
func (s *HTTPServer) Stop(ctx context.Context) error {
	defer s.cancel()
	close(s.stopping)
	err := s.server.Shutdown(ctx)
	s.cancel()
	if err != nil {
		err = errors.Join(fmt.Errorf("requests were cut off: %w", err), s.server.Close())
	}
	<-s.done
	return errors.Join(err, s.requests.wait(ctx))
}

type stoppingKey struct{}

// Stopping is closed when the server of this request begins to shut down. Handlers that stream for long select
// on it, so that a shutdown need not wait for them; outside a request it is nil, which blocks for ever.
func Stopping(ctx context.Context) <-chan struct{} {
	ch, _ := ctx.Value(stoppingKey{}).(chan struct{})
	return ch
}
