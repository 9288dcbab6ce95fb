package accounts

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/services/auth/internal/authority"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/links"
	"github.com/atrium-mesh/atrium/services/auth/internal/mailboxes"
	"github.com/atrium-mesh/atrium/services/auth/internal/password"
	"github.com/atrium-mesh/atrium/services/auth/internal/revocation"
	"github.com/atrium-mesh/atrium/services/auth/internal/throttle"
)

// Config is what is allowed, and how long things take.
type Config struct {
	RegistrationEnabled bool
	RevealsAccounts     bool          // whether signing up tells that an address has an account
	AnswerAfter         time.Duration // the time after which answers come that must not tell anything
}

// Passwords hashes and verifies. It is *password.Hasher, whose every call costs the same.
type Passwords interface {
	Hash(ctx context.Context, password string) (string, error)
	Verify(ctx context.Context, password, encoded string) (password.Result, error)
}

// Deps is what accounts need. All but Clock are required.
type Deps struct {
	Store     identity.Store
	Passwords Passwords
	Policy    *password.Policy
	Mailboxes *mailboxes.Counter
	Throttle  *throttle.Throttle
	Links     *links.Links
	Ender     revocation.Ender
	Rule      authority.Rule
	Clock     func() time.Time // nil: time.Now
}

// Service manages accounts.
type Service struct {
	Config
	Deps
}

// New makes the service.
func New(cfg Config, deps Deps) *Service {
	if deps.Clock == nil {
		deps.Clock = time.Now
	}
	return &Service{Config: cfg, Deps: deps}
}

// mailPause is the shortest time between two mails of the same kind that a person can ask for.
const mailPause = time.Minute

// evenly runs fn and returns no earlier than AnswerAfter, so that the time tells nothing about what fn found.
func (s *Service) evenly(ctx context.Context, fn func(ctx context.Context) error) error {
	timer := time.NewTimer(s.AnswerAfter)
	defer timer.Stop()
	err := fn(ctx)
	select {
	case <-timer.C:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// by says in ctx that the account itself does what follows, without a token.
func by(ctx context.Context, account uuid.UUID) context.Context {
	return events.WithActor(ctx, identity.Org, account.String())
}
