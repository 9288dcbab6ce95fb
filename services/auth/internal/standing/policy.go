package standing

import (
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

// next is the status of an account after somebody has done something to it; it is the present one when that was done already, so that who
// asks twice is answered alike.
func next(a identity.Account, verb api.Verb) (string, error) {
	deleted := a.Status == identity.StatusDeleted
	switch {
	case verb == api.VerbDelete:
		return identity.StatusDeleted, nil
	case verb == api.VerbRestore && !deleted:
		return a.Status, nil
	case verb == api.VerbRestore && a.StatusBefore != nil:
		return *a.StatusBefore, nil
	case verb == api.VerbRestore: // nobody knows what was before: somebody has to decide
		return identity.StatusDisabled, nil
	case deleted:
		return "", errs.New(errs.Conflict, "user_deleted", "The user is deleted; restore it first.")
	case verb == api.VerbDeactivate:
		return identity.StatusDisabled, nil
	default:
		return identity.StatusActive, nil
	}
}

// action is what the audit trail calls it.
func action(verb api.Verb) string {
	switch verb {
	case api.VerbDeactivate:
		return audit.AccountDisabled
	case api.VerbActivate:
		return audit.AccountEnabled
	case api.VerbDelete:
		return audit.AccountDeleted
	case api.VerbRestore:
		return audit.AccountRestored
	default:
		return audit.AccountErased
	}
}
