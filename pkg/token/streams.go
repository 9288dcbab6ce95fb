package token

import (
	"context"
	"time"

	"github.com/atrium-mesh/atrium/pkg/authz"
)

// stream is somebody who must be told when the right to go on ends.
type stream struct {
	keys     []markKey
	issuedAt time.Time // zero: any mark that is raised ends it
	end      func()
}

// Subscribe returns a channel that is closed by the next watermark raised for the subject or, unless empty, the session. The second
// value ends the subscription and must be called. Watermarks already in force do not count; [Watermarks.Watch], which knows the
// token, has no such gap.
func (w *Watermarks) Subscribe(subject, sessionID string) (<-chan struct{}, func()) {
	revoked := make(chan struct{})
	s := newStream(subject, sessionID, func() { close(revoked) })
	w.mu.Lock()
	w.add(s)
	w.mu.Unlock()
	return revoked, func() { w.unsubscribe(s) }
}

// Watch returns a context that ends, with the error of a revoked token as its cause, when the principal's token is revoked. It has
// ended already when the token was revoked before. The function must be called when the stream is over.
func (w *Watermarks) Watch(ctx context.Context, p *authz.Principal) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	s := newStream(p.Subject, p.SessionID, func() { cancel(errRevoked()) })
	s.issuedAt = p.IssuedAt
	if p.KeyID != "" {
		s.keys = append(s.keys, markKey{ScopeKey, p.KeyID})
	}
	now := w.clock()

	w.mu.Lock()
	void := w.revoked(p, now)
	if !void {
		w.add(s)
	}
	w.mu.Unlock()
	if void {
		s.end()
	}
	return ctx, func() {
		w.unsubscribe(s)
		cancel(context.Canceled)
	}
}

// Streams is how many subscriptions there are.
func (w *Watermarks) Streams() int {
	w.mu.RLock()
	defer w.mu.RUnlock()
	n := 0
	for key, streams := range w.streams {
		if key.scope == ScopeUser { // every stream has one
			n += len(streams)
		}
	}
	return n
}

func newStream(subject, sessionID string, end func()) *stream {
	s := &stream{keys: []markKey{{ScopeUser, subject}}, end: end}
	if sessionID != "" {
		s.keys = append(s.keys, markKey{ScopeSession, sessionID})
	}
	return s
}

func (w *Watermarks) add(s *stream) {
	for _, key := range s.keys {
		if w.streams[key] == nil {
			w.streams[key] = map[*stream]struct{}{}
		}
		w.streams[key][s] = struct{}{}
	}
}

func (w *Watermarks) unsubscribe(s *stream) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.remove(s)
}

func (w *Watermarks) remove(s *stream) {
	for _, key := range s.keys {
		delete(w.streams[key], s)
		if len(w.streams[key]) == 0 {
			delete(w.streams, key)
		}
	}
}

// voidStreams forgets the streams of key whose token a mark voids, and returns them. They are ended outside of the lock.
func (w *Watermarks) voidStreams(key markKey, m mark) []*stream {
	var void []*stream
	for s := range w.streams[key] {
		if m.voids(key, s.issuedAt) {
			w.remove(s)
			void = append(void, s)
		}
	}
	return void
}
