package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

const (
	tries        = 5
	requestLimit = 30 * time.Second
	longestPause = 15 * time.Second
	maxAnswer    = 4 << 20
)

// client calls the gateway as any client would.
type client struct {
	origin string
	token  string
	http   *http.Client
}

// problem is an answer that is not a success.
type problem struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

func (p *problem) Error() string { return fmt.Sprintf("%d %s: %s", p.Status, p.Code, p.Detail) }

// isConflict says that what was asked for is there already.
func isConflict(err error) bool {
	p, ok := errors.AsType[*problem](err)
	return ok && p.Status == http.StatusConflict
}

// call sends body as JSON and reads the answer into out, when they are not nil. It waits and tries again when it is told to.
func (c *client) call(ctx context.Context, method, path, idempotencyKey string, body, out any) error {
	var encoded []byte
	if body != nil {
		var err error
		if encoded, err = json.Marshal(body); err != nil {
			return fmt.Errorf("encode the request: %w", err)
		}
	}
	for try := 1; ; try++ {
		pause, err := c.once(ctx, method, path, idempotencyKey, encoded, out)
		if err == nil {
			return nil
		}
		if pause == 0 || try == tries {
			return fmt.Errorf("%s %s: %w", method, path, err)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}

// once is one request. A pause says how long to wait before another try; zero that there is no use.
func (c *client) once(ctx context.Context, method, path, key string, body []byte, out any) (pause time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestLimit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, c.origin+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if key != "" {
		request.Header.Set("Idempotency-Key", key)
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return 0, err
	}
	if response.StatusCode < 300 {
		if out == nil {
			return 0, nil
		}
		return 0, json.Unmarshal(answer, out)
	}
	p := &problem{Status: response.StatusCode}
	_ = json.Unmarshal(answer, p) // an answer that is no problem keeps its status
	return retryAfter(response), p
}

func retryAfter(response *http.Response) time.Duration {
	if response.StatusCode != http.StatusTooManyRequests && response.StatusCode != http.StatusServiceUnavailable {
		return 0
	}
	seconds, err := strconv.Atoi(response.Header.Get("Retry-After"))
	if err != nil || seconds < 1 {
		seconds = 1
	}
	return min(time.Duration(seconds)*time.Second, longestPause)
}
