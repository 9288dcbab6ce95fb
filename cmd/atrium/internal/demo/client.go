package demo

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/atrium-mesh/atrium/cmd/atrium/internal/client"
)

const (
	tries        = 5
	requestLimit = 30 * time.Second
)

// caller calls the gateway, and waits and tries again a few times when it is told to.
type caller struct{ client.Client }

func newCaller(origin string, calls *http.Client) *caller {
	return &caller{client.Client{Origin: origin, HTTP: calls}}
}

// call sends body as JSON and reads the answer into out, when they are not nil.
func (c *caller) call(ctx context.Context, method, path, idempotencyKey string, body, out any) error {
	r := client.Request{Method: method, Path: path, Key: idempotencyKey, Body: body}
	for try := 1; ; try++ {
		pause, err := c.once(ctx, r, out)
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

func (c *caller) once(ctx context.Context, r client.Request, out any) (pause time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestLimit)
	defer cancel()
	return c.Once(ctx, r, out)
}
