package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/op"
)

// UserActionRequest names a user to do something with.
type UserActionRequest struct {
	ID      string `path:"id" format:"uuid" doc:"The user's id" example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	IfMatch string `header:"If-Match" maxLength:"64" doc:"Act only on this version; else 412" example:"\"3\""`
}

// actErrors are the refusals that every change of somebody else's user has.
const actErrors = " 403 `stronger_target` for a user who has a permission that you do not hold."

// DeleteUser deletes a user.
var DeleteUser = op.Op[UserActionRequest, struct{}]{
	Operation: huma.Operation{
		OperationID: "delete-user", Method: http.MethodDelete, Path: "/api/v1/users/{id}", Tags: []string{tagUsers},
		Summary: "Delete a user", DefaultStatus: http.StatusNoContent, Errors: []int{http.StatusConflict, http.StatusPreconditionFailed},
		Description: "Deletes a user: signed out everywhere at once, and erased with everything personal after a grace period, within which it " +
			"can be restored. Who deletes their own account whose address was never proved is erased at once, and the address is free. Deleting again changes nothing. Deleting oneself takes a fresh session, which gave the password within ten minutes: 403 " +
			"`reauthentication_required`, see `POST /api/v1/auth/reauthenticate`." + actErrors + " 409 `last_admin` when no administrator would be left who can sign in.",
	},
	Allow: authz.SelfOr("id", "users:delete"),
}

// RestoreUser takes a deletion back.
var RestoreUser = op.Op[UserActionRequest, UserResponse]{
	Operation: huma.Operation{
		OperationID: "restore-user", Method: http.MethodPost, Path: "/api/v1/users/{id}/restore", Tags: []string{tagUsers},
		Summary: "Restore a deleted user", Errors: []int{http.StatusConflict, http.StatusPreconditionFailed},
		Description: "Takes a deletion back before the user is erased; who was deactivated before stays so. 409 `user_not_deleted` for a user that is not deleted." + actErrors,
	},
	Allow: authz.Require("users:delete"),
}

// ActivateUser lets a user sign in again.
var ActivateUser = op.Op[UserActionRequest, UserResponse]{
	Operation: huma.Operation{
		OperationID: "activate-user", Method: http.MethodPost, Path: "/api/v1/users/{id}/activate", Tags: []string{tagUsers},
		Summary: "Activate a user", Errors: []int{http.StatusConflict, http.StatusPreconditionFailed},
		Description: "Lets a deactivated user sign in again. Activating an active user changes nothing." + actErrors,
	},
	Allow: authz.Require("users:write"),
}

// DeactivateUser keeps a user out.
var DeactivateUser = op.Op[UserActionRequest, UserResponse]{
	Operation: huma.Operation{
		OperationID: "deactivate-user", Method: http.MethodPost, Path: "/api/v1/users/{id}/deactivate", Tags: []string{tagUsers},
		Summary: "Deactivate a user", Errors: []int{http.StatusConflict, http.StatusPreconditionFailed},
		Description: "Keeps a user out: every session is revoked at once and signing in is refused until the user is activated again. " +
			"Deactivating again changes nothing. 409 `own_administration` for one's own user, 409 `last_admin`." + actErrors,
	},
	Allow: authz.Require("users:write"),
}
