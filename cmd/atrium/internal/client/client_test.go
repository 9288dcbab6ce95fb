package client_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/client"
)

func TestOnce(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		status     int
		retryAfter string
		answer     string
		pause      time.Duration
		problem    string // "": none
	}{
		"success":                        {status: http.StatusCreated, answer: `{"id":"x"}`},
		"problem":                        {status: http.StatusConflict, answer: `{"status":409,"code":"email_taken","detail":"There is one."}`, problem: "409 email_taken: There is one."},
		"page of somebody in between":    {status: http.StatusBadGateway, answer: "<html>", problem: "502 Bad Gateway"},
		"told to wait":                   {status: http.StatusTooManyRequests, retryAfter: "3", answer: `{"code":"rate_limited","detail":"Slowly."}`, pause: 3 * time.Second, problem: "429 rate_limited: Slowly."},
		"told to wait for a long time":   {status: http.StatusServiceUnavailable, retryAfter: "3600", pause: 15 * time.Second, problem: "503 Service Unavailable"},
		"away, and nobody says how long": {status: http.StatusServiceUnavailable, pause: time.Second, problem: "503 Service Unavailable"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				body, err := io.ReadAll(r.Body)
				if err != nil || string(body) != `{"a":1}` || r.Header.Get("Authorization") != "Bearer token" || r.Header.Get("Idempotency-Key") != "key" {
					w.WriteHeader(http.StatusTeapot)
					return
				}
				w.Header().Set("Retry-After", tc.retryAfter)
				w.WriteHeader(tc.status)
				_, _ = io.WriteString(w, tc.answer)
			}))
			defer server.Close()
			c := &client.Client{Origin: server.URL, Token: "token", HTTP: server.Client()}
			var out struct{ ID string }
			pause, err := c.Once(t.Context(), client.Request{Method: http.MethodPost, Path: "/", Key: "key", Body: map[string]int{"a": 1}}, &out)
			require.Equal(t, tc.pause, pause)
			if tc.problem == "" {
				require.NoError(t, err)
				require.Equal(t, "x", out.ID)
				return
			}
			require.EqualError(t, err, tc.problem)
			require.True(t, client.Refused(err, tc.status, ""))
			require.False(t, client.Refused(err, tc.status, "another_code"))
		})
	}
}
