package events

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"github.com/atrium-mesh/atrium/pkg/lifecycle"
	"github.com/atrium-mesh/atrium/pkg/natsconn"
)

// streamsCheckEvery is how soon a stream that is missing, or is not what it should be, is made again.
const streamsCheckEvery = 5 * time.Second

// StreamsConfig is what keeping streams needs. JS and Names are required.
type StreamsConfig struct {
	JS       jetstream.JetStream
	Names    []string     // AUTH, USERS: each takes events.<name in lower case>.>
	Replicas int          // of each; default 1
	Logger   *slog.Logger // nil: silent
}

// KeepStreams makes the streams and keeps them what they should be, as a lifecycle component. One service does it for all: whoever may
// change a stream may have it copy, under any subject, whatever it can name, answers to others and events of others among it. The rest
// of the services need only publish, and look.
func KeepStreams(c StreamsConfig) lifecycle.Component {
	logger := loggerOr(c.Logger)
	return lifecycle.Go(func(ctx context.Context) error {
		failing := map[string]bool{}
		for ctx.Err() == nil {
			for _, name := range c.Names {
				err := keepStream(ctx, c, name)
				if err != nil && !failing[name] && ctx.Err() == nil { // said once, not every few seconds while NATS is away
					logger.WarnContext(ctx, "a stream of events cannot be made; trying again", "stream", name, "error", err)
				}
				failing[name] = err != nil
			}
			pauseFor(ctx, streamsCheckEvery*4/5+rand.N(streamsCheckEvery*2/5)) //nolint:gosec // jitter
		}
		return nil
	})
}

func keepStream(ctx context.Context, c StreamsConfig, name string) error {
	ctx, cancel := context.WithTimeout(ctx, ensureWithin)
	defer cancel()
	_, err := natsconn.EnsureStream(ctx, c.JS, natsconn.StreamConfig{
		Name:     name,
		Subjects: []string{subjectPrefix + strings.ToLower(name) + ".>"},
		Replicas: c.Replicas,
		Logger:   c.Logger,
	})
	return err
}
