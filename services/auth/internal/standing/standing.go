// Package standing owns whether an account may be used.
//
//	active ──deactivate──▶ disabled
//	  │  ◀───activate────────  │
//	  └──delete─▶ deleted ◀────┘ ──erase──▶ erased
//	              └─restore─▶ what it was before
//
// Somebody asks for a change, and the rule of package authority decides. The change is true at once, in one transaction: every session ends
// and every token is refused, the trail has it, and one event tells of the new standing under its version. Users keeps a copy by it.
//
// Erasing is asked for by users alone, when the time of grace is over, and happens only to an account that is deleted here. It removes everything personal;
// what was done stays in the audit trail under an id that means nobody any more.
package standing

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/services/auth/internal/authority"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/revocation"
)

// Store keeps accounts.
type Store interface {
	InTx(ctx context.Context, fn func(tx Tx) error) error
}

// Tx is one transaction on an account and everything that belongs to it.
type Tx interface {
	identity.Tx
	// SetStanding makes a new version of the standing. It is errs.NotFound for an account that was erased.
	SetStanding(ctx context.Context, account uuid.UUID, to Change) (identity.Account, error)
	// SetProfile does nothing when a later version was copied already.
	SetProfile(ctx context.Context, account uuid.UUID, p Profile, at time.Time) error
	// EraseAudit empties what the trail says of the person, or begins to when that is very much.
	EraseAudit(ctx context.Context, account uuid.UUID, at time.Time) error
}

// Change is another standing.
type Change struct {
	Status string
	Before *string // of a deleted account: what a restore goes back to
	At     time.Time
}

// Profile is what users tells of a person, as of Version.
type Profile struct {
	FullName string
	Locale   string
	Version  int64
}

// Config is what the service is configured with.
type Config struct {
	ProofMaxAge time.Duration // how old a proof may be of who deletes themselves
}

// Deps is what the service needs. All but Clock are required.
type Deps struct {
	Store Store
	Rule  authority.Rule
	Ender revocation.Ender
	Clock func() time.Time // nil: time.Now
}

// Service changes the standing of accounts.
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
