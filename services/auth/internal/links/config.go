package links

import (
	"errors"
	"time"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/services/auth/api"
)

// Config is where links lead, and how long they are good for.
type Config struct {
	BaseURL       string        `env:"LINK_BASE_URL" doc:"Where the links in mails lead to. Empty: ISSUER."`
	VerifyEmail   time.Duration `env:"LINK_VERIFY_EMAIL_TTL" envDefault:"24h" doc:"How long a link that verifies an address is good for."`
	ResetPassword time.Duration `env:"LINK_RESET_PASSWORD_TTL" envDefault:"1h" doc:"How long a link that resets a password is good for."`
	Invitation    time.Duration `env:"LINK_INVITATION_TTL" envDefault:"168h" doc:"How long an invitation is good for."`
	NotMe         time.Duration `env:"LINK_NOT_ME_TTL" envDefault:"720h" doc:"How long a \"this wasn't me\" link is good for."`
	Setup         time.Duration `env:"LINK_SETUP_TTL" envDefault:"24h" doc:"How long the link that makes the first administrator is good for."`
}

// Validate reports everything that is wrong with the configuration at once.
func (c Config) Validate() error {
	var problems []error
	if c.BaseURL != "" {
		if err := config.CheckBase("LINK_BASE_URL", c.BaseURL); err != nil {
			problems = append(problems, err)
		}
	}
	for name, ttl := range map[string]time.Duration{
		"LINK_VERIFY_EMAIL_TTL": c.VerifyEmail, "LINK_RESET_PASSWORD_TTL": c.ResetPassword, "LINK_INVITATION_TTL": c.Invitation,
		"LINK_NOT_ME_TTL": c.NotMe, "LINK_SETUP_TTL": c.Setup,
	} {
		if ttl < time.Minute {
			problems = append(problems, config.Problemf(name, "must be at least a minute."))
		}
	}
	return errors.Join(problems...)
}

func (c Config) lifetime(purpose api.LinkPurpose) time.Duration {
	switch purpose {
	case api.LinkVerifyEmail:
		return c.VerifyEmail
	case api.LinkResetPassword:
		return c.ResetPassword
	case api.LinkInvitation:
		return c.Invitation
	case api.LinkNotMe:
		return c.NotMe
	case api.LinkSetup:
		return c.Setup
	}
	return 0
}
