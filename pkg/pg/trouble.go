package pg

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"net"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5/pgconn"
)

// The SQLSTATE codes of a connection that is refused.
const (
	codeNoSuchDatabase   = "3D000"
	codeNotPermitted     = "42501"
	codeCannotConnectNow = "57P03"
	codeTooManyClients   = "53300"
	classAuthorization   = "28"
)

// Trouble says in words what keeps err's connection from being made and where to look, for whoever runs the service; "see the error"
// when it is something else. It holds nothing of DATABASE_URL.
func Trouble(err error) string {
	if pe, ok := errors.AsType[*pgconn.PgError](err); ok {
		return troubleOfServer(pe)
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "there is no such host (DATABASE_URL)"
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return "its certificate is for another name than that in DATABASE_URL"
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "its certificate is not vouched for (sslrootcert in DATABASE_URL)"
	}
	netErr, isNet := errors.AsType[net.Error](err)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED), errors.Is(err, fs.ErrNotExist): // the latter is a socket's
		return "it refuses the connection: nobody listens there (DATABASE_URL)"
	case refusesTLS(err):
		return "it does not offer TLS, which sslmode in DATABASE_URL asks for"
	case isNet && netErr.Timeout(), errors.Is(err, context.DeadlineExceeded):
		return "it does not answer in time"
	default:
		return "see the error"
	}
}

func troubleOfServer(pe *pgconn.PgError) string {
	switch pe.Code {
	case codeNoSuchDatabase:
		return "there is no such database (DATABASE_URL)"
	case codeNotPermitted:
		return "this user is not permitted to do that"
	case codeCannotConnectNow:
		return "it is starting or stopping"
	case codeTooManyClients:
		return "it has no connection left (max_connections of the server, DB_MAX_CONNS of the services)"
	}
	switch {
	case strings.HasPrefix(pe.Code, classAuthorization) && strings.Contains(pe.Message, "pg_hba.conf"):
		return "it does not let this user in from here, or not without TLS (pg_hba.conf of the server, sslmode in DATABASE_URL)"
	case strings.HasPrefix(pe.Code, classAuthorization):
		return "it refuses this user or password (DATABASE_URL)"
	default:
		return "see the error"
	}
}

// refusesTLS reports an error that pgx gives no type.
func refusesTLS(err error) bool {
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	return connecting && strings.Contains(err.Error(), "server refused TLS connection")
}
