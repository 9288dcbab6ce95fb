// Package config owns what the users service can be configured with.
package config

import (
	"time"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/pkg/service"
)

// Config is the configuration of users.
type Config struct {
	service.Config
	service.Identity
	Database pg.Config

	ErasureGrace time.Duration `env:"ERASURE_GRACE" envDefault:"720h" doc:"Time between deleting a user and erasing everything personal of them for good."`
}

// Validate reports what no single field can say.
func (c Config) Validate() error {
	if c.ErasureGrace < 0 {
		return config.Problemf("ERASURE_GRACE", "must not be negative.")
	}
	return nil
}
