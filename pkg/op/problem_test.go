package op_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
)

// A body that is wrong in as many places as fit into it must cost no more than reading it, and its answer must stay small.
func TestHTTPTellsOnlySoManyMistakes(t *testing.T) {
	t.Parallel()
	b := setup(t, echo)
	var body strings.Builder
	body.WriteString(`{"name":"lamp","secret":"correct horse battery","` + strings.Repeat("x", 1000) + `":1`)
	for i := range 50_000 {
		fmt.Fprintf(&body, `,"k%d":1`, i)
	}
	body.WriteString("}")
	status, code, answer, _ := b.do(t, "PUT", "/api/v1/things/"+ada, ada, "application/json", body.String())
	require.Equal(t, 422, status)
	require.Equal(t, "validation_failed", code)
	var p errs.Problem
	require.NoError(t, json.Unmarshal([]byte(answer), &p))
	require.Len(t, p.Errors, 50)
	require.Less(t, len(answer), 10<<10)
}
