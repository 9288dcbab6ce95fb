package authority

import (
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/token"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

// Case is somebody who wants to do something to an account, as the database says at this moment.
type Case struct {
	Verb   api.Verb
	Caller Holder
	Target Holder
}

// Own reports whether the caller acts on their own account.
func (c Case) Own() bool { return !c.Caller.External && c.Caller.Account.ID == c.Target.Account.ID }

// rule is what a verb asks for.
type rule struct {
	permission string // of who does it to another account
	own        owner  // who does it to their own
	unseats    bool   // whether the account cannot be used afterwards
}

// owner says whether people may do something to their own account.
type owner int

const (
	ownerLikeOthers owner = iota // with the permission only
	ownerMay                     // everybody
	ownerMustNot                 // nobody: somebody else has to
)

// rules has no verb that nobody can ask for (erase), nor one that is not known: what is not here is refused.
func rules() map[api.Verb]rule {
	return map[api.Verb]rule{
		api.VerbDeactivate:  {permission: api.PermUsersWrite, own: ownerMustNot, unseats: true},
		api.VerbActivate:    {permission: api.PermUsersWrite},
		api.VerbDelete:      {permission: api.PermUsersDelete, own: ownerMay, unseats: true},
		api.VerbRestore:     {permission: api.PermUsersDelete},
		api.VerbEdit:        {permission: api.PermUsersWrite, own: ownerMay},
		api.VerbAssignRoles: {permission: api.PermRolesAssign},
		api.VerbEndSessions: {permission: api.PermSessionsRevoke, own: ownerMay},
	}
}

// Decide is nil when the caller may do it. It knows nothing but the case. What a verb asks of people who act on themselves, such as a fresh
// sign-in, belongs here as well: the case says who, on whom and what.
func Decide(c Case) error {
	r, known := rules()[c.Verb]
	switch {
	case !known:
		return errPermission()
	case c.Target.Account.Status == identity.StatusErased:
		return errNoSuchUser()
	case c.Own() && r.own == ownerMustNot:
		return errs.New(errs.Conflict, "own_administration", "Nobody may do this to their own user; ask another administrator.")
	case c.Own() && r.own == ownerMay:
		return nil
	case !c.Caller.Can(r.permission):
		return errPermission()
	case !c.Own() && !c.Caller.Holds(c.Target.Permissions):
		return errs.New(errs.Forbidden, "stronger_target", "This account has a permission that you do not hold yourself.")
	default:
		return nil
	}
}

func errPermission() error {
	return errs.New(errs.Forbidden, "permission_denied", "You do not have the permission for this.")
}

func errRevoked() error {
	return errs.New(errs.Unauthenticated, token.CodeRevoked, "The access token has been revoked.")
}

func errNoSuchUser() error {
	return errs.New(errs.NotFound, "user_not_found", "There is no such user.")
}
