// Package client calls a gateway as any program outside the mesh would.
package client

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
	longestPause = 15 * time.Second
	maxAnswer    = 4 << 20
)

// Client calls one origin. HTTP decides on TLS, and on how long an answer may take beside what a context allows.
type Client struct {
	Origin string
	Token  string // sent with every request; "": none
	HTTP   *http.Client
}

// Request is what is asked for.
type Request struct {
	Method string
	Path   string
	Key    string // its Idempotency-Key; "": none
	Body   any    // sent as JSON; nil: none
}

// Problem is an answer that is not a success.
type Problem struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

func (p *Problem) Error() string {
	if p.Code == "" {
		return fmt.Sprintf("%d %s", p.Status, http.StatusText(p.Status))
	}
	return fmt.Sprintf("%d %s: %s", p.Status, p.Code, p.Detail)
}

// Refused says that err is the answer with this status, and with this code unless that is empty.
func Refused(err error, status int, code string) bool {
	p, ok := errors.AsType[*Problem](err)
	return ok && p.Status == status && (code == "" || p.Code == code)
}

// Once asks once and reads the answer into out, unless that is nil. A pause says how long to wait before another try, as the answer asks
// for; zero that there is no use.
func (c *Client) Once(ctx context.Context, r Request, out any) (pause time.Duration, err error) {
	request, err := c.request(ctx, r)
	if err != nil {
		return 0, err
	}
	response, err := c.HTTP.Do(request)
	if err != nil {
		return 0, err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return 0, fmt.Errorf("read the answer: %w", err)
	}
	if response.StatusCode < http.StatusMultipleChoices {
		if out == nil {
			return 0, nil
		}
		return 0, json.Unmarshal(answer, out)
	}
	p := &Problem{}
	_ = json.Unmarshal(answer, p) // an answer that is no problem keeps its status
	p.Status = response.StatusCode
	return retryAfter(response), p
}

func (c *Client) request(ctx context.Context, r Request) (*http.Request, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = json.Marshal(r.Body); err != nil {
			return nil, fmt.Errorf("encode the request: %w", err)
		}
	}
	request, err := http.NewRequestWithContext(ctx, r.Method, c.Origin+r.Path, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	if r.Body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if r.Key != "" {
		request.Header.Set("Idempotency-Key", r.Key)
	}
	if c.Token != "" {
		request.Header.Set("Authorization", "Bearer "+c.Token)
	}
	return request, nil
}

func retryAfter(response *http.Response) time.Duration {
	if response.StatusCode != http.StatusServiceUnavailable && response.StatusCode != http.StatusTooManyRequests {
		return 0
	}
	seconds, err := strconv.Atoi(response.Header.Get("Retry-After"))
	if err != nil || seconds < 1 {
		seconds = 1
	}
	return min(time.Duration(seconds)*time.Second, longestPause)
}
