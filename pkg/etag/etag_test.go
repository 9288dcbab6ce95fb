package etag_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/etag"
)

func TestCheck(t *testing.T) {
	t.Parallel()
	require.Equal(t, `"7"`, etag.Of(7))
	for ifMatch, ok := range map[string]bool{
		"": true, "*": true, `"7"`: true, `"6", "7"`: true, ` "7" `: true,
		`"6"`: false, `W/"7"`: false, `7`: false, `"07"`: false, `,`: false,
	} {
		err := etag.Check(ifMatch, 7)
		if ok {
			require.NoError(t, err, ifMatch)
		} else {
			require.ErrorIs(t, err, errs.Precondition, ifMatch)
		}
	}
}

// A list of any length costs no more than what a client would send.
//
//nolint:paralleltest // counts allocations
func TestCheck_bounds_before_it_works(t *testing.T) {
	huge := strings.Repeat(`"7",`, 1<<20)
	require.ErrorIs(t, etag.Check(huge, 7), errs.Precondition)
	require.Less(t, testing.AllocsPerRun(10, func() { _ = etag.Check(huge, 7) }), 10.0)
}
