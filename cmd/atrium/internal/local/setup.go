package local

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/telemetry"
	authapi "github.com/atrium-mesh/atrium/services/auth/api"
)

// setupWithin bounds the wait for auth to answer over NATS, a moment after it is ready for HTTP.
const setupWithin = 10 * time.Second

// setupURL asks auth for the link that makes the first administrator; it is empty when there is one.
func setupURL(ctx context.Context, natsURL string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, setupWithin)
	defer cancel()
	conn, err := nats.Connect(natsURL, nats.Name("atrium up"))
	if err != nil {
		return "", fmt.Errorf("connect to NATS: %w", err)
	}
	defer conn.Close()
	silent := telemetry.Nop()
	for {
		// A caller of its own each time: one that has failed often would stop asking.
		ask := op.NATSClient(op.NewNATSCaller(conn, silent.Tracer, silent.Propagator), authapi.SetupLink)
		answer, err := ask(ctx, &authapi.SetupLinkRequest{})
		if err == nil {
			return answer.URL, nil // empty when there is no need
		}
		if !errs.KindOf(err).Retryable() || ctx.Err() != nil {
			return "", fmt.Errorf("ask for the setup link: %w", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(pollEvery):
		}
	}
}
