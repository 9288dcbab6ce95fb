package test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/token/tokentest"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/notifications/api"
)

// received is a message of a stream, whatever carried it.
type received struct {
	Type string          `json:"type"`
	ID   string          `json:"id"`
	Data json.RawMessage `json:"data"`
}

// follower is an open stream.
type follower struct {
	t        *testing.T
	messages chan received
	ended    chan error // how it ended: a websocket.CloseError, or nil for the end of a response
	hangUp   func()
}

// next is the next message of a type, pings aside; others may come before it when others is true.
func (f *follower) next(typ string, others bool) received {
	f.t.Helper()
	deadline := time.NewTimer(soon)
	defer deadline.Stop()
	for {
		select {
		case m := <-f.messages:
			if m.Type == typ {
				return m
			}
			require.True(f.t, others || m.Type == "ping", "%s instead of %s", m.Type, typ)
		case <-deadline.C:
			require.FailNow(f.t, "nothing arrives", typ)
		}
	}
}

func (f *follower) title() string {
	f.t.Helper()
	var n api.Notification
	m := f.next("notification", true)
	require.NoError(f.t, json.Unmarshal(m.Data, &n))
	require.Equal(f.t, m.ID, n.ID.String())
	return n.Title
}

func (f *follower) unread() int64 {
	f.t.Helper()
	var c api.UnreadCount
	require.NoError(f.t, json.Unmarshal(f.next("unread_count", false).Data, &c))
	return c.Unread
}

// opener opens a stream of one kind.
type opener func(t *testing.T, url, token, lastEventID string) *follower

func openers() map[string]opener {
	return map[string]opener{"websocket": openWebSocket, "sse": openSSE}
}

func openWebSocket(t *testing.T, url, token, lastEventID string) *follower {
	t.Helper()
	url += "/api/v1/notifications/stream"
	if lastEventID != "" {
		url += "?last_event_id=" + lastEventID
	}
	conn, _, err := websocket.Dial(t.Context(), url, &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + token}}})
	require.NoError(t, err)
	conn.SetReadLimit(1 << 20)
	f := &follower{t: t, messages: make(chan received, 4096), ended: make(chan error, 1), hangUp: func() { _ = conn.CloseNow() }}
	go func() {
		for {
			_, b, err := conn.Read(context.WithoutCancel(t.Context()))
			if err != nil {
				f.ended <- err
				return
			}
			var m received
			if err := json.Unmarshal(b, &m); err != nil {
				f.ended <- err
				return
			}
			f.messages <- m
		}
	}()
	t.Cleanup(f.hangUp)
	return f
}

