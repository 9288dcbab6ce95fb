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
	Email    string `json:"email" format:"idn-email" minLength:"3" maxLength:"254" doc:"The address to sign in with; a link is sent there to prove it" example:"ada@example.com"`
	Password string `json:"password" minLength:"12" maxLength:"256" writeOnly:"true" doc:"At least 12 characters; not a common or a breached password, not made of the own name or address, or of this site's" example:"seven green bicycles"`
	FullName string `json:"full_name" minLength:"1" maxLength:"200" doc:"What to call the person" example:"Ada Lovelace"`
	Locale   string `json:"locale,omitempty" maxLength:"35" pattern:"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$" doc:"The language to write to the person in (BCP 47); English when left out" example:"en"`
}

// SignedUp says that the sign-up was taken. The account itself is there only when REGISTRATION_REVEALS_ACCOUNTS is on.
type SignedUp struct {
	Email     string     `json:"email" doc:"The address as it was typed" example:"ada@example.com"`
	ID        string     `json:"id,omitempty" format:"uuid" doc:"On 201 only: the account's id, which is the user's as well" example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	FullName  string     `json:"full_name,omitempty" doc:"On 201 only: what to call the person" example:"Ada Lovelace"`
	CreatedAt *time.Time `json:"created_at,omitempty" doc:"On 201 only: when the account was made" example:"2026-01-02T15:04:05Z"`
}

// RegisteredAccount is a new account.
type RegisteredAccount struct {
	ID        string    `json:"id" format:"uuid" doc:"The account's id, which is the user's as well" example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	Email     string    `json:"email" doc:"The address as it was typed" example:"ada@example.com"`
	FullName  string    `json:"full_name" doc:"What to call the person" example:"Ada Lovelace"`
	CreatedAt time.Time `json:"created_at" doc:"When the account was made" example:"2026-01-02T15:04:05Z"`
}

// RegisterRequest asks for an account.
type RegisterRequest struct {
	Cookie string `cookie:"__Host-atrium_sign_up" doc:"What the browser got when it signed up before. It keeps it"`
	Body   Registration
}

// RegisterResponse says that a sign-up was taken: 202, the same for a new and for a taken address, or 201 with the account.
type RegisterResponse struct {
	Status    int
	Location  string        `header:"Location" doc:"On 201 only: where the user is" example:"/api/v1/users/0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	SetCookie []http.Cookie `header:"Set-Cookie" doc:"Lets the page of the verification mail recognise the browser that signed up"`
	Body      SignedUp
}

// AccountResponse tells of a new account.
type AccountResponse struct {
	Location string `header:"Location" doc:"Where the user is" example:"/api/v1/users/0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	Body     RegisteredAccount
}

