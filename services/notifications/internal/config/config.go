// Package config owns what notifications is configured with.
package config

import (
	"errors"
	"time"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/mail"
	"github.com/atrium-mesh/atrium/pkg/mail/letter"
	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/pkg/service"
)

// Config is everything that notifications is configured with.
type Config struct {
	service.Config
	service.Identity
	Database pg.Config
	Mail     mail.Config

	MailWorkers int           `env:"MAIL_WORKERS" envDefault:"8" doc:"E-mails that are sent at the same time, by each replica."`
	MailRetry   time.Duration `env:"MAIL_RETRY_AFTER" envDefault:"5s" doc:"Time before an e-mail that was refused for a moment is tried again; it doubles each time, up to an hour, for about a day."`

	ProductName string `env:"PRODUCT_NAME" envDefault:"Atrium" doc:"Name of the product in e-mails."`
	ProductURL  string `env:"PRODUCT_URL" doc:"Where the product is, in e-mails. Empty: ISSUER."`
	LinkBaseURL string `env:"LINK_BASE_URL" doc:"Where the links in mails lead to. Empty: ISSUER."`

	NotificationsFor time.Duration `env:"NOTIFICATION_RETENTION" envDefault:"4320h" doc:"Time that notifications in the app are kept (180 days)."`
	DeliveriesFor    time.Duration `env:"DELIVERY_RETENTION" envDefault:"2160h" doc:"Time that settled deliveries and finished sends are kept (90 days)."`
}

// leastRetention keeps a mistyped retention from removing what was just made.
const leastRetention = 24 * time.Hour

// Validate reports what no single field can say.
func (c Config) Validate() error {
	var problems []error
	if c.MailWorkers < 1 || c.MailWorkers > 1000 {
		problems = append(problems, config.Problemf("MAIL_WORKERS", "must be between 1 and 1000."))
	}
	if c.MailRetry <= 0 || c.MailRetry > time.Hour {
		problems = append(problems, config.Problemf("MAIL_RETRY_AFTER", "must be more than zero and at most an hour."))
	}
	problems = append(problems, letter.CheckProduct("PRODUCT_NAME", c.ProductName))
	if c.ProductURL != "" {
		problems = append(problems, config.CheckURL("PRODUCT_URL", c.ProductURL))
	}
	if c.LinkBaseURL != "" {
		problems = append(problems, config.CheckBase("LINK_BASE_URL", c.LinkBaseURL))
	}
	for variable, value := range map[string]time.Duration{"NOTIFICATION_RETENTION": c.NotificationsFor, "DELIVERY_RETENTION": c.DeliveriesFor} {
		if value < leastRetention {
			problems = append(problems, config.Problemf(variable, "must be at least 24h."))
		}
	}
	return errors.Join(problems...)
}
