package services

import (
	"errors"

	"github.com/atrium-mesh/atrium/pkg/service"
)

// Config is the secrets that auth shares with each service, and while one is replaced the one before it.
type Config struct {
	Users            service.Secret `env:"SERVICE_SECRET_USERS,required" secret:"true" doc:"SERVICE_SECRET of users."`
	UsersOld         service.Secret `env:"SERVICE_SECRET_USERS_OLD" secret:"true" doc:"The SERVICE_SECRET of users before, while it is replaced: both count."`
	Notifications    service.Secret `env:"SERVICE_SECRET_NOTIFICATIONS,required" secret:"true" doc:"SERVICE_SECRET of notifications."`
	NotificationsOld service.Secret `env:"SERVICE_SECRET_NOTIFICATIONS_OLD" secret:"true" doc:"The SERVICE_SECRET of notifications before, while it is replaced."`
	Gateway          service.Secret `env:"SERVICE_SECRET_GATEWAY,required" secret:"true" doc:"SERVICE_SECRET of the gateway."`
	GatewayOld       service.Secret `env:"SERVICE_SECRET_GATEWAY_OLD" secret:"true" doc:"The SERVICE_SECRET of the gateway before, while it is replaced."`
}

// secrets are those of one service.
type secrets struct {
	service, variable string
	now, old          service.Secret
}

func (c Config) all() []secrets {
	return []secrets{
		{"users", "SERVICE_SECRET_USERS", c.Users, c.UsersOld},
		{"notifications", "SERVICE_SECRET_NOTIFICATIONS", c.Notifications, c.NotificationsOld},
		{"gateway", "SERVICE_SECRET_GATEWAY", c.Gateway, c.GatewayOld},
	}
}

// Validate reports everything that is wrong with the configuration at once. Services that share a secret could take each other's place.
func (c Config) Validate() error {
	var problems []error
	var others []service.Secret
	for _, s := range c.all() {
		problems = append(problems, s.now.Problem(s.variable, others...))
		if s.old.Given() {
			problems = append(problems, s.old.Problem(s.variable+"_OLD", others...))
			others = append(others, s.old)
		}
		others = append(others, s.now)
	}
	return errors.Join(problems...)
}

// keys are those that may have signed an assertion, by service.
func (c Config) keys() map[string][][]byte {
	keys := map[string][][]byte{}
	for _, s := range c.all() {
		keys[s.service] = [][]byte{s.now.AssertionKey()}
		if s.old.Given() {
			keys[s.service] = append(keys[s.service], s.old.AssertionKey())
		}
	}
	return keys
}
