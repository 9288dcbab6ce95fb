package etag_test

import (
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
