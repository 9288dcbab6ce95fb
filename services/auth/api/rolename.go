package api

import (
	"fmt"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/text"
)

// The bounds of roles, also of the copies that others keep. A role's name is ASCII, so that a character is a byte.
const (
	MinRoleName = 2
	MaxRoleName = 64
	MaxRoles    = 100 // of one account
)

// CheckRoles bounds a copy of an account's roles: what is longer, or more, was not told by auth, and is errs.Invalid on field. What a role may
// be called is auth's to say, when it makes one.
func CheckRoles(field string, names []string) error {
	if len(names) > MaxRoles {
		return errs.InvalidField(field, "too_many", fmt.Sprintf("must be at most %d", MaxRoles))
	}
	for _, name := range names {
		if _, err := text.Line(field, name, MaxRoleName); err != nil {
			return err
		}
	}
	return nil
}
