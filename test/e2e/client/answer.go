package client

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
)

// Want fails the test unless the answer has this status.
func (a *Answer) Want(status int) *Answer {
	a.t.Helper()
	require.Equal(a.t, status, a.Status, a.String())
	return a
}

// WantProblem fails the test unless the answer is a whole problem (RFC 9457) with this status and code.
func (a *Answer) WantProblem(status int, code string) *Answer {
	a.t.Helper()
	a.Want(status)
	require.Equal(a.t, errs.ContentType, a.Header.Get("Content-Type"), a.String())
	require.Equal(a.t, "no-store", a.Header.Get("Cache-Control"), a.String())
	p := a.Problem()
	require.Equal(a.t, code, p.Code, a.String())
	require.Equal(a.t, status, p.Status, a.String())
	require.Equal(a.t, http.StatusText(status), p.Title, a.String())
	require.NotEmpty(a.t, p.Detail, a.String())
	require.NotEmpty(a.t, p.RequestID, a.String())
	require.Equal(a.t, a.Header.Get("X-Request-Id"), p.RequestID, a.String())
	switch status {
	case http.StatusUnauthorized:
		require.Contains(a.t, a.Header.Get("WWW-Authenticate"), "Bearer", a.String())
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		seconds, err := strconv.Atoi(a.Header.Get("Retry-After"))
		require.NoError(a.t, err, a.String())
		require.Positive(a.t, seconds, a.String())
	case http.StatusMethodNotAllowed:
		require.NotEmpty(a.t, a.Header.Get("Allow"), a.String())
	}
	return a
}

// WantField fails the test unless the problem names this field with this code.
func (a *Answer) WantField(field, code string) *Answer {
	a.t.Helper()
	for _, f := range a.Problem().Errors {
		if f.Field == field && f.Code == code {
			return a
		}
	}
	require.Fail(a.t, "no such field", "want %s %s in %s", field, code, a.String())
	return a
}

// Problem is the answer's problem; the zero value when it is none.
func (a *Answer) Problem() errs.Problem {
	var p errs.Problem
	if a.Status >= http.StatusBadRequest {
		_ = json.Unmarshal(a.Body, &p) // what is no problem has no code, and that is what is asserted
	}
	return p
}

// Decode reads the JSON of an answer.
func Decode[T any](a *Answer) T {
	a.t.Helper()
	var v T
	require.NoError(a.t, json.Unmarshal(a.Body, &v), a.String())
	return v
}

// ETag is the version of what was answered.
func (a *Answer) ETag() string { return a.Header.Get("ETag") }
