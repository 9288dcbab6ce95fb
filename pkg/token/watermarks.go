package token

import (
	"crypto/sha256"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/authz"
)

// The scopes of a Watermark.
const (
	ScopeUser    = "user"    // ID is a subject
	ScopeSession = "session" // ID is a session's id
	ScopeKey     = "key"     // ID is the KeyID of a signing key that was withdrawn
)

// Watermark voids the tokens of a user or of a session that were issued before NotBefore. It is needed until ExpiresAt, when the last
// such token has expired by itself. Instants have milliseconds; a finer NotBefore is rounded up, which refuses rather than lets pass.
// That of a key voids every token that it signed, since whoever forges one chooses the instant of issue.
type Watermark struct {
	Scope     string    `json:"scope" enum:"user,session,key" doc:"Whose tokens: a user's, a session's, or those that a key signed" example:"session"`
	ID        string    `json:"id" doc:"The user's, the session's or the key's id" example:"0198f3c2-7b1e-7c3a-9f53-2d0c7a4e6b11"`
	NotBefore time.Time `json:"not_before" doc:"Tokens issued before this are void" example:"2026-01-02T15:04:05.678Z"`
	ExpiresAt time.Time `json:"expires_at" doc:"When the last of those tokens has expired by itself" example:"2026-01-02T15:19:05.678Z"`
}

// KeyID is what watermarks call the key with this kid: a UUID made of it (RFC 9562, section 5.8), since a kid may be any text.
func KeyID(kid string) string {
	return uuid.NewHash(sha256.New(), uuid.Nil, []byte(kid), 8).String()
}

type markKey struct{ scope, id string }

type mark struct{ notBefore, expiresAt time.Time }

// Watermarks are the revocations in force, and those who want to know of the next. Every operation is O(1), sweeping amortized. It
// holds what was raised and has not expired, and nothing else. It is safe for concurrent use.
type Watermarks struct {
	clock func() time.Time

	mu      sync.RWMutex
	marks   map[markKey]mark
	expiry  map[int64][]markKey // by the minute in which a mark may be dropped
	swept   int64               // every minute before this one has been swept
	streams map[markKey]map[*stream]struct{}
	synced  time.Time // as of when the marks are complete; zero: never yet
	created time.Time

	withdrawals atomic.Uint64 // how many marks of keys were raised
}

// NewWatermarks returns empty ones. A nil clock is time.Now.
func NewWatermarks(clock func() time.Time) *Watermarks {
	if clock == nil {
		clock = time.Now
	}
	now := clock()
	return &Watermarks{
		clock:   clock,
		marks:   map[markKey]mark{},
		expiry:  map[int64][]markKey{},
		swept:   minute(now),
		streams: map[markKey]map[*stream]struct{}{},
		created: now,
	}
}

// Raise puts a watermark in force and ends the streams that it voids. A watermark is never lowered: of two for the same id, the later
// instants count. It reports whether that changed anything; a mark that has expired or is malformed does not.
func (w *Watermarks) Raise(m Watermark) bool {
	if (m.Scope != ScopeUser && m.Scope != ScopeSession && m.Scope != ScopeKey) || m.ID == "" {
		return false
	}
	now := w.clock()
	if !m.ExpiresAt.After(now) {
		return false
	}
	void, changed := w.raise(markKey{m.Scope, m.ID}, mark{ceilMillisecond(m.NotBefore), m.ExpiresAt}, now)
	if changed && m.Scope == ScopeKey {
		w.withdrawals.Add(1)
	}
	for _, s := range void {
		s.end()
	}
	return changed
}

func (w *Watermarks) raise(key markKey, m mark, now time.Time) (void []*stream, changed bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sweep(now)
	old, known := w.marks[key]
	if known && !m.notBefore.After(old.notBefore) && !m.expiresAt.After(old.expiresAt) {
		return nil, false
	}
	next := mark{later(old.notBefore, m.notBefore), later(old.expiresAt, m.expiresAt)}
	w.marks[key] = next
	if !known || minute(next.expiresAt) != minute(old.expiresAt) {
		bucket := minute(next.expiresAt) + 1
		w.expiry[bucket] = append(w.expiry[bucket], key)
	}
	return w.voidStreams(key, next), true
}

// Revoked reports whether the principal's token is older than a watermark of its subject or its session, or its key was withdrawn.
func (w *Watermarks) Revoked(p *authz.Principal) bool {
	now := w.clock()
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.revoked(p, now)
}

// withdrawn reports whether the key that signed the principal's token was withdrawn.
func (w *Watermarks) withdrawn(p *authz.Principal) bool {
	now := w.clock()
	w.mu.RLock()
	defer w.mu.RUnlock()
	return w.keyVoid(p, now)
}

func (w *Watermarks) keyVoid(p *authz.Principal, now time.Time) bool {
	return p.KeyID != "" && w.void(markKey{ScopeKey, p.KeyID}, p.IssuedAt, now)
}

func (w *Watermarks) revoked(p *authz.Principal, now time.Time) bool {
	return w.void(markKey{ScopeUser, p.Subject}, p.IssuedAt, now) ||
		(p.SessionID != "" && w.void(markKey{ScopeSession, p.SessionID}, p.IssuedAt, now)) ||
		w.keyVoid(p, now)
}

func (w *Watermarks) void(key markKey, issuedAt, now time.Time) bool {
	m, ok := w.marks[key]
	return ok && m.voids(key, issuedAt) && now.Before(m.expiresAt)
}

func (m mark) voids(key markKey, issuedAt time.Time) bool {
	return key.scope == ScopeKey || issuedAt.Before(m.notBefore)
}

// Len is how many watermarks are held. It drops those that have expired.
func (w *Watermarks) Len() int {
	now := w.clock()
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sweep(now)
	return len(w.marks)
}

// Staleness is how old the knowledge is: the time since the last poll that succeeded began, or since w was made when none has.
func (w *Watermarks) Staleness() time.Duration {
	now := w.clock()
	w.mu.RLock()
	defer w.mu.RUnlock()
	return now.Sub(later(w.synced, w.created))
}

// Synced reports whether the marks have been complete once.
func (w *Watermarks) Synced() bool {
	w.mu.RLock()
	defer w.mu.RUnlock()
	return !w.synced.IsZero()
}

func (w *Watermarks) markSynced(asOf time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.synced = later(w.synced, asOf)
	w.sweep(w.clock())
}

// sweep drops the marks of the minutes that have passed. A mark whose expiry was moved has a later entry too, and stays for that one.
// A clock that jumps far ahead is caught up with by walking the buckets there are, not the minutes in between.
func (w *Watermarks) sweep(now time.Time) {
	current := minute(now)
	if current <= w.swept {
		return
	}
	if current-w.swept > int64(len(w.expiry)) {
		for bucket := range w.expiry {
			if bucket <= current {
				w.drop(bucket, now)
			}
		}
	} else {
		for bucket := w.swept + 1; bucket <= current; bucket++ {
			w.drop(bucket, now)
		}
	}
	w.swept = current
}

func (w *Watermarks) drop(bucket int64, now time.Time) {
	for _, key := range w.expiry[bucket] {
		if m, ok := w.marks[key]; ok && !m.expiresAt.After(now) {
			delete(w.marks, key)
		}
	}
	delete(w.expiry, bucket)
}

func minute(t time.Time) int64 { return t.Unix() / 60 }

func ceilMillisecond(t time.Time) time.Time {
	floor := t.Truncate(time.Millisecond)
	if floor.Before(t) {
		return floor.Add(time.Millisecond)
	}
	return floor
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
