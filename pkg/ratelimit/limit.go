package ratelimit

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

const (
	off       = "off"
	maxCount  = 1_000_000
	minPeriod = time.Second
	maxPeriod = 24 * time.Hour
	slots     = 60 // of a limit over sixty
)

// Limit is how often in any period. The zero value is no limit.
type Limit struct {
	Count  int
	Period time.Duration
}

// Parse reads "5/1m", a count and a Go duration of at least a second and at most a day, or "off".
func Parse(s string) (Limit, error) {
	s = strings.TrimSpace(s)
	if s == off {
		return Limit{}, nil
	}
	count, period, found := strings.Cut(s, "/")
	if !found {
		return Limit{}, errors.New(`a rate limit is written as a count and a period, such as "5/1m", or "off"`)
	}
	var l Limit
	var err error
	if l.Count, err = strconv.Atoi(count); err != nil || l.Count < 1 || l.Count > maxCount {
		return Limit{}, fmt.Errorf("the count of a rate limit must be a number from 1 to %d", maxCount)
	}
	if l.Period, err = time.ParseDuration(period); err != nil || l.Period < minPeriod || l.Period > maxPeriod {
		return Limit{}, errors.New(`the period of a rate limit must be a duration from 1s to 24h, such as "1m"`)
	}
	return l, nil
}

// Off reports whether there is no limit.
func (l Limit) Off() bool { return l.Count <= 0 || l.Period <= 0 }

// String is what Parse reads.
func (l Limit) String() string {
	if l.Off() {
		return off
	}
	period := l.Period.String()
	if strings.HasSuffix(period, "m0s") {
		period = strings.TrimSuffix(period, "0s")
	}
	if strings.HasSuffix(period, "h0m") {
		period = strings.TrimSuffix(period, "0m")
	}
	return strconv.Itoa(l.Count) + "/" + period
}

// UnmarshalText makes a Limit a configuration value.
func (l *Limit) UnmarshalText(text []byte) error {
	parsed, err := Parse(string(text))
	if err != nil {
		return err
	}
	*l = parsed
	return nil
}

// MarshalText is the reverse of UnmarshalText.
func (l Limit) MarshalText() ([]byte, error) { return []byte(l.String()), nil }

// periodMillis is the period in milliseconds, rounded up.
func (l Limit) periodMillis() int64 {
	return int64((l.Period + time.Millisecond - 1) / time.Millisecond)
}

// slotMillis is the resolution of the log: a millisecond, or a sixtieth of the period for a limit over sixty.
func (l Limit) slotMillis() int64 {
	if l.Count <= slots {
		return 1
	}
	return max(1, (l.periodMillis()+slots-1)/slots)
}
