package watermarks

import (
	"time"

	"github.com/atrium-mesh/atrium/pkg/page"
)

// NewSmallList is NewList with fewer watermarks in an answer.
func NewSmallList(store Store, cursors *page.Cursors, clock func() time.Time, size int32) *List {
	l := NewList(store, cursors, clock)
	l.size = size
	return l
}
