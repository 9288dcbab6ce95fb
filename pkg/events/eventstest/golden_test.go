package eventstest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/pkg/events/eventstest"
)

type data struct {
	Name  string `json:"name"`
	Extra string `json:"extra,omitempty"`
}

// failures records what a test would have reported.
type failures struct {
	testing.TB
	reported []string
}

func (f *failures) Helper()                        {}
func (f *failures) Errorf(format string, _ ...any) { f.reported = append(f.reported, format) }

func TestGolden(t *testing.T) {
	t.Parallel()
	typ := events.Define[data]("test.thing.happened.v1")
	eventstest.Golden(t, typ, data{Name: "Ada"})
	if eventstest.Updating() {
		return
	}
	f := &failures{TB: t}
	eventstest.Golden(f, typ, data{Name: "Ada", Extra: "new"})
	require.NotEmpty(t, f.reported, "a change is noticed")
}
