package identity

import (
	"fmt"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
)

// ParseRoleName reads what a role may be called: 2 to 64 lower-case letters, digits, _ and -, the first a letter. Every path that leads to
// a role holds its name, so that a name of anything else could not be reached again. Anything else is errs.Invalid on field.
func ParseRoleName(field, raw string) (string, error) {
	switch {
	case len(raw) < api.MinRoleName:
		return "", errs.InvalidField(field, "too_short", fmt.Sprintf("must have at least %d characters", api.MinRoleName))
	case len(raw) > api.MaxRoleName:
		return "", errs.InvalidField(field, "too_long", fmt.Sprintf("must have at most %d characters", api.MaxRoleName))
	}
	for i, c := range []byte(raw) {
		letter := c >= 'a' && c <= 'z'
		if !letter && (i == 0 || (c < '0' || c > '9') && c != '_' && c != '-') {
			return "", errs.InvalidField(field, "pattern", "must be lower-case letters, digits, _ and -, the first a letter")
		}
	}
	return raw, nil
}

// ParseRoleNames reads the roles that an account shall have: at most 100, each named as [ParseRoleName] wants. A name that no role can
// have is errs.Invalid "unknown_role", like that of a role that does not exist.
func ParseRoleNames(field string, raw []string) ([]string, error) {
	if len(raw) > api.MaxRoles {
		return nil, errs.InvalidField(field, "too_many", fmt.Sprintf("must be at most %d", api.MaxRoles))
	}
	var fields []errs.Field
	for i, name := range raw {
		if _, err := ParseRoleName(field, name); err != nil {
			fields = append(fields, errs.Field{
				Field: fmt.Sprintf("%s[%d]", field, i), Code: "unknown_role", Message: "is not a role that exists",
			})
		}
	}
	if len(fields) > 0 {
		return nil, errs.New(errs.Invalid, "unknown_role", "There is no such role.").WithFields(fields...)
	}
	return raw, nil
}
