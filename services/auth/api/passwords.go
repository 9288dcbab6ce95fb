package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/op"
)

const tagPasswords = "Passwords"

// ForgotPasswordRequest asks for a mail to set another password.
type ForgotPasswordRequest struct{ Body EmailAddress }

// ForgotPassword sends a link to set another password.
var ForgotPassword = op.Op[ForgotPasswordRequest, struct{}]{
	Operation: huma.Operation{
		OperationID: "forgot-password", Method: http.MethodPost, Path: "/api/v1/auth/password/forgot", Tags: []string{tagPasswords},
		Summary: "Ask for a password reset", DefaultStatus: http.StatusAccepted,
		Description: "Sends a link to set another password when there is an account with this address, at most once a minute. The answer is the same, " +
			"and takes as long, in any case.",
	},
	Allow: authz.Public(), Limit: op.LimitSignUp,
}

// PasswordReset sets another password with a link.
type PasswordReset struct {
	Token    string `json:"token" minLength:"1" maxLength:"512" writeOnly:"true" doc:"The token of the link in the mail" example:"Zm9yIHRoZSBleGFtcGxlIG9ubHksIG5vdCBhIHRva2Vu"`
	Password string `json:"password" minLength:"12" maxLength:"256" writeOnly:"true" doc:"The password from now on" example:"nine orange umbrellas"`
}

// ResetPasswordRequest redeems a reset link.
type ResetPasswordRequest struct{ Body PasswordReset }

// ResetPassword sets another password with the link of a mail.
var ResetPassword = op.Op[ResetPasswordRequest, struct{}]{
	Operation: huma.Operation{
		OperationID: "reset-password", Method: http.MethodPost, Path: "/api/v1/auth/password/reset", Tags: []string{tagPasswords},
		Summary: "Set another password", DefaultStatus: http.StatusNoContent,
		Description: "Sets the password with the link of the reset mail, and ends every session of the account. The policy is that of sign-up, with its codes on `body.password`." + linkErrors,
	},
	Allow: authz.Public(), Limit: op.LimitSignUp,
}

// PasswordChange replaces the password of who is signed in.
type PasswordChange struct {
	CurrentPassword string `json:"current_password" minLength:"1" maxLength:"256" writeOnly:"true" doc:"The password until now" example:"seven green bicycles"`
	NewPassword     string `json:"new_password" minLength:"12" maxLength:"256" writeOnly:"true" doc:"The password from now on" example:"nine orange umbrellas"`
}

// ChangePasswordRequest changes one's password.
type ChangePasswordRequest struct{ Body PasswordChange }

// ChangePassword replaces one's password.
var ChangePassword = op.Op[ChangePasswordRequest, struct{}]{
	Operation: huma.Operation{
		OperationID: "change-password", Method: http.MethodPost, Path: "/api/v1/auth/password/change", Tags: []string{tagPasswords},
		Summary: "Change your password", DefaultStatus: http.StatusNoContent, Errors: []int{http.StatusForbidden, http.StatusTooManyRequests},
		Description: "Needs the current password: 403 `wrong_password`, and 429 after too many wrong ones. This session stays, every other one ends at once. When there were " +
			"very many others, the access token of this one is void too, 401 `token_revoked`: refresh it. The policy is that of sign-up, with its codes on `body.new_password`.",
	},
	Allow: authz.Authenticated(),
}
