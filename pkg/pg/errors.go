package pg

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/puddle/v2"

	"github.com/atrium-mesh/atrium/pkg/errs"
)

// The SQLSTATE codes that are told apart: https://www.postgresql.org/docs/current/errcodes-appendix.html
const (
	codeStringTooLong        = "22001"
	codeNumericOutOfRange    = "22003"
	codeInvalidDatetime      = "22007"
	codeInvalidText          = "22P02"
	codeUntranslatable       = "22P05" // \u0000 in jsonb
	codeNotInRepertoire      = "22021" // invalid UTF-8, a zero byte
	codeReadOnly             = "25006"
	codeIdleInTransaction    = "25P03"
	codeNotNullViolation     = "23502"
	codeForeignKeyViolation  = "23503"
	codeUniqueViolation      = "23505"
	codeCheckViolation       = "23514"
	codeExclusionViolation   = "23P01"
	codeSerializationFailure = "40001"
	codeDeadlockDetected     = "40P01"
	codeLockNotAvailable     = "55P03"
	codeQueryCanceled        = "57014"
	codeAdminShutdown        = "57P01"
	codeCrashShutdown        = "57P02"
	classConnection          = "08"
	classResources           = "53"
	classIntervention        = "57"
	classSystem              = "58"
)

// retryAfter is what a caller is told when the database is away.
const retryAfter = 2 * time.Second

// Err turns a driver's error into the kind that a caller understands, with a message that says nothing of the driver; the driver's
// text stays in the cause, for logs. An error that is already typed, or that does not come from the driver, is returned as it is.
func Err(err error) error {
	if err == nil {
		return nil
	}
	if _, typed := errors.AsType[*errs.Error](err); typed {
		return err
	}
	if pe, ok := errors.AsType[*pgconn.PgError](err); ok {
		return ofServer(pe).WithCause(err)
	}
	if e := ofDriver(err); e != nil {
		return e.WithCause(err)
	}
	return err
}

// Constraint is the name of the constraint that err violates, or "".
func Constraint(err error) string {
	if pe, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pe.ConstraintName
	}
	return ""
}

func ofServer(pe *pgconn.PgError) *errs.Error {
	switch pe.Code {
	case codeUniqueViolation, codeExclusionViolation:
		return errs.New(errs.Conflict, "already_exists", "There is already one like this.")
	case codeForeignKeyViolation:
		return errs.New(errs.Invalid, "reference_violated", "It refers to something that does not exist, or something refers to it.")
	case codeCheckViolation, codeStringTooLong, codeNotNullViolation, codeNumericOutOfRange, codeInvalidDatetime, codeInvalidText,
		codeUntranslatable, codeNotInRepertoire:
		return errs.New(errs.Invalid, "invalid_value", "A value is not allowed here.")
	case codeSerializationFailure, codeDeadlockDetected, codeLockNotAvailable:
		return unavailable("busy", "Too many changes at the same time; try again.")
	case codeQueryCanceled:
		return timeout()
	case codeReadOnly, codeIdleInTransaction:
		return away()
	}
	switch pe.Code[:min(2, len(pe.Code))] {
	case classConnection, classResources, classIntervention, classSystem:
		return away()
	default:
		return errs.New(errs.Internal, "internal", "Something went wrong on our side.")
	}
}

func ofDriver(err error) *errs.Error {
	if errors.Is(err, pgx.ErrNoRows) {
		return errs.New(errs.NotFound, "not_found", "There is no such thing.")
	}
	// A connection that could not be made is an absent database, also when the attempt itself ran into a deadline.
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return away()
	}
	switch {
	case errors.Is(err, context.Canceled):
		return errs.New(errs.Canceled, "canceled", "The request was canceled.")
	case errors.Is(err, context.DeadlineExceeded):
		return timeout()
	case connectionLost(err):
		return away()
	default:
		return nil
	}
}

func connectionLost(err error) bool {
	if errors.Is(err, pgconn.ErrConnClosed) || errors.Is(err, puddle.ErrClosedPool) || errors.Is(err, pgx.ErrTxClosed) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	// pgx wraps what happens to a connection in an unexported type whose only mark is its text.
	return pgconn.SafeToRetry(err) || strings.Contains(err.Error(), "conn closed")
}

// stale reports an error of a connection that was made before and is gone, but not of one that cannot be made.
func stale(err error) bool {
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok || errors.Is(err, puddle.ErrClosedPool) {
		return false
	}
	if pe, ok := errors.AsType[*pgconn.PgError](err); ok {
		return pe.Code == codeAdminShutdown || pe.Code == codeCrashShutdown
	}
	return connectionLost(err)
}

func away() *errs.Error {
	return unavailable("unavailable", "The service cannot do this right now; try again shortly.")
}

func unavailable(code, message string) *errs.Error {
	return errs.New(errs.Unavailable, code, message).WithRetryAfter(retryAfter)
}

func timeout() *errs.Error {
	return errs.New(errs.Timeout, "timeout", "It took too long.")
}
