package inbox

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/lifecycle"
)

// Limits of a Store: the oldest messages go first.
const (
	MaxMessages = 1000
	MaxBytes    = 64 << 20
)

// Store keeps the last messages in memory and in a journal on disk. It is safe for concurrent use.
type Store struct {
	now     func() time.Time
	journal *journal

	mu       sync.Mutex
	messages []Message // oldest first
	seen     map[string]struct{}
	bytes    int
	changed  chan struct{} // closed and replaced at every change
	closed   bool
}

// Open reads the messages kept in dir, which is made when it is missing. The caller closes the Store.
func Open(dir string, now func() time.Time) (*Store, error) {
	j, kept, err := openJournal(dir)
	if err != nil {
		return nil, fmt.Errorf("open the inbox in %s: %w", dir, err)
	}
	s := &Store{now: now, journal: j, seen: map[string]struct{}{}, changed: make(chan struct{})}
	for _, m := range kept {
		s.remember(m)
	}
	return s, nil
}

// Add keeps a message and wakes who waits. It reports false when the recipient already has the mail: the same
// Message-ID for the same address is a delivery tried again.
func (s *Store) Add(m Message) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, duplicate := s.seen[deliveryKey(m)]; duplicate && m.MessageID != "" {
		return false, nil
	}
	id, err := uuid.NewV7()
	if err != nil {
		return false, fmt.Errorf("make a message id: %w", err)
	}
	m.ID, m.ReceivedAt = id.String(), s.now().UTC()
	if err := s.journal.append(m); err != nil {
		return false, fmt.Errorf("keep a message: %w", err)
	}
	s.remember(m)
	s.wake()
	if s.journal.overgrown() {
		return true, s.journal.rewrite(s.messages)
	}
	return true, nil
}

// Filter selects messages; its zero value selects all.
type Filter struct {
	To    string // an address, without regard to case
	Since string // the id of a message: only newer ones
}

func (f Filter) match(m Message) bool {
	return (f.To == "" || equalFold(f.To, m.To)) && m.ID > f.Since
}

// List returns the messages that match, newest last, never nil.
func (s *Store) List(f Filter) []Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.list(f)
}

// Wait is List that waits for a first match until ctx is done, its HTTP server stops or the store is closed; then it is empty.
func (s *Store) Wait(ctx context.Context, f Filter) []Message {
	for {
		s.mu.Lock()
		found, changed, closed := s.list(f), s.changed, s.closed
		s.mu.Unlock()
		if len(found) > 0 || closed {
			return found
		}
		select {
		case <-ctx.Done():
			return found
		case <-lifecycle.Stopping(ctx):
			return found
		case <-changed:
		}
	}
}

// Get returns one message.
func (s *Store) Get(id string) (Message, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i, ok := slices.BinarySearchFunc(s.messages, id, func(m Message, id string) int { return strings.Compare(m.ID, id) })
	if !ok {
		return Message{}, false
	}
	return s.messages[i], true
}

// Clear forgets every message.
func (s *Store) Clear() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.journal.rewrite(nil); err != nil {
		return fmt.Errorf("clear the inbox: %w", err)
	}
	s.messages, s.seen, s.bytes = nil, map[string]struct{}{}, 0
	s.wake()
	return nil
}

// Close ends every Wait and closes the journal.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	s.wake()
	return s.journal.close()
}

func (s *Store) list(f Filter) []Message {
	found := []Message{}
	for _, m := range s.messages {
		if f.match(m) {
			found = append(found, m)
		}
	}
	return found
}

func (s *Store) remember(m Message) {
	s.messages = append(s.messages, m)
	s.seen[deliveryKey(m)] = struct{}{}
	s.bytes += m.Size
	for len(s.messages) > MaxMessages || (s.bytes > MaxBytes && len(s.messages) > 1) {
		oldest := s.messages[0]
		s.messages = s.messages[1:]
		delete(s.seen, deliveryKey(oldest))
		s.bytes -= oldest.Size
	}
}

func (s *Store) wake() {
	close(s.changed)
	s.changed = make(chan struct{})
}

func deliveryKey(m Message) string { return m.MessageID + "\x00" + strings.ToLower(m.To) }
