package api

import (
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/op"
)

// What users, and nobody else, asks before it changes a person. Each call carries the token of whoever asks for the change; auth decides by the one rule for
// acting on another account: errs.NotFound "user_not_found", errs.Forbidden "stronger_target", errs.Conflict "own_administration",
// "last_admin" and, of a deleted account, "user_deleted".

// AccountActionRequest names an account to do something with.
type AccountActionRequest struct {
	AccountID uuid.UUID `path:"account_id" format:"uuid"`
}

// StandingResponse is how an account stands, now that it was done. Asked for again, it answers the same.
type StandingResponse struct {
	Standing Standing `json:"standing"`
	Version  int64    `json:"version"` // as in [AccountStandingChangedData]
}

// standingTimeout leaves the caller, who has 5 s, time to keep what was decided.
const standingTimeout = 3 * time.Second

// DeactivateAccount keeps a person out: every session ends with it. Nobody does this to themselves.
var DeactivateAccount = op.Op[AccountActionRequest, StandingResponse]{
	Operation: huma.Operation{OperationID: "deactivate-account"},
	Subject:   "rpc.auth.deactivate-account", Allow: authz.Require(PermUsersWrite).By("users"), Timeout: standingTimeout,
}

// ActivateAccount lets a person sign in again who was deactivated.
var ActivateAccount = op.Op[AccountActionRequest, StandingResponse]{
	Operation: huma.Operation{OperationID: "activate-account"},
	Subject:   "rpc.auth.activate-account", Allow: authz.Require(PermUsersWrite).By("users"), Timeout: standingTimeout,
}

// DeleteAccount keeps a person out who will be erased, unless the account is restored: every session ends with it.
var DeleteAccount = op.Op[AccountActionRequest, StandingResponse]{
	Operation: huma.Operation{OperationID: "delete-account"},
	Subject:   "rpc.auth.delete-account", Allow: authz.SelfOr("account_id", PermUsersDelete).By("users"), Timeout: standingTimeout,
}

// RestoreAccount takes a deletion back, to the standing from before: who was deactivated stays so. An account that is not deleted answers
// how it stands.
var RestoreAccount = op.Op[AccountActionRequest, StandingResponse]{
	Operation: huma.Operation{OperationID: "restore-account"},
	Subject:   "rpc.auth.restore-account", Allow: authz.Require(PermUsersDelete).By("users"), Timeout: standingTimeout,
}

// EraseAccount erases for good an account that is deleted, when its time has come, which users knows. It decides: one that was restored
// meanwhile, or was never deleted, answers how it stands, and stays. Asked again it answers the same; errs.NotFound "user_not_found" is an
// account that auth has never heard of.
var EraseAccount = op.Op[AccountActionRequest, StandingResponse]{
	Operation: huma.Operation{OperationID: "erase-account"},
	Subject:   "rpc.auth.erase-account", Allow: authz.Services("users"), Timeout: standingTimeout,
}

// MayEditAccount asks whether the caller may change a person's profile, and changes nothing.
var MayEditAccount = op.Op[AccountActionRequest, struct{}]{
	Operation: huma.Operation{OperationID: "may-edit-account"},
	Subject:   "rpc.auth.may-edit-account", Allow: authz.SelfOr("account_id", PermUsersWrite).By("users"), Timeout: standingTimeout,
}
