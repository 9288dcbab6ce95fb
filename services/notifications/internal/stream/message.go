package stream

import (
	"time"

	"github.com/coder/websocket"

	"github.com/atrium-mesh/atrium/services/notifications/api"
)

// The types of messages.
const (
	typeNotification = "notification"
	typeUnread       = "unread_count"
	typeResync       = "resync"
	typePing         = "ping"
	typeClose        = "close"
)

// message is what a stream sends, whatever carries it.
type message struct {
	Type string `json:"type"`
	ID   string `json:"id,omitempty"`
	Data any    `json:"data"`
}

type ping struct {
	At time.Time `json:"at"`
}

type empty struct{}

// ending is why a stream ends, as a WebSocket close code (RFC 6455 section 7.4.2: 4000 to 4999 are for applications) and a word.
type ending struct {
	Code   websocket.StatusCode `json:"code"`
	Reason string               `json:"reason"`
}

// The endings. Their codes are part of the contract.
func endRevoked() ending { return ending{4401, "session_revoked"} }
func endExpired() ending { return ending{4408, "token_expired"} }
func endSlow() ending    { return ending{4413, "slow_consumer"} }
func endRestart() ending { return ending{websocket.StatusServiceRestart, "service_restart"} }

func unread(n int64) message { return message{Type: typeUnread, Data: api.UnreadCount{Unread: n}} }
