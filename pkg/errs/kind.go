package errs

// Kind says what went wrong, in the few words that decide the HTTP status, whether a caller may retry, what an event consumer
// does with the event, and whether a circuit breaker counts it. A Kind is an error: use it as the target of errors.Is.
type Kind string

// The kinds. Their texts are stable: they travel in NATS headers.
const (
	Malformed       Kind = "malformed"       // 400: cannot be read at all
	Invalid         Kind = "invalid"         // 422: can be read, breaks a rule; has fields
	Unauthenticated Kind = "unauthenticated" // 401: who is it?
	Forbidden       Kind = "forbidden"       // 403: known, and may not
	NotFound        Kind = "not_found"       // 404
	MethodNot       Kind = "method_not_allowed"
	Conflict        Kind = "conflict"          // 409: clashes with what is there
	Precondition    Kind = "precondition"      // 412: stale If-Match
	TooLarge        Kind = "too_large"         // 413
	Unsupported     Kind = "unsupported_media" // 415
	RateLimited     Kind = "rate_limited"      // 429, later
	Unavailable     Kind = "unavailable"       // 503: a dependency is away, try again
	Timeout         Kind = "timeout"           // 504: the deadline passed
	Canceled        Kind = "canceled"          // 499 in the log only: the caller left
	Internal        Kind = "internal"          // 500: a fault of ours
)

// Error makes a Kind usable as the target of errors.Is.
func (k Kind) Error() string { return string(k) }

// Retryable reports whether the same call may succeed later without being changed.
func (k Kind) Retryable() bool {
	switch k {
	case Unavailable, Timeout, RateLimited, Canceled:
		return true
	default:
		return false
	}
}

// OpensBreaker reports whether a circuit breaker counts an error of this kind as a failure of the upstream.
func (k Kind) OpensBreaker() bool {
	switch k {
	case Unavailable, Timeout, Internal:
		return true
	default:
		return false
	}
}

// parseKind turns a kind's text back into it; an unknown text is Internal.
func parseKind(s string) Kind {
	switch k := Kind(s); k {
	case Malformed, Invalid, Unauthenticated, Forbidden, NotFound, MethodNot, Conflict, Precondition, TooLarge, Unsupported,
		RateLimited, Unavailable, Timeout, Canceled:
		return k
	default:
		return Internal
	}
}
