package roles

import (
	"fmt"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/text"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

const (
	maxDescription = 500 // characters
	maxPermissions = 100
)

// newRole is the role that a request asks for, when it is one: a name that a path can reach, a description that can be read, and
// permissions that exist.
func newRole(in api.NewRole) (identity.Role, error) {
	r := identity.Role{OrgID: identity.Org}
	var err error
	if r.Name, err = identity.ParseRoleName("body.name", in.Name); err != nil {
		return r, err
	}
	said, err := parse(api.RoleUpdate{Description: in.Description, Permissions: in.Permissions})
	if err != nil {
		return r, err
	}
	r.Description, r.Permissions = said.Description, said.Permissions
	return r, nil
}

// parse is what a role shall say and allow, with its permissions sorted.
func parse(in api.RoleUpdate) (out api.RoleUpdate, err error) {
	if out.Description, err = text.Optional("body.description", in.Description, maxDescription, text.Prose); err != nil {
		return out, err
	}
	if len(in.Permissions) > maxPermissions {
		return out, errs.InvalidField("body.permissions", "too_many", fmt.Sprintf("must be at most %d", maxPermissions))
	}
	if err := known(in.Permissions); err != nil {
		return out, err
	}
	out.Permissions = sorted(in.Permissions)
	return out, nil
}
