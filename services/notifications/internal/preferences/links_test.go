package preferences_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/notifications/internal/preferences"
)

// A token of any length costs no more than one that could be ours: anybody may send one.
//
//nolint:paralleltest // counts allocations
func TestRead_bounds_before_it_works(t *testing.T) {
	links := preferences.NewLinks(bytes.Repeat([]byte{7}, 32), "https://app.example.com")
	huge := strings.Repeat("A", 1<<20)
	_, err := links.Read(huge)
	require.ErrorIs(t, err, errs.Malformed)
	short := testing.AllocsPerRun(10, func() { _, _ = links.Read("A") })
	require.LessOrEqual(t, testing.AllocsPerRun(10, func() { _, _ = links.Read(huge) }), short+1)
}
