package check

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

const longestPause = 15 * time.Second

// caller calls one origin as a client would.
type caller struct {
	origin string
	token  string
	http   *http.Client
	say    func(string)
}

// problem is an answer that is not a success.
type problem struct {
	Status int    `json:"status"`
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

func (p *problem) Error() string { return fmt.Sprintf("%d %s %s", p.Status, p.Code, p.Detail) }

// refused says that err is the answer with this status, and with this code unless that is empty.
func refused(err error, status int, code string) bool {
	p, ok := errors.AsType[*problem](err)
	return ok && p.Status == status && (code == "" || p.Code == code)
}

// call sends in as JSON and reads the answer into out, when they are not nil. It tries again as long as ctx allows when it is told to, and when
// nobody took the connection, so that nothing is done twice.
func (c *caller) call(ctx context.Context, method, path string, in, out any) error {
	var body []byte
	if in != nil {
		var err error
		if body, err = json.Marshal(in); err != nil {
			return fmt.Errorf("encode the request: %w", err)
		}
	}
	said := ""
	for {
		pause, err := c.once(ctx, method, path, body, out)
		if err == nil || pause == 0 {
			return err
		}
		if text := fmt.Sprintf("waiting: %s %s: %s", method, c.origin, cause(err)); text != said {
			said = text
			c.say(text)
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause):
		}
	}
}

// once is one request. A pause says how long to wait before another try; zero that there is no use.
func (c *caller) once(ctx context.Context, method, path string, body []byte, out any) (pause time.Duration, err error) {
	request, err := http.NewRequestWithContext(ctx, method, c.origin+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := c.http.Do(request)
	if err != nil {
		if dial, ok := errors.AsType[*net.OpError](err); ok && dial.Op == "dial" {
			return time.Second, err
		}
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
	if response.StatusCode != http.StatusServiceUnavailable && response.StatusCode != http.StatusTooManyRequests {
		return 0
	}
	seconds, err := strconv.Atoi(response.Header.Get("Retry-After"))
	if err != nil || seconds < 1 {
		seconds = 1
	}
	return min(time.Duration(seconds)*time.Second, longestPause)
}

// cause is an error without the request that it repeats.
func cause(err error) string {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		return wrapped.Err.Error()
	}
	return err.Error()
}
