package local

import (
	"context"
	"fmt"

	"github.com/nats-io/nats.go"

	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
	authapi "github.com/atrium-mesh/atrium/services/auth/api"
)

// setupURL asks auth for the link that makes the first administrator; it is empty when there is one.
func setupURL(ctx context.Context, natsURL string) (string, error) {
	conn, err := nats.Connect(natsURL, nats.Name("atrium up"))
	if err != nil {
		return "", fmt.Errorf("connect to NATS: %w", err)
	}
	defer conn.Close()
	silent := telemetry.Nop()
	ask := op.NATSClient(op.NewNATSCaller(conn, silent.Tracer, silent.Propagator), authapi.SetupLink)
	answer, err := ask(ctx, &authapi.SetupLinkRequest{})
	if err != nil {
		return "", fmt.Errorf("ask for the setup link: %w", err)
	}
	if !answer.Needed {
		return "", nil
	}
	return answer.URL, nil
}
