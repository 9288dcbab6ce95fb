package token

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"go.opentelemetry.io/otel/metric"

	"github.com/atrium-mesh/atrium/pkg/config"
)

const (
	// MaxSize is the longest token that is looked at, in bytes.
	MaxSize = 8 << 10

	leeway            = 30 * time.Second // for nbf and iat, never for exp
	defaultCacheSize  = 100_000
	servicesCacheSize = 1_000 // a token for each replica of each service, and those before them
)

// Issuer is one that may sign tokens.
type Issuer struct {
	URL     string // the iss claim, exactly
	JWKSURL string // where its keys are; there is no discovery
	// Keys is asked for the key set (RFC 7517, section 5) instead of JWKSURL: by the process that has the keys, which would otherwise wait
	// for an answer that it has to give itself. nil: JWKSURL is asked.
	Keys     func(ctx context.Context) ([]byte, error)
	Audience string // must be among aud

	// Own says that this is Atrium's own issuer, whose subjects, sessions, roles and scope are believed as they are. Tokens of all
	// others are external: the subject is "iss|sub", roles are dropped, and of the scope only Permissions remain.
	Own bool
	// Permissions are those that an external issuer may grant. None by default; ignored when Own.
	Permissions []string
}

// Config is what a Verifier is made of. Issuers is required; everything else has a default.
type Config struct {
	Issuers    []Issuer
	HTTPClient *http.Client         // fetches keys; nil: one with a timeout of 5 s. Every fetch has that deadline in any case
	Watermarks *Watermarks          // nil: empty ones, so that nothing is revoked
	Clock      func() time.Time     // nil: time.Now
	CacheSize  int                  // verified tokens kept; 0: 100,000 (about 60 MiB when full)
	Service    string               // whose verifier it is: the one that tokens of other services are meant for; "": none is believed
	Meter      metric.MeterProvider // nil: none
}

// Validate reports everything that is wrong with the configuration at once.
func (c Config) Validate() error {
	var problems []error
	if len(c.Issuers) == 0 {
		problems = append(problems, errors.New("at least one issuer is required"))
	}
	seen, own := map[string]bool{}, 0
	for i, iss := range c.Issuers {
		if iss.Own {
			own++
		}
		if seen[iss.URL] {
			problems = append(problems, fmt.Errorf("issuer %d: %q is there twice", i+1, iss.URL))
		}
		seen[iss.URL] = true
		for _, err := range iss.problems() {
			problems = append(problems, fmt.Errorf("issuer %d: %w", i+1, err))
		}
	}
	if own > 1 {
		problems = append(problems, errors.New("only one issuer can be our own"))
	}
	if c.CacheSize < 0 {
		problems = append(problems, errors.New("the cache size must not be negative"))
	}
	if err := errors.Join(problems...); err != nil {
		return fmt.Errorf("token verification: %w", err)
	}
	return nil
}

func (i Issuer) problems() []error {
	var problems []error
	if i.URL == "" {
		problems = append(problems, errors.New("its URL is required"))
	}
	if config.CheckURL("jwks_url", i.JWKSURL) != nil {
		problems = append(problems, errors.New("its JWKS URL must be an absolute http or https URL without a user"))
	}
	if i.Audience == "" {
		problems = append(problems, errors.New("its audience is required"))
	}
	if strings.HasPrefix(i.Audience, ServicePrefix) {
		problems = append(problems, errors.New("its audience must not begin with "+ServicePrefix+", which is how services are named"))
	}
	return problems
}
