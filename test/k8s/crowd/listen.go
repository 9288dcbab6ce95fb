package crowd

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/coder/websocket"

	notificationsapi "github.com/atrium-mesh/atrium/services/notifications/api"
	"github.com/atrium-mesh/atrium/test/e2e/client"
)

// reopenAfter is the pause before a stream that ended is opened again.
const reopenAfter = 250 * time.Millisecond

// listen keeps a WebSocket open until ctx is done. When it ends it is opened again after what came last: that is no failure, a second
// attempt that fails without being told to come back is.
func (p *Person) listen(ctx context.Context) {
	for first := true; ; first = false {
		conn, ok := p.open(ctx)
		if ok {
			if !first {
				p.tally.resumed()
			}
			p.receive(ctx, conn)
			_ = conn.CloseNow() // it has ended
		}
		if !wait(ctx, reopenAfter) {
			return
		}
	}
}

func (p *Person) open(ctx context.Context) (*websocket.Conn, bool) {
	query := ""
	p.mu.Lock()
	if p.last != "" {
		query = "?" + url.Values{"last_event_id": {p.last}}.Encode()
	}
	p.mu.Unlock()
	c, began := p.session.now(), time.Now()
	conn, response, err := c.DialWebSocket(http.Header{"Authorization": {"Bearer " + c.Access}}, query) //nolint:bodyclose,contextcheck // the connection owns it; the client has the context of its test
	switch {
	case ctx.Err() != nil:
		return conn, conn != nil
	case err == nil:
		p.tally.ok("stream", time.Since(began))
		return conn, true
	case response != nil && response.StatusCode == http.StatusServiceUnavailable && response.Header.Get("Retry-After") != "":
		p.tally.later("stream", told(response.Status))
	default:
		p.tally.failed("stream", err)
	}
	return nil, false
}

// told is an answer of which only the status is known.
type told string

// String is the status.
func (t told) String() string { return string(t) }

func (p *Person) receive(ctx context.Context, conn *websocket.Conn) {
	conn.SetReadLimit(1 << 20)
	for {
		_, raw, err := conn.Read(ctx)
		if err != nil {
			return
		}
		var m client.Message
		var n notificationsapi.Notification
		if err := json.Unmarshal(raw, &m); err != nil {
			p.tally.failed("stream", err)
			return
		}
		if m.Type != "notification" {
			continue
		}
		if err := json.Unmarshal(m.Data, &n); err != nil {
			p.tally.failed("stream", err)
			return
		}
		p.mu.Lock()
		p.received[n.Title]++
		p.last = m.ID
		p.mu.Unlock()
	}
}
