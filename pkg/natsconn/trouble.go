package natsconn

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/url"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/nats-io/nats.go"
)

// sayEvery is how often the log says at most why there is no connection.
const sayEvery = 10 * time.Second

// trouble says why a connection is not made: at once, when the reason changes, and again and again.
type trouble struct {
	logger *slog.Logger
	url    string

	mu     sync.Mutex
	reason string
	said   time.Time
}

func (t *trouble) report(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	reason := reasonOf(err)
	if reason == "" || time.Since(t.said) < sayEvery && (reason == t.reason || time.Since(t.said) < time.Second) {
		return
	}
	t.reason, t.said = reason, time.Now()
	t.logger.Warn("cannot connect to NATS; trying again", "reason", reason, "servers", withoutSecrets(t.url), "error", err)
}

func (t *trouble) over() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.reason, t.said = "", time.Time{}
}

// reasonOf says in words what is wrong; "" for an error that only says that there is no connection, since others say why.
func reasonOf(err error) string {
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "there is no such host (NATS_URL)"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "its certificate is not vouched for (NATS_CA_FILE), or is for another name (NATS_URL)"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "its certificate is for another name (NATS_URL)"
	}
	netErr, isNet := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, nats.ErrNoServers):
		return ""
	case errors.Is(err, nats.ErrAuthorization), errors.Is(err, nats.ErrAuthExpired), errors.Is(err, nats.ErrAuthRevoked),
		errors.Is(err, nats.ErrAccountAuthExpired), errors.Is(err, nats.ErrPermissionViolation),
		strings.Contains(strings.ToLower(err.Error()), "authorization violation"):
		return "it refuses this user or password (NATS_USERNAME, NATS_PASSWORD, NATS_CREDS_FILE)"
	case errors.Is(err, nats.ErrSecureConnRequired):
		return "it wants TLS (NATS_URL with tls://)"
	case errors.Is(err, nats.ErrSecureConnWanted):
		return "it does not offer TLS, which NATS_URL or NATS_CA_FILE asks for"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "it refuses the connection: nobody listens there"
	case isNet && netErr.Timeout():
		return "it does not answer in time"
	default:
		return "see the error"
	}
}

// withoutSecrets leaves user and password out of a list of URLs.
func withoutSecrets(urls string) string {
	list := strings.Split(urls, ",")
	for i, raw := range list {
		if u, err := url.Parse(strings.TrimSpace(raw)); err == nil && u.User != nil {
			u.User = nil
			list[i] = u.String()
		} else if err != nil {
			list[i] = "(unreadable)"
		}
	}
	return strings.Join(list, ",")
}

// InboxPrefix is what the answers to a service's requests are addressed to, so that a NATS server can let each service read its own only
// (permission to subscribe to PREFIX.>). Whatever a subject cannot hold becomes a dash.
func InboxPrefix(service string) string {
	return "_INBOX_" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' {
			return r
		}
		return '-'
	}, service)
}
