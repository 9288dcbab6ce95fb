package store

import (
	"errors"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/pg"
)

// The constraints whose violation says something to a caller.
const (
	emailTaken = "accounts_email_key_key" // another account has the address
	sameID     = "accounts_pkey"          // there is an account with this id
	roleExists = "roles_pkey"             // there is a role with this name
	noSuchRole = "account_roles_role_fkey"
)

// meaning gives the violation of a constraint the code that callers know it by.
func meaning(err error) error {
	if err == nil {
		return nil
	}
	switch pg.Constraint(err) {
	case emailTaken:
		return errs.New(errs.Conflict, "email_taken", "There is an account with this address.").WithCause(err)
	case sameID:
		return errs.New(errs.Conflict, "id_taken", "There is an account with this id.").WithCause(err)
	case roleExists:
		return errs.New(errs.Conflict, "role_exists", "There is a role with this name.").WithCause(err)
	case noSuchRole:
		return errs.New(errs.Invalid, "unknown_role", "There is no such role.").WithCause(err)
	default:
		return err
	}
}

// found turns the error of a query for a row that need not be there into whether it was.
func found(err error) (bool, error) {
	if errors.Is(err, errs.NotFound) {
		return false, nil
	}
	return err == nil, err
}
