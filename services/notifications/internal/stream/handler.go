package stream

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/lifecycle"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/token"
	"github.com/atrium-mesh/atrium/services/notifications/api"
	"github.com/atrium-mesh/atrium/services/notifications/internal/recipients"
)

// Config is everything that a Handler needs.
type Config struct {
	Hub        *Hub
	Table      Table
	Watermarks *token.Watermarks
	Meter      metric.MeterProvider
	Clock      func() time.Time
	Heartbeat  time.Duration // 0: 20 s
}

// Handler implements [api.StreamNotifications].
type Handler struct {
	Config
	open metric.Int64UpDownCounter
}

// NewHandler makes a handler.
func NewHandler(c Config) (*Handler, error) {
	c.Heartbeat = cmp.Or(c.Heartbeat, heartbeat)
	open, err := c.Meter.Meter("atrium/notifications").Int64UpDownCounter("atrium.notifications.streams",
		metric.WithDescription("Live streams that are open."))
	if err != nil {
		return nil, fmt.Errorf("make the streams' metric: %w", err)
	}
	return &Handler{Config: c, open: open}, nil
}

// carrier is a WebSocket or a response of server-sent events.
type carrier interface {
	send(ctx context.Context, m message) error
	end(e ending)
	drop()
}

// Serve opens a stream and serves it until it ends. An error means that it was not opened.
func (h *Handler) Serve(w http.ResponseWriter, r *http.Request, in *api.StreamNotificationsRequest) error {
	ctx := r.Context()
	recipient, err := recipients.Caller(ctx)
	if err != nil {
		return err
	}
	wake, leave, err := h.Hub.Join(recipient) // before the table is read, so that nothing falls between
	if err != nil {
		return err
	}
	defer leave()
	seq, err := start(ctx, h.Table, recipient, cmp.Or(in.LastEventID, in.LastEventIDQuery))
	if err != nil {
		return fmt.Errorf("find where to begin: %w", err)
	}
	transport, open := "sse", openSSE
	if wantsWebSocket(r) {
		transport, open = "websocket", openWebSocket
	}
	who := authz.PrincipalFrom(ctx)
	ctx, c, err := open(ctx, w, r)
	if err != nil {
		return err
	}
	op.Annotate(ctx, slog.String("stream", transport))
	attrs := metric.WithAttributes(attribute.String("transport", transport))
	h.open.Add(ctx, 1, attrs)
	defer h.open.Add(context.WithoutCancel(ctx), -1, attrs)
	h.serve(ctx, c, who, &session{table: h.Table, recipient: recipient, send: c.send, seq: seq, unread: -1}, wake)
	return nil
}

func (h *Handler) serve(ctx context.Context, c carrier, who *authz.Principal, s *session, wake <-chan struct{}) {
	valid, unwatch := h.Watermarks.Watch(context.WithoutCancel(ctx), who)
	defer unwatch()
	expiry := time.NewTimer(who.ExpiresAt.Sub(h.Clock()))
	defer expiry.Stop()
	beat := time.NewTicker(h.Heartbeat)
	defer beat.Stop()
	e, err := s.run(ctx, limits{
		revoked: valid.Done(), expired: expiry.C, stopping: lifecycle.Stopping(ctx), beat: beat.C, wake: wake,
	}, h.Clock)
	switch {
	case errors.Is(err, errSlow):
		e = endSlow()
	case err != nil:
		op.Annotate(ctx, slog.String("stream_end", "client_gone"))
		c.drop()
		return
	}
	op.Annotate(ctx, slog.String("stream_end", e.Reason))
	c.end(e)
}

// wantsWebSocket reports whether a request asks for an upgrade (RFC 6455 section 4.2.1).
func wantsWebSocket(r *http.Request) bool {
	return strings.EqualFold(r.Header.Get("Upgrade"), "websocket")
}
