package client

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	notificationsapi "github.com/atrium-mesh/atrium/services/notifications/api"
)

// Message is one of the live stream, the same over WebSocket and server-sent events.
type Message struct {
	Type string          `json:"type"`
	ID   string          `json:"id"`
	Data json.RawMessage `json:"data"`
}

// Stream is an open live stream.
type Stream struct {
	Messages <-chan Message
	Ended    <-chan struct{} // closed once the server has ended it

	c       *Client
	endedAt time.Time
	err     error // both once Ended is closed
}

// reader yields a stream's messages; its error is the end.
type reader func() (Message, error)

func (c *Client) stream(next reader, closeNow func()) *Stream {
	messages, ended, closing := make(chan Message, 256), make(chan struct{}), make(chan struct{})
	s := &Stream{Messages: messages, Ended: ended, c: c}
	go func() {
		defer close(ended)
		for {
			m, err := next()
			if err != nil {
				s.err, s.endedAt = err, time.Now()
				return
			}
			select {
			case messages <- m:
			case <-closing:
			}
		}
	}()
	c.t.Cleanup(func() {
		close(closing)
		closeNow()
		<-ended
	})
	return s
}

// WebSocket opens the live stream as a WebSocket.
func (c *Client) WebSocket() *Stream {
	c.t.Helper()
	conn, response, err := c.DialWebSocket(http.Header{"Authorization": {"Bearer " + c.Access}}, "") //nolint:bodyclose // the connection owns it
	require.NoError(c.t, err, "open a WebSocket: %v", response)
	ctx, cancel := context.WithCancel(context.WithoutCancel(c.t.Context()))
	return c.stream(func() (Message, error) {
		_, raw, err := conn.Read(ctx)
		if err != nil {
			return Message{}, err
		}
		var m Message
		return m, json.Unmarshal(raw, &m)
	}, func() {
		cancel()
		_ = conn.CloseNow() // ended already
	})
}

// DialWebSocket opens a WebSocket with these header fields and this query, and returns what was answered when it is refused.
func (c *Client) DialWebSocket(header http.Header, query string) (*websocket.Conn, *http.Response, error) {
	ctx, cancel := context.WithTimeout(c.t.Context(), timeout)
	defer cancel()
	address := "ws" + strings.TrimPrefix(c.Gateway, "http") + notificationsapi.StreamNotifications.Path + query
	return websocket.Dial(ctx, address, &websocket.DialOptions{
		HTTPHeader: header, HTTPClient: &http.Client{Jar: c.http.Jar, Transport: c.http.Transport},
	})
}

// Events opens the live stream as server-sent events, after the notification with this id unless it is "".
func (c *Client) Events(lastEventID string) *Stream {
	c.t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(c.t.Context()))
	request, err := c.request(ctx, Request{Method: http.MethodGet, Path: notificationsapi.StreamNotifications.Path})
	require.NoError(c.t, err)
	request.Header.Set("Accept", "text/event-stream")
	if lastEventID != "" {
		request.Header.Set("Last-Event-ID", lastEventID)
	}
	response, err := (&http.Client{Jar: c.http.Jar, Transport: c.http.Transport}).Do(request) // without a timeout
	require.NoError(c.t, err)
	require.Equal(c.t, http.StatusOK, response.StatusCode)
	require.True(c.t, strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream"), response.Header)
	lines := bufio.NewReader(response.Body)
	return c.stream(func() (Message, error) { return readEvent(lines) }, func() {
		cancel()
		_ = response.Body.Close() // was only read from
	})
}

// readEvent reads one server-sent event (https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation).
func readEvent(lines *bufio.Reader) (Message, error) {
	var m Message
	var data bytes.Buffer
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return Message{}, err
		}
		line = strings.TrimRight(line, "\r\n")
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimPrefix(value, " ")
		switch {
		case line == "" && m.Type != "":
			m.Data = data.Bytes()
			return m, nil
		case name == "event":
			m.Type = value
		case name == "id":
			m.ID = value
		case name == "data":
			data.WriteString(value)
		}
	}
}

// Wait returns the next message of a type, leaving out others.
func (s *Stream) Wait(kind string) Message {
	s.c.t.Helper()
	timer := time.NewTimer(Within)
	defer timer.Stop()
	for {
		select {
		case m := <-s.Messages:
			if m.Type == kind {
				return m
			}
		case <-s.Ended:
			require.Fail(s.c.t, "the stream has ended", "%v", s.err)
		case <-timer.C:
			require.Fail(s.c.t, "no such message", "%s did not come within %v", kind, Within)
		}
	}
}

// WaitNotification returns the next notification.
func (s *Stream) WaitNotification() notificationsapi.Notification {
	s.c.t.Helper()
	m := s.Wait("notification")
	var n notificationsapi.Notification
	require.NoError(s.c.t, json.Unmarshal(m.Data, &n), string(m.Data))
	require.Equal(s.c.t, n.ID.String(), m.ID)
	return n
}

// WaitUnread returns when the stream has said that this many are unread.
func (s *Stream) WaitUnread(want int64) {
	s.c.t.Helper()
	for {
		m := s.Wait("unread_count")
		var count notificationsapi.UnreadCount
		require.NoError(s.c.t, json.Unmarshal(m.Data, &count), string(m.Data))
		if count.Unread == want {
			return
		}
	}
}

// WaitEnd returns when the server has ended the stream: when that was, and how (a WebSocket's close code; "eof" for server-sent events).
func (s *Stream) WaitEnd() (time.Time, string) {
	s.c.t.Helper()
	timer := time.NewTimer(Within)
	defer timer.Stop()
	select {
	case <-s.Ended:
	case <-timer.C:
		require.Fail(s.c.t, "the stream goes on")
	}
	if code := websocket.CloseStatus(s.err); code >= 0 {
		return s.endedAt, fmt.Sprint(int(code))
	}
	if errors.Is(s.err, io.EOF) || errors.Is(s.err, io.ErrUnexpectedEOF) {
		return s.endedAt, "eof"
	}
	return s.endedAt, s.err.Error()
}

// Open sends a request whose answer may never end, and returns what it begins with: the status, and the body when it is refused.
func (c *Client) Open(r Request) *Answer {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), timeout)
	defer cancel()
	request, err := c.request(ctx, r)
	require.NoError(c.t, err)
	response, err := (&http.Client{Transport: c.http.Transport}).Do(request)
	require.NoError(c.t, err)
	defer response.Body.Close()
	answer := &Answer{Status: response.StatusCode, Header: response.Header, t: c.t, request: r.Method + " " + r.Path}
	if response.StatusCode >= http.StatusBadRequest {
		answer.Body, err = io.ReadAll(response.Body)
		require.NoError(c.t, err)
	}
	return answer
}
