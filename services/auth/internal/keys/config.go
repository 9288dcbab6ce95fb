package keys

import (
	"errors"
	"slices"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/atrium-mesh/atrium/pkg/config"
)

// CacheLifetime is how long a copy of the key set may be in use: Cache-Control allows 5 minutes, verifiers of ours ask again
// after 2, and the rest is for clocks, proxies and verifiers of others.
const CacheLifetime = 15 * time.Minute

// CacheControl is what the key set and the discovery documents are served with.
const CacheControl = "public, max-age=300"

// Config is how long keys live.
type Config struct {
	Algorithms    []string      `env:"KEY_ALGORITHMS" envDefault:"ES256" doc:"Algorithms to keep a signing key for: ES256, RS256. The first signs access tokens."`
	Rotation      time.Duration `env:"KEY_ROTATION" envDefault:"720h" doc:"How long a key signs before the next one does."`
	PublishBefore time.Duration `env:"KEY_PUBLISH_BEFORE" envDefault:"1h" doc:"How long a key is published before it signs; at least 20m, which is longer than any cache."`
}

// leastPublishBefore leaves the replicas time to read a new key before any copy without it is too old.
const leastPublishBefore = CacheLifetime + 5*time.Minute

// Validate reports everything that is wrong with the configuration at once.
func (c Config) Validate() error {
	var problems []error
	if len(c.Algorithms) == 0 {
		problems = append(problems, config.Problemf("KEY_ALGORITHMS", "must name at least one algorithm."))
	}
	for i, a := range c.Algorithms {
		if _, known := generators[jose.SignatureAlgorithm(a)]; !known || slices.Contains(c.Algorithms[:i], a) {
			problems = append(problems, config.Problemf("KEY_ALGORITHMS", "must be ES256, RS256 or both, each once."))
		}
	}
	if c.PublishBefore < leastPublishBefore {
		problems = append(problems, config.Problemf("KEY_PUBLISH_BEFORE", "must be at least %s.", leastPublishBefore))
	}
	if c.Rotation < 2*c.PublishBefore {
		problems = append(problems, config.Problemf("KEY_ROTATION", "must be at least twice KEY_PUBLISH_BEFORE."))
	}
	return errors.Join(problems...)
}
