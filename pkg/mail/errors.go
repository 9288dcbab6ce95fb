package mail

import (
	"errors"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"strings"

	gomail "github.com/wneessen/go-mail"
)

// The reasons of an Error, stable and for programs.
const (
	ReasonUnreachable    = "server_unreachable" // no connection, or it broke
	ReasonNotLetIn       = "server_refused_us"  // the connection is refused, or the sign-in, or there is no TLS
	ReasonBusy           = "server_busy"        // 4xx
	ReasonSenderRefused  = "sender_refused"     // 5xx to MAIL FROM
	ReasonAddressRefused = "address_refused"    // 5xx to RCPT TO
	ReasonMessageRefused = "message_refused"    // 5xx to the message
	ReasonAddressInvalid = "address_invalid"    // not an address at all
)

// Error says why a mail was not accepted. Its text has neither addresses nor what the server said beyond its codes.
type Error struct {
	Reason    string
	Detail    string // the server's codes, "550 5.1.1"; "" when it said nothing
	Temporary bool   // it may be accepted later
	cause     error
}

// Error is safe to log.
func (e *Error) Error() string {
	if e.Detail == "" {
		return "mail not accepted: " + e.Reason
	}
	return "mail not accepted: " + e.Reason + " (" + e.Detail + ")"
}

// Unwrap gives the client's error, which may name addresses and is not for logs.
func (e *Error) Unwrap() error { return e.cause }

// dialError is of a connection that could not be made. All are temporary: what is wrong is the server or our configuration, not the mail.
func dialError(err error) *Error {
	e := &Error{Reason: ReasonNotLetIn, Temporary: true, cause: err}
	if answer, ok := errors.AsType[*textproto.Error](err); ok {
		e.Detail = strconv.Itoa(answer.Code)
	} else if _, ok := errors.AsType[net.Error](err); ok || errors.Is(err, io.EOF) {
		e.Reason = ReasonUnreachable
	}
	return e
}

// sendError is of a mail that was not accepted over a connection that was made.
func sendError(err error) *Error {
	failed, ok := errors.AsType[*gomail.SendError](err)
	if !ok || failed.ErrorCode() == 0 {
		return &Error{Reason: ReasonUnreachable, Temporary: true, cause: err}
	}
	code := failed.ErrorCode()
	e := &Error{Detail: strings.TrimSpace(strconv.Itoa(code) + " " + failed.EnhancedStatusCode()), cause: err}
	if code < 500 {
		e.Reason, e.Temporary = ReasonBusy, true
		return e
	}
	switch failed.Reason {
	case gomail.ErrSMTPMailFrom:
		e.Reason = ReasonSenderRefused
	case gomail.ErrSMTPRcptTo:
		e.Reason = ReasonAddressRefused
	default:
		e.Reason = ReasonMessageRefused
	}
	return e
}
