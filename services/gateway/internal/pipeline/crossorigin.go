package pipeline

import (
	"fmt"
	"net/http"

	"github.com/atrium-mesh/atrium/pkg/errs"
)

// newCrossOrigin trusts the pages of these origins with the cookies of the person who looks at them.
func newCrossOrigin(origins []string) (*http.CrossOriginProtection, error) {
	protection := http.NewCrossOriginProtection()
	for _, o := range origins {
		if err := protection.AddTrustedOrigin(o); err != nil {
			return nil, fmt.Errorf("trust the origin %s: %w", o, err)
		}
	}
	return protection, nil
}

// sameSite refuses a browser's request from a foreign site that would act with the person's cookies: unsafe methods, and streams. The
// WebSocket handshake is a GET that CORS does not cover, and an event stream takes one of the few that a person can hold.
func (p *Pipeline) sameSite(r *http.Request) error {
	probe := *r
	if ExchangeFrom(r.Context()).Route.Stream {
		probe.Method = http.MethodPost
	}
	if err := p.crossOrigin.Check(&probe); err != nil {
		return errs.New(errs.Forbidden, "cross_origin_refused", "A page of another origin may not do this; see CORS_ORIGINS.").WithCause(err)
	}
	return nil
}
