// Package config owns what the auth service can be configured with.
package config

import (
	"cmp"
	"errors"
	"time"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/mail"
	"github.com/atrium-mesh/atrium/pkg/mail/letter"
	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/pkg/service"
	"github.com/atrium-mesh/atrium/services/auth/internal/keys"
	"github.com/atrium-mesh/atrium/services/auth/internal/links"
	"github.com/atrium-mesh/atrium/services/auth/internal/mailboxes"
	"github.com/atrium-mesh/atrium/services/auth/internal/password"
	"github.com/atrium-mesh/atrium/services/auth/internal/services"
	"github.com/atrium-mesh/atrium/services/auth/internal/setup"
)

// Config is the configuration of auth.
type Config struct {
	service.Config
	Database  pg.Config
	Passwords password.Config
	Keys      keys.Config
	Links     links.Config
	Setup     setup.Config
	Services  services.Config
	Mailboxes mailboxes.Config
	Mail      mail.Config

	ProductURL string `env:"PRODUCT_URL" doc:"Where the product is, in e-mails. Empty: ISSUER."`

	AccessTokenTTL  time.Duration `env:"ACCESS_TOKEN_TTL" envDefault:"15m" doc:"How long an access token lives, at most an hour."`
	RefreshTokenTTL time.Duration `env:"REFRESH_TOKEN_TTL" envDefault:"720h" doc:"How long a session lives without being used."`
	SessionMaxAge   time.Duration `env:"SESSION_MAX_AGE" envDefault:"2160h" doc:"How long a session lives at most, however much it is used; then the person signs in again."`
	SessionsMax     int           `env:"SESSIONS_MAX" envDefault:"1000" doc:"How many open sessions an account has at most, 10 to 10000. Signing in once more ends the one that was used longest ago."`
	ProofMaxAge     time.Duration `env:"REAUTHENTICATION_MAX_AGE" envDefault:"10m" doc:"How long after giving the password somebody may delete themselves; afterwards it is asked for once more."`
	RefreshGrace    time.Duration `env:"REFRESH_GRACE" envDefault:"60s" doc:"Time in which a used refresh token gives its successor again, as long as nobody used that: an answer may be lost, and tabs may race."`

	AuditRetention time.Duration `env:"AUDIT_RETENTION" envDefault:"8760h" doc:"How long the audit trail is kept, at least a day."`

	RegistrationEnabled  bool          `env:"REGISTRATION_ENABLED" envDefault:"true" doc:"Whether people can sign up; administrators can invite them in any case."`
	RegistrationReveals  bool          `env:"REGISTRATION_REVEALS_ACCOUNTS" envDefault:"false" doc:"Whether signing up and in tells that an address has an account: 201 with the account, 409 email_taken, 403 email_not_verified. Otherwise strangers learn nothing."`
	RequireVerifiedEmail bool          `env:"REQUIRE_VERIFIED_EMAIL" envDefault:"true" doc:"Whether an address must be verified before signing in."`
	AnswerAfter          time.Duration `env:"UNIFORM_ANSWER_TIME" envDefault:"250ms" doc:"Time after which requests for a mail, and sign-ins that are refused for too many attempts, are answered, so that it does not tell whether there is an account."`
}

const (
	leastAccessTTL = time.Minute
	mostAccessTTL  = time.Hour
	mostGrace      = 5 * time.Minute
	leastMaxAge    = time.Second
	leastSessions  = 10
	mostSessions   = 10_000
	leastProof     = time.Second
	mostProof      = time.Hour
	leastAudit     = 24 * time.Hour
)

// Validate reports what no single field can say.
func (c Config) Validate() error {
	var problems []error
	if c.AccessTokenTTL < leastAccessTTL || c.AccessTokenTTL > mostAccessTTL {
		problems = append(problems, config.Problemf("ACCESS_TOKEN_TTL", "must be %s to %s.", leastAccessTTL, mostAccessTTL))
	}
	if c.RefreshTokenTTL <= c.AccessTokenTTL {
		problems = append(problems, config.Problemf("REFRESH_TOKEN_TTL", "must be longer than ACCESS_TOKEN_TTL."))
	}
	if c.SessionMaxAge < leastMaxAge {
		problems = append(problems, config.Problemf("SESSION_MAX_AGE", "must be at least %s.", leastMaxAge))
	}
	if c.SessionsMax < leastSessions || c.SessionsMax > mostSessions {
		problems = append(problems, config.Problemf("SESSIONS_MAX", "must be %d to %d.", leastSessions, mostSessions))
	}
	if c.ProofMaxAge < leastProof || c.ProofMaxAge > mostProof {
		problems = append(problems, config.Problemf("REAUTHENTICATION_MAX_AGE", "must be %s to %s.", leastProof, mostProof))
	}
	if c.RefreshGrace < 0 || c.RefreshGrace > mostGrace {
		problems = append(problems, config.Problemf("REFRESH_GRACE", "must be 0s to %s.", mostGrace))
	}
	if c.AuditRetention < leastAudit {
		problems = append(problems, config.Problemf("AUDIT_RETENTION", "must be at least %s.", leastAudit))
	}
	if c.AnswerAfter < 0 || c.AnswerAfter > time.Second {
		problems = append(problems, config.Problemf("UNIFORM_ANSWER_TIME", "must be 0s to 1s."))
	}
	if c.ProductURL != "" {
		problems = append(problems, config.CheckURL("PRODUCT_URL", c.ProductURL))
	}
	problems = append(problems, letter.CheckProduct("PRODUCT_NAME", c.Passwords.ProductName))
	return errors.Join(problems...)
}

// Brand is what mails say of the product.
func (c Config) Brand() letter.Brand {
	return letter.Brand{Product: c.Passwords.ProductName, URL: cmp.Or(c.ProductURL, c.Issuer)}
}

// WithDefaults fills in what follows from other values.
func (c Config) WithDefaults() Config {
	if c.Links.BaseURL == "" {
		c.Links.BaseURL = c.Issuer
	}
	return c
}
