package stream

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// events is a response of server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html).
type events struct {
	w       http.ResponseWriter
	control *http.ResponseController
}

// reconnectAfter is what browsers are told to wait before they connect again.
const reconnectAfter = 2 * time.Second

func openSSE(ctx context.Context, w http.ResponseWriter, _ *http.Request) (context.Context, carrier, error) {
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // proxies that would keep events back
	e := &events{w: w, control: http.NewResponseController(w)}
	w.WriteHeader(http.StatusOK)
	return ctx, e, e.write(fmt.Appendf(nil, "retry: %d\n\n", reconnectAfter.Milliseconds()))
}

func (e *events) send(ctx context.Context, m message) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	data, err := json.Marshal(m.Data)
	if err != nil {
		return fmt.Errorf("encode a message: %w", err)
	}
	var b bytes.Buffer
	_, _ = fmt.Fprintf(&b, "event: %s\n", m.Type)
	if m.ID != "" {
		_, _ = fmt.Fprintf(&b, "id: %s\n", m.ID)
	}
	_, _ = fmt.Fprintf(&b, "data: %s\n\n", data) // JSON has no line breaks
	begun := time.Now()
	if err := e.write(b.Bytes()); err != nil {
		return err
	}
	if time.Since(begun) > slowAfter {
		return errSlow
	}
	return nil
}

func (e *events) write(b []byte) error {
	if err := e.control.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
		return fmt.Errorf("set a deadline: %w", err)
	}
	if _, err := e.w.Write(b); err != nil {
		return fmt.Errorf("write an event: %w", err)
	}
	if err := e.control.Flush(); err != nil {
		return fmt.Errorf("write an event: %w", err)
	}
	return nil
}

func (e *events) end(why ending) {
	_ = e.send(context.Background(), message{Type: typeClose, Data: why}) // a client that is gone need not know
}

func (*events) drop() {}
