package throttle

import "time"

// limit is how a count becomes a wait.
type limit struct {
	free     int           // failures without a wait; the wait comes after the one that reaches this
	first    time.Duration // the first wait; each further failure doubles it
	most     time.Duration // the longest wait; zero: this count never blocks
	forget   time.Duration // time in which one failure is forgotten
	stricter bool          // while the account is attacked
}

var limits = map[string]limit{
	scopePair:    {free: 5, first: 2 * time.Second, most: 15 * time.Minute, forget: 10 * time.Minute, stricter: true},
	scopeAddress: {free: 20, first: 2 * time.Second, most: 5 * time.Minute, forget: time.Minute},
	scopeAccount: {forget: time.Minute},
	scopeKnown:   {free: 5, first: 2 * time.Second, most: 15 * time.Minute, forget: 10 * time.Minute},
}

// While an account has had so many failures from addresses that are new to it, each such address has but one free failure, and then waits
// for longer.
const (
	attackedFrom  = 30
	attackedFree  = 1
	attackedFirst = 30 * time.Second
)

// Retention is how long a count can still matter, and KnownRetention how long an address is known after it was last signed in from.
const (
	Retention      = 24 * time.Hour
	KnownRetention = 180 * 24 * time.Hour
)

// decay is the count less what has been forgotten by now.
func (l limit) decay(c Count, now time.Time) Count {
	if now.After(c.LastAt) {
		c.Failures -= min(c.Failures, int(now.Sub(c.LastAt)/l.forget))
	}
	c.BlockedUntil = nil
	return c
}

// block is until when the next attempt waits after so many failures.
func (l limit) block(failures int, attacked bool, now time.Time) *time.Time {
	free, first := l.free, l.first
	if attacked && l.stricter {
		free, first = attackedFree, attackedFirst
	}
	if l.most == 0 || failures < free {
		return nil
	}
	wait := l.most
	if doublings := failures - free; doublings < 20 {
		wait = min(l.most, first<<doublings)
	}
	until := now.Add(wait)
	return &until
}
