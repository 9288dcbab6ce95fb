package request_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/request"
)

func TestFrom(t *testing.T) {
	t.Parallel()
	require.Zero(t, request.From(t.Context()))
	r := request.Request{ID: "r", ClientIP: "203.0.113.7", UserAgent: "curl/8"}
	ctx := request.WithToken(request.With(t.Context(), r), "secret")
	r.Token = "secret"
	require.Equal(t, r, request.From(ctx))
}

func TestTokenIsNotShown(t *testing.T) {
	t.Parallel()
	r := request.Request{Token: "secret"}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		require.NotContains(t, fmt.Sprintf(verb, r), "secret", verb)
	}
}
