package tlsfile

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"time"
)

// HTTP1 is the one protocol that services speak among themselves. HTTP/2 would send everything for a service down one connection, and so
// to one pod of those behind a Kubernetes service; and it carries no WebSocket.
const HTTP1 = "http/1.1"

// Roots are the authorities that vouch for a server. They are safe for concurrent use.
type Roots struct{ files *watched[*x509.CertPool] } // nil: the system's

// LoadRoots reads authorities from a PEM file. Without a file they are the system's; with one they are those of the file alone, or, when
// besides is set, the system's too. logger is told of changes; nil is silent.
func LoadRoots(file string, besides bool, logger *slog.Logger) (*Roots, error) {
	if file == "" {
		return &Roots{}, nil
	}
	r := &Roots{&watched[*x509.CertPool]{
		files: []string{file}, what: "authorities", logger: loggerOr(logger), every: lookEvery,
		read: func() (*x509.CertPool, error) { return readPool(file, besides) },
	}}
	if err := r.files.load(); err != nil {
		return nil, &FileError{File: file, Err: err}
	}
	return r, nil
}

func readPool(file string, besides bool) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file) //nolint:gosec // the path is configuration
	if err != nil {
		return nil, reasonOf(err)
	}
	pool := x509.NewCertPool()
	if besides {
		if pool, err = x509.SystemCertPool(); err != nil {
			return nil, fmt.Errorf("the system's authorities: %w", err)
		}
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, errors.New("holds no certificate in PEM")
	}
	return pool, nil
}

// Pool is the authorities as they are now; nil stands for the system's.
func (r *Roots) Pool() *x509.CertPool {
	if r.files == nil {
		return nil
	}
	return r.files.get()
}

// DialTLS is an http.Transport's DialTLSContext over dialer: every connection is verified by the authorities as they are then, and the
// handshake ends within the time given. That it failed is, like a refused connection, a [*net.OpError] with Op "dial": nothing was sent.
func (r *Roots) DialTLS(dialer *net.Dialer, handshake time.Duration) func(ctx context.Context, network, addr string) (net.Conn, error) {
	return func(ctx context.Context, network, addr string) (net.Conn, error) {
		host, _, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, fmt.Errorf("dial: %w", err)
		}
		raw, err := dialer.DialContext(ctx, network, addr)
		if err != nil {
			return nil, err //nolint:wrapcheck // it says dial and the address
		}
		ctx, cancel := context.WithTimeout(ctx, handshake)
		defer cancel()
		conn := tls.Client(raw, &tls.Config{MinVersion: tls.VersionTLS12, ServerName: host, RootCAs: r.Pool(), NextProtos: []string{HTTP1}})
		if err := conn.HandshakeContext(ctx); err != nil {
			_ = raw.Close()
			return nil, &net.OpError{Op: "dial", Net: network, Addr: raw.RemoteAddr(), Err: fmt.Errorf("TLS handshake with %s: %w", host, err)}
		}
		return conn, nil
	}
}
