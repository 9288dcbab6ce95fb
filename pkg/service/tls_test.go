package service_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/lifecycle"
	"github.com/atrium-mesh/atrium/pkg/service"
	"github.com/atrium-mesh/atrium/pkg/service/servicetest"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
	"github.com/atrium-mesh/atrium/pkg/tlsfile"
	"github.com/atrium-mesh/atrium/pkg/tlsfile/tlsfiletest"
)

// bare is a service that is nothing but handler, over HTTP/2 too or not. nil answers everything.
func bare(http2 bool, handler http.Handler) service.Definition {
	if handler == nil {
		handler = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNoContent) })
	}
	return service.Definition{
		Name: "bare", Config: service.ConfigOf[doorConfig](),
		Build: func(ctx context.Context, src config.Source, tel *telemetry.Telemetry) (*lifecycle.Group, error) {
			cfg, err := config.Load[doorConfig](src)
			if err != nil {
				return nil, err
			}
			base, err := service.NewBase(ctx, cfg.Config, service.Options{Name: "bare", Tel: tel, HTTP2: http2})
			if err != nil {
				return nil, err
			}
			base.WrapHTTP(func(http.Handler) http.Handler { return handler })
			return base.Group, nil
		},
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	for name, http2 := range map[string]bool{"HTTP/1.1": false, "HTTP/2.0": true} {
		t.Run(name+" is the best that it offers, and a new certificate needs no restart", func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			cert, key := tlsfiletest.Write(t, dir)
			s := servicetest.Start(t, bare(http2, nil), servicetest.Options{Env: config.Source{"TLS_CERT_FILE": cert, "TLS_KEY_FILE": key}})
			ask := func() (*http.Response, error) {
				text, err := os.ReadFile(cert)
				require.NoError(t, err)
				pool := x509.NewCertPool()
				pool.AppendCertsFromPEM(text)
				client := &http.Client{Transport: &http.Transport{
					DisableKeepAlives: !http2, ForceAttemptHTTP2: true, TLSClientConfig: &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12},
				}}
				defer client.CloseIdleConnections()
				req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL, http.NoBody)
				require.NoError(t, err)
				res, err := client.Do(req)
				if err == nil {
					_ = res.Body.Close()
				}
				return res, err
			}
			res, err := ask()
			require.NoError(t, err)
			require.Equal(t, name, res.Proto)
			require.EqualValues(t, tls.VersionTLS13, res.TLS.Version)

			tlsfiletest.Write(t, dir)
			require.Eventually(t, func() bool { _, err := ask(); return err == nil }, waitFor, tick, "it presents the certificate that is in the file now")
		})
	}
}

func TestTLSConfig(t *testing.T) {
	t.Parallel()
	cert, key := tlsfiletest.Write(t, t.TempDir())
	_, other := tlsfiletest.Write(t, t.TempDir())
	nonsense := filepath.Join(t.TempDir(), "nonsense")
	require.NoError(t, os.WriteFile(nonsense, bytes.Repeat([]byte("x"), 9), 0o600))
	for want, tls := range map[string]service.TLS{
		"TLS_KEY_FILE is required when TLS_CERT_FILE is set.":                            {CertFile: cert},
		"TLS_CERT_FILE is required when TLS_KEY_FILE is set.":                            {KeyFile: key},
		"TLS_CERT_FILE cannot be read: no such file or directory.":                       {CertFile: "/nowhere", KeyFile: key},
		"TLS_KEY_FILE cannot be read: no such file or directory.":                        {CertFile: cert, KeyFile: "/nowhere"},
		"TLS_CERT_FILE and TLS_KEY_FILE cannot be used: tls: private key does not match": {CertFile: cert, KeyFile: other},
		"TLS_CA_FILE cannot be used: no such file or directory.":                         {CAFile: "/nowhere"},
		"TLS_CA_FILE cannot be used: holds no certificate in PEM.":                       {CAFile: nonsense},
	} {
		require.ErrorContains(t, tls.Validate(), want)
	}
	require.NoError(t, service.TLS{CertFile: cert, KeyFile: key, CAFile: cert}.Validate())
	require.NoError(t, service.TLS{}.Validate())
}

func TestRootsRefuseStrangers(t *testing.T) {
	t.Parallel()
	cert, key := tlsfiletest.Write(t, t.TempDir())
	stranger, _ := tlsfiletest.Write(t, t.TempDir())
	s := servicetest.Start(t, bare(false, nil), servicetest.Options{Env: config.Source{"TLS_CERT_FILE": cert, "TLS_KEY_FILE": key}})
	for file, trusted := range map[string]bool{cert: true, stranger: false} {
		roots, err := tlsfile.LoadRoots(file, false, nil)
		require.NoError(t, err)
		conn, err := roots.DialTLS(new(net.Dialer), time.Second)(t.Context(), "tcp", s.URL[len("https://"):])
		if trusted {
			require.NoError(t, err)
			require.NoError(t, conn.Close())
			continue
		}
		var op *net.OpError
		require.ErrorAs(t, err, &op)
		require.Equal(t, "dial", op.Op, "it counts as never sent")
		require.ErrorContains(t, err, "TLS handshake with 127.0.0.1")
	}
}
