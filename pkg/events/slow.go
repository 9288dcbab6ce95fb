package events

import (
	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
)

// slowAttempts is how often an event may take longer than it may, before it is a dead letter: those behind it wait meanwhile.
const slowAttempts = 3

// slowness is the event that took too long at its last attempt, and how often in a row. A statement that is cut off takes its connection
// along, and the leadership with it; what is remembered here is still known when this process leads again.
type slowness struct {
	id    uuid.UUID
	times int
}

// note remembers how an attempt ended.
func (s *slowness) note(id uuid.UUID, err error) {
	switch {
	case errs.KindOf(err) != errs.Timeout:
		*s = slowness{}
	case s.id == id:
		s.times++
	default:
		*s = slowness{id: id, times: 1}
	}
}

// hopeless reports whether an event has been too slow as often as it may.
func (s *slowness) hopeless(id uuid.UUID) bool { return s.id == id && s.times >= slowAttempts }

// errTooSlow is why an event that is too slow or too big for its consumer is a dead letter.
func errTooSlow() error {
	return errs.New(errs.Timeout, "event_too_slow", "Handling the event takes longer than it may.")
}
