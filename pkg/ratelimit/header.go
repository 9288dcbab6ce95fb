package ratelimit

import (
	"net/http"
	"strconv"
	"time"
)

// WriteHeader adds to h what a client should know of a decision: the fields RateLimit-Policy and RateLimit
// (draft-ietf-httpapi-ratelimit-headers-10), and Retry-After when it was refused. It adds nothing when there is no limit. Several
// policies may be written to one answer.
func WriteHeader(h http.Header, name string, l Limit, d Decision) {
	if l.Off() || d.Limit == 0 {
		return
	}
	policy := strconv.Quote(name)
	h.Add("RateLimit-Policy", policy+";q="+strconv.Itoa(l.Count)+";w="+seconds(l.Period))
	h.Add("RateLimit", policy+";r="+strconv.Itoa(d.Remaining)+";t="+seconds(min(d.ResetAfter, l.Period)))
	if !d.Allowed {
		h.Set("Retry-After", seconds(max(d.RetryAfter, time.Second)))
	}
}

// seconds rounds up, so that who waits that long has waited long enough.
func seconds(d time.Duration) string {
	return strconv.FormatInt(int64((max(d, 0)+time.Second-1)/time.Second), 10)
}
