package stream

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/coder/websocket"

	"github.com/atrium-mesh/atrium/pkg/errs"
)

// readLimit bounds a message that a client sends; messages are ignored.
const readLimit = 4 << 10

// socket is a WebSocket with the goroutine that reads it, which notices when the client leaves and answers its pings.
type socket struct {
	conn *websocket.Conn
	gone chan struct{} // closed when reading has ended
}

// openWebSocket upgrades the request. The context that it returns ends when the client leaves. The origin is not looked at: the request
// carries a bearer token, which a browser never adds by itself; for cookies the gateway looks at it.
func openWebSocket(ctx context.Context, w http.ResponseWriter, r *http.Request) (context.Context, carrier, error) {
	if r.Header.Get("Sec-WebSocket-Version") != "13" || r.Header.Get("Sec-WebSocket-Key") == "" {
		return nil, nil, errs.New(errs.Malformed, "malformed_upgrade", "This is not a WebSocket handshake of version 13.")
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{InsecureSkipVerify: true, CompressionMode: websocket.CompressionDisabled})
	if err != nil {
		return nil, nil, errs.New(errs.Malformed, "malformed_upgrade", "The WebSocket handshake failed.").WithCause(err)
	}
	conn.SetReadLimit(readLimit)
	s := &socket{conn: conn, gone: make(chan struct{})}
	// At shutdown the server cancels the request at once, which would cut the connection before the close frame; Stopping tells us, too.
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	go func() {
		defer close(s.gone)
		defer cancel()
		s.read(ctx)
	}()
	return ctx, s, nil
}

func (s *socket) read(ctx context.Context) {
	for {
		_, r, err := s.conn.Reader(ctx)
		if err != nil {
			return
		}
		if _, err := io.Copy(io.Discard, r); err != nil {
			return
		}
	}
}

func (s *socket) send(ctx context.Context, m message) error {
	b, err := json.Marshal(m)
	if err != nil {
		return fmt.Errorf("encode a message: %w", err)
	}
	begun := time.Now()
	ctx, cancel := context.WithTimeout(ctx, writeWithin)
	defer cancel()
	if err := s.conn.Write(ctx, websocket.MessageText, b); err != nil {
		return fmt.Errorf("write to the WebSocket: %w", err)
	}
	if time.Since(begun) > slowAfter {
		return errSlow
	}
	return nil
}

// end says why and waits for the client to agree, for 5 seconds at most.
func (s *socket) end(e ending) {
	_ = s.conn.Close(e.Code, e.Reason) // a client that does not answer is gone
	s.drop()
}

func (s *socket) drop() {
	_ = s.conn.CloseNow()
	<-s.gone
}
