// Package users is the domain: people, their profiles, and what happens to them between being made and being erased.
//
//	pending ──verified──▶ active ──deactivate──▶ deactivated
//	   │                    ▲ │ ◀──activate──────────┘ │
//	   │                restore delete                 │
//	   └──────delete────▶ deleted ◀────────────────────┘ ──grace──▶ erased
//
// Accounts are auth's, and so is whether somebody may sign in: this service asks auth for a change, and its status is a copy that follows
// ([Follow]).
package users

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/page"
)

// Config is everything the service depends on.
type Config struct {
	Store    Store
	Accounts Accounts
	Cursors  *page.Cursors
	Clock    func() time.Time
	Grace    time.Duration // between deleting and erasing
}

// Service implements the operations of users.
type Service struct{ Config }

// New makes the service.
func New(c Config) *Service { return &Service{c} }

func (s *Service) now() time.Time { return s.Clock().UTC().Truncate(time.Microsecond) }

// actor is who is calling, for the audit trail.
func actor(ctx context.Context) string {
	if p := authz.PrincipalFrom(ctx); p != nil {
		return p.Subject
	}
	return "system"
}

// own reports whether the caller is this user.
func own(ctx context.Context, id uuid.UUID) bool {
	p := authz.PrincipalFrom(ctx)
	return p != nil && p.Subject == id.String()
}

func parseID(s string) (uuid.UUID, error) {
	id, err := uuid.Parse(s)
	if err != nil {
		return uuid.UUID{}, notFound()
	}
	return id, nil
}

func notFound() error { return errs.New(errs.NotFound, "user_not_found", "There is no such user.") }
