package errs

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"
)

// Field is one thing wrong with one part of a request. It never carries the rejected value.
type Field struct {
	Field   string `json:"field" doc:"Where: body, query, path or header, then the name" example:"body.email"`
	Code    string `json:"code" doc:"What is wrong, stable and for programs" example:"format"`
	Message string `json:"message" doc:"What is wrong, for people" example:"must be an e-mail address"`
}

// Error is a kind with what may be said about it. Code and Message are safe to show to any caller; the cause is for logs only.
type Error struct {
	Kind       Kind
	Code       string        // snake_case and stable, part of the contract
	Message    string        // a sentence for people
	Fields     []Field       // for Invalid
	RetryAfter time.Duration // for RateLimited and Unavailable; zero: not said
	cause      error
}

// New makes an error that is safe to show. Code is part of the contract and must not change.
func New(kind Kind, code, message string) *Error {
	return &Error{Kind: kind, Code: code, Message: message}
}

// Error is for logs: it includes the cause, which must never reach a caller.
func (e *Error) Error() string {
	var s strings.Builder
	_, _ = s.WriteString(string(e.Kind) + " " + e.Code + ": " + e.Message)
	for _, f := range e.Fields {
		_, _ = s.WriteString(" [" + f.Field + ": " + f.Code + "]")
	}
	if e.cause != nil {
		_, _ = s.WriteString(": " + e.cause.Error())
	}
	return s.String()
}

// Unwrap gives the kind and the cause, so that errors.Is works for both.
func (e *Error) Unwrap() []error {
	if e.cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.cause}
}

// WithFields returns a copy that also names what is wrong with these fields.
func (e *Error) WithFields(fields ...Field) *Error {
	c := *e
	c.Fields = append(slices.Clone(e.Fields), fields...)
	return &c
}

// WithRetryAfter returns a copy that tells the caller how long to wait.
func (e *Error) WithRetryAfter(d time.Duration) *Error {
	c := *e
	c.RetryAfter = d
	return &c
}

// WithCause returns a copy that keeps err for the log.
func (e *Error) WithCause(err error) *Error {
	c := *e
	c.cause = err
	return &c
}

// InvalidField is the common case of one field that breaks a rule.
func InvalidField(field, code, message string) *Error {
	return New(Invalid, "validation_failed", "The request is not valid.").WithFields(Field{Field: field, Code: code, Message: message})
}

// KindOf is the kind of the outermost typed error in err's chain; a passed deadline is Timeout, a cancelled context Canceled, and
// anything else Internal. It is empty for nil.
func KindOf(err error) Kind {
	if err == nil {
		return ""
	}
	return From(err).Kind
}

// From is the outermost *Error in err's chain, or a safe one for an error that has none. It is nil for nil.
func From(err error) *Error {
	if err == nil {
		return nil
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if k, ok := errors.AsType[Kind](err); ok {
		return New(k, string(k), defaultMessage(k)).WithCause(err)
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return New(Timeout, "timeout", defaultMessage(Timeout)).WithCause(err)
	case errors.Is(err, context.Canceled):
		return New(Canceled, "canceled", defaultMessage(Canceled)).WithCause(err)
	default:
		return New(Internal, "internal", defaultMessage(Internal)).WithCause(err)
	}
}

func defaultMessage(k Kind) string {
	switch k {
	case Malformed:
		return "The request cannot be read."
	case Invalid:
		return "The request is not valid."
	case Unauthenticated:
		return "Sign in first."
	case Forbidden:
		return "You may not do this."
	case NotFound:
		return "There is no such thing here."
	case MethodNot:
		return "This method is not offered here."
	case Conflict:
		return "This clashes with what is already there."
	case Precondition:
		return "It was changed in the meantime; read it again."
	case TooLarge:
		return "The request is too large."
	case Unsupported:
		return "This content type is not understood here."
	case RateLimited:
		return "Too many requests; wait a little."
	case Unavailable:
		return "A part of the service is away for a moment; try again."
	case Timeout:
		return "This took too long; try again."
	case Canceled:
		return "The caller went away."
	default:
		return "Something went wrong on our side. It has been recorded under the request id."
	}
}
