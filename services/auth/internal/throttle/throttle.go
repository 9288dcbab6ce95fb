package throttle

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/atrium-mesh/atrium/pkg/errs"
)

// Attempt is somebody who gives a password, to sign in or to prove to be there.
type Attempt struct {
	Action   string // what for: the action of the audit trail
	EmailKey string // the normalized address of the account, whether or not there is one
	SignedIn bool   // whether it is by somebody who is signed in to the account, who knows all that an answer could tell
	Mailed   bool   // whether it brings a link that was mailed to the account: it is counted by itself then
	ClientIP string // of the client; an IPv6 address counts as its /64, which one customer has
}

// The scopes of counts.
const (
	scopePair    = "pair"
	scopeAddress = "address"
	scopeAccount = "account"
	scopeKnown   = "known"
)

// Count is how often something failed lately.
type Count struct {
	Failures     int
	LastAt       time.Time
	BlockedUntil *time.Time
	ToldUntil    *time.Time // the block that the trail has told of
}

// Store keeps counts, shared by all replicas.
type Store interface {
	// Known reports whether an account was signed in from an address before.
	Known(ctx context.Context, pair []byte) (bool, error)
	// Count is zero when there is none.
	Count(ctx context.Context, scope string, key []byte) (Count, error)
	// Tell marks a block as told of; it is false when that was done, or it is over.
	Tell(ctx context.Context, scope string, key []byte, now time.Time) (bool, error)
	InTx(ctx context.Context, fn func(tx Tx) error) error
}

// Trail is told of attempts that are refused: once for each block, and so for each source, however many attempts it refuses.
type Trail interface {
	Throttled(ctx context.Context, a Attempt, scope string) error
}

// Tx is one transaction on the counts.
type Tx interface {
	// LockCount reads a count, which is zero when there is none, and holds it until the transaction ends.
	LockCount(ctx context.Context, scope string, key []byte, at time.Time) (Count, error)
	SaveCount(ctx context.Context, scope string, key []byte, c Count) error
	// TakeBack undoes one failure. A block is lifted only if it is this one.
	TakeBack(ctx context.Context, scope string, key []byte, block *time.Time) error
	Forget(ctx context.Context, scope string, key []byte) error
	// Remember makes a pair known.
	Remember(ctx context.Context, pair []byte, at time.Time) error
}

// Throttle slows failed sign-ins down. It is safe for concurrent use.
type Throttle struct {
	store Store
	trail Trail
	key   []byte
	clock func() time.Time
}

// New makes a throttle. Key keeps what is counted secret and must be the same for all replicas. A nil clock is time.Now; without a trail
// nobody is told.
func New(store Store, key []byte, clock func() time.Time, trail Trail) *Throttle {
	if clock == nil {
		clock = time.Now
	}
	return &Throttle{store: store, trail: trail, key: key, clock: clock}
}

// Reservation is an attempt that may be tried. It counts as failed until [Reservation.Succeed] or [Reservation.Release].
type Reservation struct {
	throttle *Throttle
	counts   []reserved
	attempt  Attempt
	refusal  error // of an attempt that is let through where another account's would be refused
}

type reserved struct {
	slot
	block *time.Time
}

// slot is one count that an attempt is judged by.
type slot struct {
	scope string
	key   []byte
}

// Begin reserves an attempt before its password is looked at. When there were too many failures it is errs.RateLimited
// "too_many_attempts" with the time to wait, whether or not the account exists.
//
// An address that the account was signed in from before is let through all the same, a few times, so that nobody who shares it keeps the
// person out. What a wrong password is answered then is [Reservation.Wrong]'s to say.
func (t *Throttle) Begin(ctx context.Context, a Attempt) (*Reservation, error) {
	r := &Reservation{throttle: t, attempt: a}
	known, err := t.knows(ctx, a)
	if err != nil {
		return nil, err
	}
	no, err := t.try(ctx, r, t.slots(a, known))
	if err != nil {
		return nil, err
	}
	if no == nil {
		return r, nil
	}
	if known && !a.SignedIn {
		guessed, err := t.try(ctx, r, []slot{{scopeKnown, t.pair(a)}})
		if err != nil {
			return nil, err
		}
		if guessed == nil {
			r.refusal = no.problem
			return r, nil
		}
	}
	return nil, errors.Join(no.problem, t.tell(ctx, a, no.slot, no.count, t.clock()))
}

// refused is which count an attempt was refused for.
type refused struct {
	slot
	count   Count
	problem error
}

