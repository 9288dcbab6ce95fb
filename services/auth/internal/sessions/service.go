package sessions

import (
	"cmp"
	"log/slog"
	"time"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/page"
	"github.com/atrium-mesh/atrium/services/auth/internal/authority"
	"github.com/atrium-mesh/atrium/services/auth/internal/devices"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/password"
	"github.com/atrium-mesh/atrium/services/auth/internal/revocation"
	"github.com/atrium-mesh/atrium/services/auth/internal/throttle"
	"github.com/atrium-mesh/atrium/services/auth/internal/tokens"
)

// Config is how long things last.
type Config struct {
	RefreshTTL           time.Duration // from one refresh to the end of an idle session
	MaxAge               time.Duration // from signing in to the end of any session
	Grace                time.Duration // in which a used refresh token gives its successor again, as long as nobody used that
	MostOpen             int           // sessions of one account; 0: DefaultMostOpen
	RequireVerifiedEmail bool
	AnswerAfter          time.Duration // the time after which a refusal for too many attempts is answered
	RevealsAccounts      bool          // whether the right password of an address that is not verified is told from a wrong one
}

// DefaultMostOpen is far more than anybody has browsers, and few enough to be listed and ended at once.
const DefaultMostOpen = 1000

// Deps is what signing in and out needs. All but Clock are required.
type Deps struct {
	Store     identity.Store
	Passwords *password.Hasher
	Throttle  *throttle.Throttle
	Access    *tokens.Access
	Family    tokens.Family
	Ender     revocation.Ender
	Rule      authority.Rule
	Devices   devices.Recogniser
	Cursors   *page.Cursors
	Logger    *slog.Logger
	Clock     func() time.Time // nil: time.Now
}

// Service signs people in and out.
type Service struct {
	Config
	Deps
}

// New makes the service.
func New(cfg Config, deps Deps) *Service {
	if deps.Clock == nil {
		deps.Clock = time.Now
	}
	cfg.MostOpen = cmp.Or(cfg.MostOpen, DefaultMostOpen)
	return &Service{Config: cfg, Deps: deps}
}

func errCredentials() error {
	return errs.New(errs.Unauthenticated, "invalid_credentials", "The address or the password is wrong, or the address is not verified yet.")
}

func errNotVerified() error {
	return errs.New(errs.Forbidden, "email_not_verified", "Verify the address first: follow the link in the mail that was sent there.")
}

func errRefreshInvalid() error {
	return errs.New(errs.Unauthenticated, "refresh_token_invalid", "The session has ended; sign in again.")
}

func errRefreshReused() error {
	return errs.New(errs.Unauthenticated, "refresh_token_reused", "The session was ended, because its refresh token was used twice; sign in again.")
}
