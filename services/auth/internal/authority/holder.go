package authority

import (
	"slices"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

// Holder is somebody with what they may do.
type Holder struct {
	Account     identity.Account // zero for a token of a further issuer, which no account stands behind
	External    bool             // whether it is one
	Subject     string           // how the audit trail names a caller
	Roles       []identity.Role
	Permissions []string // of a caller: those only that the token says as well
}

// Can reports whether they hold a permission.
func (h Holder) Can(permission string) bool { return slices.Contains(h.Permissions, permission) }

// MayUse is nil when they hold a permission now, and errs.Forbidden "permission_denied" otherwise. Their token said so before; what the
// database says at this moment decides.
func (h Holder) MayUse(permission string) error {
	if !h.Can(permission) {
		return errPermission()
	}
	return nil
}

// Holds reports whether they hold all of these permissions.
func (h Holder) Holds(permissions []string) bool {
	return !slices.ContainsFunc(permissions, func(p string) bool { return !h.Can(p) })
}

// Administers reports whether they have the role of administrators.
func (h Holder) Administers() bool { return slices.Contains(identity.Names(h.Roles), api.RoleAdmin) }

// MayGive is nil when they hold all of these permissions, and errs.Forbidden "permission_not_held" otherwise: nobody gives, or takes, what
// they do not have.
func (h Holder) MayGive(permissions []string) error {
	if !h.Holds(permissions) {
		return errs.New(errs.Forbidden, "permission_not_held", "This concerns a permission that you do not hold yourself.")
	}
	return nil
}
