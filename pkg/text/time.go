package text

import (
	"errors"
	"regexp"
	"time"
)

// maxTime is more than a time in nanoseconds has.
const maxTime = 40

// rfc3339 is what RFC 3339 section 5.6 writes, in capitals. time.Parse takes offsets of a day and more, one digit for an hour and a comma,
// too, and so does time.Time's UnmarshalText.
var rfc3339 = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

var errTime = errors.New("must be a time of RFC 3339, such as 2026-01-02T15:04:05Z")

// Time reads a time of RFC 3339 that can be written again, with its own offset and in UTC: it is of the years 1 to 9999. The zero time is
// none, since that stands for a time that was not given.
func Time(raw string) (time.Time, error) {
	if len(raw) > maxTime || !rfc3339.MatchString(raw) {
		return time.Time{}, errTime
	}
	t, err := time.Parse(time.RFC3339Nano, raw)
	if year := t.UTC().Year(); err != nil || t.IsZero() || year < 1 || year > 9999 {
		return time.Time{}, errTime
	}
	return t, nil
}
