package errs_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/atrium-mesh/atrium/pkg/errs"
)

var kinds = []errs.Kind{
	errs.Malformed, errs.Invalid, errs.Unauthenticated, errs.Forbidden, errs.NotFound, errs.MethodNot, errs.Conflict, errs.Precondition,
	errs.TooLarge, errs.Unsupported, errs.RateLimited, errs.Unavailable, errs.Timeout, errs.Canceled, errs.Internal,
}

func TestKindSurvivesWrappingAndTheWire(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		t.Run(string(k), func(t *testing.T) {
			t.Parallel()
			cause := errors.New("secret driver text")
			err := fmt.Errorf("far away: %w", errs.New(k, "some_code", "Safe.").WithCause(cause).WithRetryAfter(3*time.Second))
			require.ErrorIs(t, err, k)
			require.ErrorIs(t, err, cause)
			require.Equal(t, k, errs.KindOf(err))

			encoded := errs.Encode(err)
			require.NotContains(t, encoded, "secret")
			back := errs.Decode(encoded)
			require.ErrorIs(t, back, k)
			require.Equal(t, "some_code", back.Code)
			require.Equal(t, 3*time.Second, back.RetryAfter)
		})
	}
}

func TestFromUntyped(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		want errs.Kind
	}{
		"anything":          {errors.New("pq: boom"), errs.Internal},
		"deadline":          {fmt.Errorf("x: %w", context.DeadlineExceeded), errs.Timeout},
		"canceled":          {fmt.Errorf("x: %w", context.Canceled), errs.Canceled},
		"a bare kind":       {fmt.Errorf("x: %w", errs.NotFound), errs.NotFound},
		"an error in a set": {errors.Join(errors.New("a"), errs.New(errs.Conflict, "c", "C.")), errs.Conflict},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, errs.KindOf(c.err))
			require.NotContains(t, errs.ProblemOf(c.err, "id").Detail, "pq")
		})
	}
	require.Nil(t, errs.From(nil))
	require.Empty(t, errs.KindOf(nil))
}

func TestWriteProblem(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		t.Run(string(k), func(t *testing.T) {
			t.Parallel()
			w := httptest.NewRecorder()
			errs.WriteProblem(w, errs.New(k, "code", "Detail.").WithFields(errs.Field{Field: "body.x", Code: "c", Message: "m"}), "request")
			var p errs.Problem
			require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p))
			require.Equal(t, w.Code, p.Status)
			require.Equal(t, "code", p.Code)
			require.Equal(t, "request", p.RequestID)
			require.Equal(t, "body.x", p.Errors[0].Field)
			require.Equal(t, errs.ContentType, w.Header().Get("Content-Type"))
			require.Equal(t, k == errs.Unauthenticated, w.Header().Get("WWW-Authenticate") != "")
			if w.Code == http.StatusServiceUnavailable || w.Code == http.StatusTooManyRequests {
				require.NotEmpty(t, w.Header().Get("Retry-After"))
			}
			if k != errs.Canceled {
				require.Equal(t, k, errs.KindOfStatus(w.Code))
			}
		})
	}
}

func TestKindOfStatus(t *testing.T) {
	t.Parallel()
	require.Equal(t, errs.Unavailable, errs.KindOfStatus(http.StatusBadGateway))
	require.Equal(t, errs.Malformed, errs.KindOfStatus(http.StatusTeapot))
	require.Equal(t, errs.Internal, errs.KindOfStatus(599))
}

func TestWithReturnsCopies(t *testing.T) {
	t.Parallel()
	base := errs.New(errs.Invalid, "c", "m")
	_ = base.WithFields(errs.Field{Field: "a"}).WithRetryAfter(time.Second).WithCause(errors.New("x"))
	require.Empty(t, base.Fields)
	require.Zero(t, base.RetryAfter)
	require.Equal(t, "invalid c: m", base.Error())
	require.Equal(t, "body.email", errs.InvalidField("body.email", "format", "m").Fields[0].Field)
}

func TestKindsSayWhatCallersDo(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		if k.OpensBreaker() {
			require.GreaterOrEqual(t, k.Status(), 500, k)
		}
		if k.Retryable() {
			require.NotContains(t, []int{400, 401, 403, 404, 409, 412, 422}, k.Status(), k)
		}
	}
}

func TestDecodeNeverPanics(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		e := errs.Decode(rapid.String().Draw(t, "wire"))
		if strings.TrimSpace(string(e.Kind)) == "" {
			t.Fatal("no kind")
		}
	})
}
