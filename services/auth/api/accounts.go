package api

import (
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/op"
)

const tagAccounts = "Accounts"

// Registration is what a person signs up with.
type Registration struct {
	Email    string `json:"email" format:"email" minLength:"3" maxLength:"254" doc:"The address to sign in with; a link is sent there to prove it" example:"ada@example.com"`
	Password string `json:"password" minLength:"12" maxLength:"256" writeOnly:"true" doc:"At least 12 characters; not a common or a breached password, not made of the own name or address, or of this site's" example:"seven green bicycles"`
	FullName string `json:"full_name" minLength:"1" maxLength:"200" doc:"What to call the person" example:"Ada Lovelace"`
	Locale   string `json:"locale,omitempty" maxLength:"35" pattern:"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$" doc:"The language to write to the person in (BCP 47); English when left out" example:"en"`
}

// RegisteredAccount is a new account.
type RegisteredAccount struct {
	ID        string    `json:"id" format:"uuid" doc:"The account's id, which is the user's as well" example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	Email     string    `json:"email" doc:"The address as it was typed" example:"ada@example.com"`
	FullName  string    `json:"full_name" doc:"What to call the person" example:"Ada Lovelace"`
	CreatedAt time.Time `json:"created_at" doc:"When the account was made" example:"2026-01-02T15:04:05Z"`
}

// RegisterRequest asks for an account.
type RegisterRequest struct{ Body Registration }

// RegisterResponse tells of a new account.
type RegisterResponse struct {
	Location string `header:"Location" doc:"Where the user is" example:"/api/v1/users/0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	Body     RegisteredAccount
}

// Register makes an account.
var Register = op.Op[RegisterRequest, RegisterResponse]{
	Operation: huma.Operation{
		OperationID: "register", Method: http.MethodPost, Path: "/api/v1/auth/register", Tags: []string{tagAccounts},
		Summary: "Sign up", DefaultStatus: http.StatusCreated, Errors: []int{http.StatusForbidden, http.StatusConflict},
		Description: "Makes an account and sends a link to its address. 409 `email_taken` when there is one with this address, 403 " +
			"`registration_disabled` when people cannot sign up here. A password that breaks the policy is a 422 on `body.password` with the code " +
			"`too_short`, `too_long`, `password_common`, `password_personal`, `password_context` (made of this site's or product's name) or `password_breached` " +
			"(known from a breach of another site). The same policy holds wherever a password is chosen.",
	},
	Allow: authz.Public(), Limit: op.LimitSignUp,
}

// LinkToken is the secret of a link that was sent by mail.
type LinkToken struct {
	Token string `json:"token" minLength:"1" maxLength:"512" writeOnly:"true" doc:"The token of the link in the mail" example:"Zm9yIHRoZSBleGFtcGxlIG9ubHksIG5vdCBhIHRva2Vu"`
}

// EmailAddress names an account by its address.
type EmailAddress struct {
	Email string `json:"email" minLength:"3" maxLength:"254" doc:"The address of the account" example:"ada@example.com"`
}

// VerifyEmailRequest proves that the person reads the mail of the address.
type VerifyEmailRequest struct{ Body LinkToken }

const linkErrors = " A link works once and for a time: 422 `link_invalid`, `link_used` or `link_expired`."

// VerifyEmail marks the address of an account as verified.
var VerifyEmail = op.Op[VerifyEmailRequest, struct{}]{
	Operation: huma.Operation{
		OperationID: "verify-email", Method: http.MethodPost, Path: "/api/v1/auth/verify-email", Tags: []string{tagAccounts},
		Summary: "Verify an e-mail address", DefaultStatus: http.StatusNoContent,
		Description: "Redeems the link of the verification mail; the person can sign in after it." + linkErrors,
	},
	Allow: authz.Public(),
}

// ResendVerificationRequest asks for another verification mail.
type ResendVerificationRequest struct{ Body EmailAddress }

