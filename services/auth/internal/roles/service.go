package roles

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/page"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/authority"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

// Store keeps roles.
type Store interface {
	Account(ctx context.Context, id uuid.UUID) (identity.Account, error)
	RolesOf(ctx context.Context, account uuid.UUID) ([]identity.Role, error)
	Role(ctx context.Context, name string) (identity.Role, error)
	// RolesAfter is a part of all roles by name: limit of them after a name ("" for the first), or after offset.
	RolesAfter(ctx context.Context, after string, offset int64, limit int32) ([]identity.Role, error)
	CountRoles(ctx context.Context) (int64, error)
	MembersOf(ctx context.Context, role string) ([]uuid.UUID, error)
	InTx(ctx context.Context, fn func(tx Tx) error) error
}

// Tx is one transaction on roles.
type Tx interface {
	identity.Tx
	MembersOf(ctx context.Context, role string) ([]uuid.UUID, error)
	// AddRole is errs.Conflict "role_exists" when there is one with this name.
	AddRole(ctx context.Context, r identity.Role) (identity.Role, error)
	ChangeRole(ctx context.Context, r identity.Role, at time.Time) (identity.Role, error)
	RemoveRole(ctx context.Context, name string) error
	// SetRoles replaces the roles of an account and returns the new version.
	SetRoles(ctx context.Context, account uuid.UUID, names []string, by string, at time.Time) (int64, error)
}

// Deps is what the service needs. All but Clock are required.
type Deps struct {
	Store   Store
	Rule    authority.Rule
	Keep    time.Duration // how long a revocation must be remembered
	Cursors *page.Cursors
	Clock   func() time.Time // nil: time.Now
}

// Service manages roles.
type Service struct{ Deps }

// New makes the service.
func New(deps Deps) *Service {
	if deps.Clock == nil {
		deps.Clock = time.Now
	}
	return &Service{Deps: deps}
}

func shown(r identity.Role) api.Role {
	return api.Role{
		Name: r.Name, Description: r.Description, Permissions: sorted(r.Permissions), BuiltIn: r.BuiltIn, Version: r.Version,
		CreatedAt: r.CreatedAt.UTC(), UpdatedAt: r.UpdatedAt.UTC(),
	}
}

// sorted is a sorted copy without repetitions, and never nil.
func sorted(names []string) []string {
	out := append([]string{}, names...)
	slices.Sort(out)
	return slices.Compact(out)
}

// known refuses permissions that do not exist, by their place in the request.
func known(permissions []string) error {
	all := api.Permissions()
	var fields []errs.Field
	for i, p := range permissions {
		if !slices.Contains(all, p) {
			fields = append(fields, errs.Field{
				Field: fmt.Sprintf("body.permissions[%d]", i), Code: "unknown_permission", Message: "is not a permission that exists",
			})
		}
	}
	if len(fields) > 0 {
		return errs.New(errs.Invalid, "unknown_permission", "There is no such permission.").WithFields(fields...)
	}
	return nil
}

// without is what is in a and not in b.
func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
}

func roleNotFound(err error) error {
	return errs.New(errs.NotFound, "role_not_found", "There is no such role.").WithCause(err)
}

func userNotFound(err error) error {
	return errs.New(errs.NotFound, "user_not_found", "There is no such user.").WithCause(err)
}

func (s *Service) record(ctx context.Context, tx Tx, entry audit.Entry, err error) error {
	if err != nil {
		return err
	}
	return tx.WriteAudit(ctx, entry)
}
