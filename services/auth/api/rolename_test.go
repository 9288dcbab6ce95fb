package api_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
)

func TestCheckRoles(t *testing.T) {
	t.Parallel()
	most := make([]string, api.MaxRoles)
	for i := range most {
		most[i] = strings.Repeat("a", api.MaxRoleName)
	}
	require.NoError(t, api.CheckRoles("data.roles", nil))
	require.NoError(t, api.CheckRoles("data.roles", most))
	for code, names := range map[string][]string{
		"too_many": append(most, "user"),
		"too_long": {strings.Repeat("a", api.MaxRoleName+1)},
		"required": {""},
		"format":   {"a\x00"},
	} {
		err := api.CheckRoles("data.roles", names)
		require.ErrorIs(t, err, errs.Invalid)
		require.Equal(t, "data.roles", errs.From(err).Fields[0].Field)
		require.Equal(t, code, errs.From(err).Fields[0].Code)
	}
}
