package api

import (
	"context"
	"fmt"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/token"
)

// IssueServiceTokenRequest is a service that shows who it is: see [token.Assertion].
type IssueServiceTokenRequest struct {
	Assertion string `json:"assertion" minLength:"1" maxLength:"2048"`
}

// IssueServiceTokenResponse is a token that says to one target who the service is.
type IssueServiceTokenResponse struct {
	Token     string `json:"token"`
	ExpiresIn int    `json:"expires_in"` // seconds from now
}

// IssueServiceToken gives an assertion for a token. The assertion is all the authorization there is, and is good once:
// errs.Unauthenticated "assertion_refused" for any that is not, without a word on why.
var IssueServiceToken = op.Op[IssueServiceTokenRequest, IssueServiceTokenResponse]{
	Operation: huma.Operation{OperationID: "issue-service-token"},
	Subject:   "rpc.auth.issue-service-token", Allow: authz.Public(), Timeout: 2 * time.Second,
}

// ServiceTokens asks auth over NATS for the tokens by which a service says who it is.
func ServiceTokens(caller *op.NATSCaller) token.ExchangeFunc {
	issue := op.NATSClient(caller, IssueServiceToken)
	return func(ctx context.Context, assertion string) (string, time.Duration, error) {
		out, err := issue(ctx, &IssueServiceTokenRequest{Assertion: assertion})
		if err != nil {
			return "", 0, fmt.Errorf("show auth who this service is: %w", err)
		}
		return out.Token, time.Duration(out.ExpiresIn) * time.Second, nil
	}
}
