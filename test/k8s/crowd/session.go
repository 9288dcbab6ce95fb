package crowd

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	authapi "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/test/e2e/client"
)

// errLater is an answer that asks to come back: no failure, but nothing was done.
var errLater = errors.New("not now")

// session is a device with its tokens, which its loops share.
type session struct {
	tally *Tally

	mu sync.Mutex
	c  *client.Client
}

func newSession(tally *Tally, c *client.Client) *session { return &session{tally: tally, c: c} }

// now is the device with the tokens that it has now.
func (s *session) now() *client.Client {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.c
}

// refresh trades the refresh token for the next. Losing the session here means that somebody is signed out who should not be.
func (s *session) refresh(ctx context.Context) {
	c := s.now()
	answer, err := ask(ctx, s.tally, "refresh", c, client.Request{
		Method: http.MethodPost, Path: authapi.Refresh.Path, Body: map[string]string{"refresh_token": c.Refresh},
	}, http.StatusOK)
	if err != nil {
		return
	}
	var tokens authapi.Tokens
	if err := json.Unmarshal(answer.Body, &tokens); err != nil {
		s.tally.failed("refresh", err)
		return
	}
	next := c.WithToken(tokens.AccessToken)
	next.Refresh = tokens.RefreshToken
	s.mu.Lock()
	s.c = next
	s.mu.Unlock()
}

// ask sends a request and counts how it went. Anything but the status that is wanted, or a 503 that says when to come back, is a failure.
func ask(ctx context.Context, tally *Tally, what string, c *client.Client, r client.Request, want int) (*client.Answer, error) {
	began := time.Now()
	answer, err := c.Try(ctx, r)
	switch {
	case err != nil:
		tally.failed(what, err)
		return nil, err
	case answer.Status == http.StatusServiceUnavailable && answer.Header.Get("Retry-After") != "":
		tally.later(what, answer)
		return nil, fmt.Errorf("%w: %s", errLater, answer)
	case answer.Status != want:
		err := fmt.Errorf("%s", answer)
		tally.failed(what, err)
		return nil, err
	}
	tally.ok(what, time.Since(began))
	return answer, nil
}
