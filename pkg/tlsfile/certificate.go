package tlsfile

import (
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
)

// FileError says which of several files cannot be used.
type FileError struct {
	File string // its path
	Err  error
}

// Error is the reason.
func (e *FileError) Error() string { return fmt.Sprintf("%s: %v", e.File, e.Err) }

// Unwrap returns the reason.
func (e *FileError) Unwrap() error { return e.Err }

// Certificate is a server's certificate and its key. It is safe for concurrent use.
type Certificate struct{ files *watched[*tls.Certificate] }

// LoadCertificate reads a certificate with its chain, and its key, both PEM. A file that cannot be read is a [*FileError]; any other error
// is about the two of them. logger is told of changes; nil is silent.
func LoadCertificate(certFile, keyFile string, logger *slog.Logger) (*Certificate, error) {
	c := &Certificate{&watched[*tls.Certificate]{
		files: []string{certFile, keyFile}, what: "certificate", logger: loggerOr(logger), every: lookEvery,
		read: func() (*tls.Certificate, error) { return readPair(certFile, keyFile) },
	}}
	for _, file := range c.files.files {
		if _, err := os.ReadFile(file); err != nil { //nolint:gosec // the path is configuration
			return nil, &FileError{File: file, Err: reasonOf(err)}
		}
	}
	if err := c.files.load(); err != nil {
		return nil, err
	}
	return c, nil
}

func readPair(certFile, keyFile string) (*tls.Certificate, error) {
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, err
	}
	return &pair, nil
}

// ServerConfig is what a server presents the certificate with: TLS 1.2 at least, and of the protocols (ALPN) only those named.
func (c *Certificate) ServerConfig(protocols ...string) *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12, // 1.3 is chosen whenever the client has it
		NextProtos:     protocols,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.files.get(), nil },
	}
}

func loggerOr(logger *slog.Logger) *slog.Logger {
	if logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return logger
}
