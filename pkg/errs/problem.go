package errs

import (
	"encoding/json"
	"maps"
	"math"
	"net/http"
	"strconv"
	"time"
)

// ContentType is the media type of a problem answer (RFC 9457 section 3).
const ContentType = "application/problem+json"

// Problem is the body of every error answer (RFC 9457), with a stable code and, for an invalid request, what is wrong with each field.
type Problem struct {
	Type      string  `json:"type" doc:"A page about this problem, or about:blank" example:"about:blank"`
	Title     string  `json:"title" doc:"The status in words" example:"Unprocessable Entity"`
	Status    int     `json:"status" doc:"The HTTP status" example:"422"`
	Detail    string  `json:"detail" doc:"What happened, for people" example:"The request is not valid."`
	Code      string  `json:"code" doc:"What happened, stable and for programs" example:"validation_failed"`
	RequestID string  `json:"request_id,omitempty" doc:"What to tell support" example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	Errors    []Field `json:"errors,omitempty" doc:"What is wrong with which part of the request"`
}

// StatusCanceled is what logs say when the caller went away before the answer (nginx's 499). It is never sent.
const StatusCanceled = 499

// Status is the one place where a kind meets HTTP.
func (k Kind) Status() int {
	switch k {
	case Malformed:
		return http.StatusBadRequest
	case Invalid:
		return http.StatusUnprocessableEntity
	case Unauthenticated:
		return http.StatusUnauthorized
	case Forbidden:
		return http.StatusForbidden
	case NotFound:
		return http.StatusNotFound
	case MethodNot:
		return http.StatusMethodNotAllowed
	case Conflict:
		return http.StatusConflict
	case Precondition:
		return http.StatusPreconditionFailed
	case TooLarge:
		return http.StatusRequestEntityTooLarge
	case Unsupported:
		return http.StatusUnsupportedMediaType
	case RateLimited:
		return http.StatusTooManyRequests
	case Unavailable:
		return http.StatusServiceUnavailable
	case Timeout:
		return http.StatusGatewayTimeout
	case Canceled:
		return StatusCanceled
	case Internal:
		return http.StatusInternalServerError
	}
	return http.StatusInternalServerError
}

// KindOfStatus is the kind that an HTTP status stands for: the inverse of [Kind.Status] for a client of an HTTP answer.
func KindOfStatus(status int) Kind {
	for _, k := range []Kind{
		Malformed, Invalid, Unauthenticated, Forbidden, NotFound, MethodNot, Conflict, Precondition, TooLarge, Unsupported,
		RateLimited, Unavailable, Timeout,
	} {
		if k.Status() == status {
			return k
		}
	}
	switch {
	case status == http.StatusBadGateway:
		return Unavailable
	case status >= 400 && status < 500:
		return Malformed
	default:
		return Internal
	}
}

// ProblemOf is what may be told about err. An untyped error becomes a constant text.
func ProblemOf(err error, requestID string) Problem {
	e := From(err)
	status := e.Kind.Status()
	if status == StatusCanceled {
		status = http.StatusServiceUnavailable
	}
	return Problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status,
		Detail: e.Message, Code: e.Code, RequestID: requestID, Errors: e.Fields,
	}
}

// Headers are the fields that belong to an error answer: WWW-Authenticate with 401 (RFC 6750 section 3) and Retry-After
// in whole seconds with 429 and 503 (RFC 9110 section 10.2.3).
func Headers(err error) http.Header {
	e, h := From(err), http.Header{}
	switch e.Kind {
	case Unauthenticated:
		h.Set("WWW-Authenticate", wwwAuthenticate(e.Code))
	case Unavailable, RateLimited, Canceled:
		h.Set("Retry-After", retryAfter(e.RetryAfter))
	default:
		if e.RetryAfter > 0 {
			h.Set("Retry-After", retryAfter(e.RetryAfter))
		}
	}
	return h
}

func retryAfter(d time.Duration) string {
	return strconv.Itoa(max(1, int(math.Ceil(d.Seconds()))))
}

func wwwAuthenticate(code string) string {
	if code == "token_missing" || code == string(Unauthenticated) {
		return `Bearer realm="atrium"`
	}
	return `Bearer realm="atrium", error="invalid_token", error_description="` + code + `"`
}

// WriteProblem answers with err as a problem. It must be called before anything else is written.
func WriteProblem(w http.ResponseWriter, err error, requestID string) {
	p := ProblemOf(err, requestID)
	h := w.Header()
	maps.Copy(h, Headers(err))
	h.Set("Content-Type", ContentType)
	h.Set("Cache-Control", "no-store")
	h.Del("Content-Length")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client may be gone; there is nobody else to tell
}
