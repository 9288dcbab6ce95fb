package service

import (
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/tlsfile"
)

// TLS is how a service shows who it is, and how it knows the others.
type TLS struct {
	CertFile string `env:"TLS_CERT_FILE" doc:"Certificate to serve TLS with on HTTP_ADDR, PEM, with its chain. Read again when it changes. Empty: plain HTTP."`
	KeyFile  string `env:"TLS_KEY_FILE" doc:"Private key of TLS_CERT_FILE, PEM."`
	CAFile   string `env:"TLS_CA_FILE" doc:"Authorities that vouch for other services of the mesh, PEM. Read again when it changes. Keys of issuers may also be vouched for by the system's. Empty: the system's alone."`
}

// Validate reads the files.
func (t TLS) Validate() error {
	var problems []error
	switch {
	case t.CertFile != "" && t.KeyFile == "":
		problems = append(problems, config.Problemf("TLS_KEY_FILE", "is required when TLS_CERT_FILE is set."))
	case t.CertFile == "" && t.KeyFile != "":
		problems = append(problems, config.Problemf("TLS_CERT_FILE", "is required when TLS_KEY_FILE is set."))
	case t.On():
		_, err := tlsfile.LoadCertificate(t.CertFile, t.KeyFile, nil)
		problems = append(problems, t.problem(err))
	}
	if _, err := tlsfile.LoadRoots(t.CAFile, false, nil); err != nil {
		problems = append(problems, config.Problemf("TLS_CA_FILE", "cannot be used: %v.", errors.Unwrap(err)))
	}
	return errors.Join(problems...)
}

func (t TLS) problem(err error) error {
	file, ok := errors.AsType[*tlsfile.FileError](err)
	switch {
	case err == nil:
		return nil
	case ok && file.File == t.KeyFile:
		return config.Problemf("TLS_KEY_FILE", "cannot be read: %v.", file.Err)
	case ok:
		return config.Problemf("TLS_CERT_FILE", "cannot be read: %v.", file.Err)
	default:
		return config.Problemf("TLS_CERT_FILE", "and TLS_KEY_FILE cannot be used: %v.", err)
	}
}

// On says whether the service serves TLS.
func (t TLS) On() bool { return t.CertFile != "" }

// server is the configuration of the service's server; nil for plain HTTP. With http2 it also offers that, for browsers; services speak
// HTTP/1.1 to each other.
func (t TLS) server(http2 bool, logger *slog.Logger) (*tls.Config, error) {
	if !t.On() {
		return nil, nil
	}
	certificate, err := tlsfile.LoadCertificate(t.CertFile, t.KeyFile, logger)
	if err != nil {
		return nil, t.problem(err)
	}
	if http2 {
		return certificate.ServerConfig("h2", tlsfile.HTTP1), nil
	}
	return certificate.ServerConfig(tlsfile.HTTP1), nil
}

// How long a fetch of keys may take, and its connection.
const (
	keysWithin     = 5 * time.Second
	keysDialWithin = 2 * time.Second
)

// keysClient fetches the keys of issuers: our own, for whom TLS_CA_FILE vouches, and others, for whom it cannot. nil stands for the
// verifier's own client, which trusts the system's authorities.
func (t TLS) keysClient(logger *slog.Logger) (*http.Client, error) {
	if t.CAFile == "" {
		return nil, nil
	}
	roots, err := tlsfile.LoadRoots(t.CAFile, true, logger)
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: keysDialWithin}
	return &http.Client{Timeout: keysWithin, Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, DialTLSContext: roots.DialTLS(dialer, keysDialWithin),
		IdleConnTimeout: keysWithin, // each is needed once in minutes
	}}, nil
}