func openSSE(t *testing.T, url, token, lastEventID string) *follower {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/api/v1/notifications/stream", http.NoBody)
	require.NoError(t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	req.Header.Set("Accept", "text/event-stream")
	if lastEventID != "" {
		req.Header.Set("Last-Event-ID", lastEventID)
	}
	res, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(req)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
	f := &follower{t: t, messages: make(chan received, 4096), ended: make(chan error, 1), hangUp: cancel}
	go func() {
		defer res.Body.Close()
		f.ended <- readEvents(bufio.NewScanner(res.Body), f.messages)
	}()
	t.Cleanup(cancel)
	return f
}

// readEvents reads server-sent events until the response ends. A close event ends it as a close frame ends a WebSocket.
func readEvents(lines *bufio.Scanner, out chan<- received) error {
	var m received
	var end error
	for lines.Scan() {
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch field {
		case "event":
			m.Type = value
		case "id":
			m.ID = value
		case "data":
			m.Data = json.RawMessage(value)
		case "":
			if m.Type == "close" {
				var e struct {
					Code   websocket.StatusCode
					Reason string
				}
				if err := json.Unmarshal(m.Data, &e); err != nil {
					return err
				}
				end = websocket.CloseError{Code: e.Code, Reason: e.Reason}
			} else if m.Type != "" {
				out <- m
			}
			m = received{}
		}
	}
	return end
}

func (f *follower) requireEnd(code websocket.StatusCode, reason string) {
	f.t.Helper()
	select {
	case err := <-f.ended:
		var closed websocket.CloseError
		require.True(f.t, errors.As(err, &closed), "%v", err)
		require.Equal(f.t, websocket.CloseError{Code: code, Reason: reason}, closed)
	case <-time.After(soon):
		require.FailNow(f.t, "the stream does not end")
	}
}

//nolint:paralleltest // the steps of one story, in order
func TestStream(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two := w.start(), w.start() // two replicas: what one makes, streams at the other receive
	people := w.known("Ada", "Grace")
	for name, open := range openers() {
		t.Run(name+"/live, at another replica, and only one's own", func(t *testing.T) {
			ada := w.known("Ada-" + name)[0]
			f := open(t, two.URL, w.issuer.SignUser(ada.id.String()), "")
			require.Zero(t, f.unread())
			begun := time.Now()
			w.send(one.URL, "first", ada, people[1])
			require.Equal(t, "first", f.title())
			t.Logf("from the request to the stream at the other replica: %s", time.Since(begun))
			require.EqualValues(t, 1, f.unread())
			w.send(one.URL, "second", ada)
			require.Equal(t, "second", f.title())
			require.EqualValues(t, 2, f.unread())
			call(t, http.MethodPost, one.URL+"/api/v1/notifications/read-all", w.issuer.SignUser(ada.id.String()), nil)
			require.Zero(t, f.unread())
		})

		t.Run(name+"/what was missed comes first, in order and once", func(t *testing.T) {
			ada := w.known("Ada-missed-" + name)[0]
			token := w.issuer.SignUser(ada.id.String())
			f := open(t, one.URL, token, "")
			require.Zero(t, f.unread())
			w.send(one.URL, "m0", ada)
			last := f.next("notification", false).ID
			f.hangUp()
			for _, title := range []string{"m1", "m2", "m3"} {
				w.send(one.URL, title, ada)
			}
			f = open(t, two.URL, token, last)
			for _, title := range []string{"m1", "m2", "m3"} {
				require.Equal(t, title, f.title())
			}
			require.EqualValues(t, 4, f.unread())
			w.send(one.URL, "m4", ada)
			require.Equal(t, "m4", f.title())
		})

		t.Run(name+"/a revoked session ends it", func(t *testing.T) {
			ada := w.known("Ada-revoked-" + name)[0]
			claims := tokentest.Claims{Subject: ada.id.String(), SessionID: newID(t).String()}
			f := open(t, two.URL, w.issuer.Sign(claims), "")
			other := open(t, two.URL, w.issuer.SignUser(ada.id.String()), "")
			f.unread()
			other.unread()
			begun := time.Now()
			publish(t.Context(), t, w.auth, auth.WatermarkRaised, ada.id, auth.WatermarkRaisedData{
				Scope: "session", ID: claims.SessionID, NotBefore: time.Now().Add(time.Second), ExpiresAt: time.Now().Add(time.Hour),
			})
			f.requireEnd(4401, "session_revoked")
			t.Logf("from the revocation to the end of the stream: %s", time.Since(begun))
			w.send(one.URL, "still here", ada)
			require.Equal(t, "still here", other.title())
		})

		t.Run(name+"/it ends with the token", func(t *testing.T) {
			ada := people[0]
			token := w.issuer.Sign(tokentest.Claims{Subject: ada.id.String(), ExpiresAt: time.Now().Add(1500 * time.Millisecond)})
			f := open(t, one.URL, token, "")
			f.requireEnd(4408, "token_expired")
		})

		t.Run(name+"/too many", func(t *testing.T) {
			token := w.issuer.SignUser(newID(t).String())
			var streams []*follower
			for range 20 {
				f := open(t, one.URL, token, "")
				f.unread()
				streams = append(streams, f)
			}
			got := call(t, http.MethodGet, one.URL+"/api/v1/notifications/stream", token, nil)
			require.Equal(t, http.StatusTooManyRequests, got.status)
			require.Equal(t, "too_many_streams", got.code(t))
			streams[0].hangUp()
			w.eventually(func() bool {
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				conn, _, err := websocket.Dial(ctx, one.URL+"/api/v1/notifications/stream", &websocket.DialOptions{HTTPHeader: http.Header{"Authorization": {"Bearer " + token}}})
				if err == nil {
					_ = conn.CloseNow()
				}
				return err == nil
			}, "one that ends makes room")
			for _, f := range streams {
				f.hangUp()
			}
		})

		t.Run(name+"/a shutdown says so", func(t *testing.T) {
			three := w.start()
			f := open(t, three.URL, w.issuer.SignUser(people[0].id.String()), "")
			f.unread()
			three.Stop(t)
			f.requireEnd(websocket.StatusServiceRestart, "service_restart")
		})
	}

	t.Run("what cannot be opened is a problem", func(t *testing.T) {
		token := w.issuer.SignUser(people[0].id.String())
		got := call(t, http.MethodGet, one.URL+"/api/v1/notifications/stream?last_event_id=nonsense", token, nil)
		require.Equal(t, http.StatusUnprocessableEntity, got.status)
		got = call(t, http.MethodGet, one.URL+"/api/v1/notifications/stream", token, nil, "Upgrade", "websocket", "Connection", "Upgrade")
		require.Equal(t, http.StatusBadRequest, got.status)
		require.Equal(t, "malformed_upgrade", got.code(t))
	})

	t.Run("what a client says is ignored, up to a size", func(t *testing.T) {
		conn, _, err := websocket.Dial(t.Context(), one.URL+"/api/v1/notifications/stream", &websocket.DialOptions{
			HTTPHeader: http.Header{"Authorization": {"Bearer " + w.issuer.SignUser(people[0].id.String())}},
		})
		require.NoError(t, err)
		defer func() { _ = conn.CloseNow() }()
		require.NoError(t, conn.Write(t.Context(), websocket.MessageText, []byte(`{"hello":"world"}`)))
		require.NoError(t, conn.Ping(conn.CloseRead(t.Context())))
		_ = conn.Write(t.Context(), websocket.MessageText, make([]byte, 64<<10)) // may fail already
		require.Error(t, conn.Ping(t.Context()))
	})

	t.Run("alerts of auth's events are live, too", func(t *testing.T) {
		ada := people[0]
		f := openWebSocket(t, one.URL, w.issuer.SignUser(ada.id.String()), "")
		f.unread()
		publish(t.Context(), t, w.auth, auth.PasswordChanged, ada.id, auth.PasswordChangedData{AccountID: ada.id, At: time.Now()})
		require.Equal(t, "Your password was changed", f.title())
	})
}
