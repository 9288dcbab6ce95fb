package api

import (
	"context"
	"fmt"

	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/token"
)

// PollWatermarks asks auth for revocations over NATS. It is the true path of every verifier; events are only quicker.
func PollWatermarks(caller *op.NATSCaller) token.PollFunc {
	list := op.NATSClient(caller, ListWatermarks)
	return func(ctx context.Context, cursor string) ([]token.Watermark, string, error) {
		out, err := list(ctx, &ListWatermarksRequest{Cursor: cursor})
		if err != nil {
			return nil, cursor, fmt.Errorf("poll watermarks: %w", err)
		}
		return out.Items, out.Next, nil
	}
}