// try reserves an attempt in all these counts, or says which of them refuses it.
func (t *Throttle) try(ctx context.Context, r *Reservation, slots []slot) (*refused, error) {
	no, err := t.glance(ctx, slots)
	if err != nil || no != nil {
		return no, err
	}
	err = t.store.InTx(ctx, func(tx Tx) error {
		var err error
		r.counts, no, err = t.reserve(ctx, tx, slots)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("throttle: %w", err)
	}
	return no, nil
}

// knows reports whether the account was signed in from this address before. Of who brings a link it makes no difference.
func (t *Throttle) knows(ctx context.Context, a Attempt) (bool, error) {
	if a.Mailed {
		return false, nil
	}
	known, err := t.store.Known(ctx, t.pair(a))
	if err != nil {
		return false, fmt.Errorf("throttle: %w", err)
	}
	return known, nil
}

// slots are the counts that an attempt is judged by. For who signs in, it makes no difference to them whether the address is known to the
// account: a stranger who shares the address would see it in what his next attempts are answered.
func (t *Throttle) slots(a Attempt, known bool) []slot {
	pair := slot{scopePair, t.pair(a)}
	if a.Mailed || a.SignedIn && known {
		return []slot{pair}
	}
	return []slot{ // in an order that is the same for all, since they are locked in it
		{scopeAccount, t.hash(scopeAccount, a.EmailKey)},
		{scopeAddress, t.hash(scopeAddress, network(a.ClientIP))},
		pair,
	}
}

// pair names this address for this account.
func (t *Throttle) pair(a Attempt) []byte {
	if a.Mailed {
		return t.hash(scopePair, a.EmailKey, network(a.ClientIP), "mailed")
	}
	return t.hash(scopePair, a.EmailKey, network(a.ClientIP))
}

// Forgetter forgets a count, in the transaction of whoever asks.
type Forgetter interface {
	Forget(ctx context.Context, scope string, key []byte) error
}

// Forgive forgets what failed from this address for this account, when a link that was mailed to the account is used up there: whoever reads
// the mail is the owner, and may sign in at once with the password that they have just chosen or proved.
func (t *Throttle) Forgive(ctx context.Context, tx Forgetter, a Attempt) error {
	a.Mailed = false
	return t.forget(ctx, tx, a)
}

func (t *Throttle) forget(ctx context.Context, tx Forgetter, a Attempt) error {
	return errors.Join(tx.Forget(ctx, scopePair, t.pair(a)), tx.Forget(ctx, scopeKnown, t.pair(a)))
}

// glance refuses what is blocked without a lock and without a write: that is what a flood of attempts costs.
func (t *Throttle) glance(ctx context.Context, slots []slot) (*refused, error) {
	now := t.clock()
	for _, s := range slots {
		c, err := t.store.Count(ctx, s.scope, s.key)
		if err != nil {
			return nil, fmt.Errorf("throttle: %w", err)
		}
		if err := blocked(c, now); err != nil {
			return &refused{s, c, err}, nil
		}
	}
	return nil, nil
}

// tell leaves in the trail that attempts from this source are refused from now on.
func (t *Throttle) tell(ctx context.Context, a Attempt, s slot, c Count, now time.Time) error {
	if t.trail == nil || c.ToldUntil != nil && c.ToldUntil.Equal(*c.BlockedUntil) {
		return nil
	}
	first, err := t.store.Tell(ctx, s.scope, s.key, now)
	if err != nil || !first {
		return err
	}
	return t.trail.Throttled(ctx, a, s.scope)
}

func (t *Throttle) reserve(ctx context.Context, tx Tx, slots []slot) ([]reserved, *refused, error) {
	now := t.clock().Truncate(time.Microsecond) // as the database keeps it
	counts := map[string]Count{}
	for _, s := range slots {
		c, err := tx.LockCount(ctx, s.scope, s.key, now)
		if err != nil {
			return nil, nil, err
		}
		if err := blocked(c, now); err != nil {
			return nil, &refused{s, c, err}, nil
		}
		counts[s.scope] = limits[s.scope].decay(c, now)
	}
	attacked := counts[scopeAccount].Failures >= attackedFrom
	out := make([]reserved, 0, len(slots))
	for _, s := range slots {
		c := counts[s.scope]
		c.Failures++
		c.LastAt, c.BlockedUntil = now, limits[s.scope].block(c.Failures, attacked, now)
		if err := tx.SaveCount(ctx, s.scope, s.key, c); err != nil {
			return nil, nil, err
		}
		out = append(out, reserved{s, c.BlockedUntil})
	}
	return out, nil, nil
}

// Wrong is what an attempt that failed with err is answered: as every other account's at this address, which is not tried at all while too
// many failed. Who learned that the password was looked at would know that there is an account, and that it was signed in from here.
func (r *Reservation) Wrong(err error) error {
	if r.refusal != nil {
		return r.refusal
	}
	return err
}

// Succeed says that the password was right: the address is known to the account from now on, and its failures are forgotten.
func (r *Reservation) Succeed(ctx context.Context) error {
	signIn := r.attempt
	signIn.Mailed = false
	return r.settle(ctx, func(tx Tx) error {
		if err := r.throttle.forget(ctx, tx, r.attempt); err != nil {
			return err
		}
		return tx.Remember(ctx, r.throttle.pair(signIn), r.throttle.clock())
	})
}

// Release says that the password could not be looked at, so that nobody failed.
func (r *Reservation) Release(ctx context.Context) error {
	return r.settle(ctx, func(Tx) error { return nil })
}

func (r *Reservation) settle(ctx context.Context, then func(tx Tx) error) error {
	err := r.throttle.store.InTx(ctx, func(tx Tx) error {
		for _, c := range r.counts {
			if err := tx.TakeBack(ctx, c.scope, c.key, c.block); err != nil {
				return err
			}
		}
		return then(tx)
	})
	if err != nil {
		return fmt.Errorf("throttle: %w", err)
	}
	return nil
}

func blocked(c Count, now time.Time) error {
	if c.BlockedUntil == nil || !now.Before(*c.BlockedUntil) {
		return nil
	}
	return errs.New(errs.RateLimited, "too_many_attempts", "Too many attempts to sign in failed; wait a little before the next.").
		WithRetryAfter(c.BlockedUntil.Sub(now))
}

// hash names what is counted, so that the table tells nobody who tried to sign in from where.
func (t *Throttle) hash(parts ...string) []byte {
	h := hmac.New(sha256.New, t.key)
	for _, p := range parts {
		_, _ = fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return h.Sum(nil)
}

// network is what an address counts as.
func network(ip string) string {
	a, err := netip.ParseAddr(ip)
	if err != nil {
		return ""
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	p, err := a.Prefix(64)
	if err != nil {
		return a.String()
	}
	return p.String()
}
