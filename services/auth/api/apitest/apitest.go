// Package apitest stands in for auth in tests of the services that show it who they are.
package apitest

import (
	"context"
	"fmt"
	"time"

	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/service/servicetest"
	"github.com/atrium-mesh/atrium/pkg/token"
	"github.com/atrium-mesh/atrium/pkg/token/tokentest"
	"github.com/atrium-mesh/atrium/services/auth/api"
)

// HandleServiceTokens answers services that show who they are by the secret that [servicetest.ServiceSecret] gives them, and for
// whom auth is at that URL.
func HandleServiceTokens(s *op.Server, issuer *tokentest.Issuer, url string) {
	op.Handle(s, api.IssueServiceToken, func(_ context.Context, in *api.IssueServiceTokenRequest) (*api.IssueServiceTokenResponse, error) {
		asks, err := token.ParseAssertion(in.Assertion, url, keys, time.Now())
		if err != nil {
			return nil, fmt.Errorf("the assertion: %w", err)
		}
		return &api.IssueServiceTokenResponse{
			Token:     issuer.SignService(asks.Service, asks.Target),
			ExpiresIn: int(tokentest.Lifetime / time.Second),
		}, nil
	})
}

func keys(name string) [][]byte {
	return [][]byte{servicetest.AssertionKey(name)}
}
