// Package config owns what the users service can be configured with.
package config

import (
	"errors"
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

	ErasureGrace   time.Duration `env:"ERASURE_GRACE" envDefault:"720h" doc:"Time between deleting a user and erasing everything personal of them for good."`
	AuditRetention time.Duration `env:"AUDIT_RETENTION" envDefault:"8760h" doc:"How long the audit trail is kept, at least a day."`
}

const leastAudit = 24 * time.Hour

// Validate reports what no single field can say.
func (c Config) Validate() error {
	var problems []error
	if c.ErasureGrace < 0 {
		problems = append(problems, config.Problemf("ERASURE_GRACE", "must not be negative."))
	}
	if c.AuditRetention < leastAudit {
		problems = append(problems, config.Problemf("AUDIT_RETENTION", "must be at least %s.", leastAudit))
	}
	return errors.Join(problems...)
}
