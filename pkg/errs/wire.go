package errs

import (
	"encoding/json"
	"time"
)

// wire is an error between two services: everything that is safe, and nothing of the cause.
type wire struct {
	Kind       string  `json:"kind"`
	Code       string  `json:"code"`
	Message    string  `json:"message"`
	Fields     []Field `json:"fields,omitempty"`
	RetryAfter int64   `json:"retry_after_ms,omitempty"`
}

// Encode is err as one header value for a reply to another service. The cause stays here.
func Encode(err error) string {
	e := From(err)
	b, _ := json.Marshal(wire{ // strings and numbers only: cannot fail
		Kind: string(e.Kind), Code: e.Code, Message: e.Message, Fields: e.Fields, RetryAfter: e.RetryAfter.Milliseconds(),
	})
	return string(b)
}

// Decode turns what [Encode] wrote back into an error of the same kind. What cannot be read is Internal.
func Decode(s string) *Error {
	var w wire
	if err := json.Unmarshal([]byte(s), &w); err != nil {
		return New(Internal, "internal", defaultMessage(Internal)).WithCause(err)
	}
	return &Error{
		Kind: parseKind(w.Kind), Code: w.Code, Message: w.Message, Fields: w.Fields,
		RetryAfter: time.Duration(w.RetryAfter) * time.Millisecond,
	}
}