// Register makes an account.
var Register = op.Op[RegisterRequest, RegisterResponse]{
	Operation: huma.Operation{
		OperationID: "register", Method: http.MethodPost, Path: "/api/v1/auth/register", Tags: []string{tagAccounts},
		Summary: "Sign up", DefaultStatus: http.StatusAccepted, Errors: []int{http.StatusForbidden, http.StatusConflict},
		Responses: map[string]*huma.Response{"201": {Description: "The account was made (only with REGISTRATION_REVEALS_ACCOUNTS)"}},
		Description: "Makes an account and sends a link to its address. The answer is 202 and the same, in like time, when there is an account with " +
			"this address already: then its owner gets a mail that says so. Where REGISTRATION_REVEALS_ACCOUNTS is on, the answer is 201 with the " +
			"account, and 409 `email_taken`. 403 `registration_disabled` when people cannot sign up here. A password that breaks the policy is a " +
			"422 on `body.password` with the code `too_short`, `too_long`, `password_common`, `password_personal`, `password_context` (made of " +
			"this site's or product's name) or `password_breached` (known from a breach of another site). The same policy holds wherever a " +
			"password is chosen.",
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

// Verification proves an address. Whoever reads its mail need not be who signed up with it, so the password is asked for, or replaced.
type Verification struct {
	Token       string `json:"token" minLength:"1" maxLength:"512" writeOnly:"true" doc:"The token of the link in the mail" example:"Zm9yIHRoZSBleGFtcGxlIG9ubHksIG5vdCBhIHRva2Vu"`
	Password    string `json:"password,omitempty" minLength:"1" maxLength:"256" writeOnly:"true" doc:"The password that was chosen at sign-up; not needed in the browser that signed up" example:"seven green bicycles"`
	NewPassword string `json:"new_password,omitempty" minLength:"12" maxLength:"256" writeOnly:"true" doc:"Another password from now on, instead of the one that was chosen at sign-up"`
}

// VerifyEmailRequest proves that the person reads the mail of the address.
type VerifyEmailRequest struct {
	Cookie string `cookie:"__Host-atrium_sign_up" doc:"What the browser got that signed up"`
	Body   Verification
}

// VerifyEmailResponse removes the cookie of the browser that signed up.
type VerifyEmailResponse struct {
	SetCookie []http.Cookie `header:"Set-Cookie" doc:"Removes the cookie of the sign-up"`
}

const linkErrors = " A link works once and for a time: 422 `link_invalid`, `link_used` or `link_expired`."

// VerifyEmail marks the address of an account as verified.
var VerifyEmail = op.Op[VerifyEmailRequest, VerifyEmailResponse]{
	Operation: huma.Operation{
		OperationID: "verify-email", Method: http.MethodPost, Path: "/api/v1/auth/verify-email", Tags: []string{tagAccounts},
		Summary: "Verify an e-mail address", DefaultStatus: http.StatusNoContent,
		Errors: []int{http.StatusForbidden, http.StatusTooManyRequests},
		Description: "Redeems the link of the verification mail; the person can sign in after it. Whoever proves the address also knows the password " +
			"or sets one: give `password`, the one that was chosen at sign-up (403 `wrong_password`, and 429 after too many wrong ones), or " +
			"`new_password`, which replaces it and ends every session. With neither, the request must come from the browser that signed up, " +
			"which a cookie tells; otherwise it is 422 `password_required`. In each of these cases the link stays good." + linkErrors,
	},
	Allow: authz.Public(), Limit: op.LimitSignUp,
}

// DisownRequest says that somebody else signed up.
type DisownRequest struct{ Body LinkToken }

// Disown removes an account whose address was never proved.
var Disown = op.Op[DisownRequest, struct{}]{
	Operation: huma.Operation{
		OperationID: "disown-registration", Method: http.MethodPost, Path: "/api/v1/auth/registration/disown", Tags: []string{tagAccounts},
		Summary: "Report a sign-up that was not yours", DefaultStatus: http.StatusNoContent, Errors: []int{http.StatusConflict},
		Description: "Redeems the link of the verification mail the other way: the account that somebody made with this address is removed for good, " +
			"and the address is free again. 409 `not_removable` for an account that an administrator made or gave roles." + linkErrors,
	},
	Allow: authz.Public(), Limit: op.LimitSignUp,
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
			"new one is sent: at once, or when an account that is deactivated or deleted is activated or restored." + linkErrors,
	},
	Allow: authz.Public(),
}

// Setup is the first administrator.
type Setup struct {
	Token    string `json:"token" minLength:"1" maxLength:"512" writeOnly:"true" doc:"The token of the setup link" example:"Zm9yIHRoZSBleGFtcGxlIG9ubHksIG5vdCBhIHRva2Vu"`
	Email    string `json:"email" format:"idn-email" minLength:"3" maxLength:"254" doc:"The address to sign in with" example:"root@example.com"`
	Password string `json:"password" minLength:"12" maxLength:"256" writeOnly:"true" doc:"The password to sign in with" example:"seven green bicycles"`
	FullName string `json:"full_name" minLength:"1" maxLength:"200" doc:"What to call the person" example:"Grace Hopper"`
}

// SetupRequest makes the first administrator.
type SetupRequest struct{ Body Setup }

// SetupFirstAdmin makes the first administrator with the one-time setup link.
var SetupFirstAdmin = op.Op[SetupRequest, AccountResponse]{
	Operation: huma.Operation{
		OperationID: "setup", Method: http.MethodPost, Path: "/api/v1/auth/setup", Tags: []string{tagAccounts},
		Summary: "Make the first administrator", DefaultStatus: http.StatusCreated, Errors: []int{http.StatusConflict},
		Description: "Works once, with the setup link that `atrium up` prints at its first start, and as long as there is no administrator: afterwards 409 " +
			"`already_set_up`; 409 `email_taken` when the address has an account." + linkErrors,
	},
	Allow: authz.Public(), Limit: op.LimitSignUp,
}