// ResendVerification sends the verification mail again.
var ResendVerification = op.Op[ResendVerificationRequest, struct{}]{
	Operation: huma.Operation{
		OperationID: "resend-verification", Method: http.MethodPost, Path: "/api/v1/auth/resend-verification", Tags: []string{tagAccounts},
		Summary: "Send the verification mail again", DefaultStatus: http.StatusAccepted,
		Description: "Sends another link when there is an account with this address that is not verified, at most once a minute. The answer is " +
			"the same in any case.",
	},
	Allow: authz.Public(), Limit: op.LimitSignUp,
}

// InvitationAcceptance sets the first password of an account that an administrator made.
type InvitationAcceptance struct {
	Token    string `json:"token" minLength:"1" maxLength:"512" writeOnly:"true" doc:"The token of the link in the invitation" example:"Zm9yIHRoZSBleGFtcGxlIG9ubHksIG5vdCBhIHRva2Vu"`
	Password string `json:"password" minLength:"12" maxLength:"256" writeOnly:"true" doc:"The password to sign in with from now on" example:"seven green bicycles"`
	FullName string `json:"full_name,omitempty" maxLength:"200" doc:"What to call the person, when it is not what the invitation said" example:"Ada Lovelace"`
}

// AcceptInvitationRequest accepts an invitation.
type AcceptInvitationRequest struct{ Body InvitationAcceptance }

// AcceptInvitation sets the first password of an invited person and verifies the address.
var AcceptInvitation = op.Op[AcceptInvitationRequest, struct{}]{
	Operation: huma.Operation{
		OperationID: "accept-invitation", Method: http.MethodPost, Path: "/api/v1/auth/invitation/accept", Tags: []string{tagAccounts},
		Summary: "Accept an invitation", DefaultStatus: http.StatusNoContent,
		Description: "Sets the password of an account that an administrator made. The address counts as verified, since the link was sent there." + linkErrors,
	},
	Allow: authz.Public(), Limit: op.LimitSignUp,
}

// NotMeRequest says that it was somebody else.
type NotMeRequest struct{ Body LinkToken }

// NotMe revokes everything of an account after something happened to it that its owner did not do.
var NotMe = op.Op[NotMeRequest, struct{}]{
	Operation: huma.Operation{
		OperationID: "not-me", Method: http.MethodPost, Path: "/api/v1/auth/not-me", Tags: []string{tagAccounts},
		Summary: "This was not me", DefaultStatus: http.StatusNoContent,
		Description: "Redeems the \"this wasn't me\" link of a security mail: every session ends at once, the password stops working, and a mail to set a " +
			"new one is sent." + linkErrors,
	},
	Allow: authz.Public(),
}

// Setup is the first administrator.
type Setup struct {
	Token    string `json:"token" minLength:"1" maxLength:"512" writeOnly:"true" doc:"The token of the setup link" example:"Zm9yIHRoZSBleGFtcGxlIG9ubHksIG5vdCBhIHRva2Vu"`
	Email    string `json:"email" format:"email" minLength:"3" maxLength:"254" doc:"The address to sign in with" example:"root@example.com"`
	Password string `json:"password" minLength:"12" maxLength:"256" writeOnly:"true" doc:"The password to sign in with" example:"seven green bicycles"`
	FullName string `json:"full_name" minLength:"1" maxLength:"200" doc:"What to call the person" example:"Grace Hopper"`
}

// SetupRequest makes the first administrator.
type SetupRequest struct{ Body Setup }

// SetupFirstAdmin makes the first administrator with the one-time setup link.
var SetupFirstAdmin = op.Op[SetupRequest, RegisterResponse]{
	Operation: huma.Operation{
		OperationID: "setup", Method: http.MethodPost, Path: "/api/v1/auth/setup", Tags: []string{tagAccounts},
		Summary: "Make the first administrator", DefaultStatus: http.StatusCreated, Errors: []int{http.StatusConflict},
		Description: "Works once, with the setup link that is printed at the first start, and as long as there is no administrator: afterwards 409 " +
			"`already_set_up`; 409 `email_taken` when the address has an account." + linkErrors,
	},
	Allow: authz.Public(), Limit: op.LimitSignUp,
}
