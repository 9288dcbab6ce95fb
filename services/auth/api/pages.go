package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/op"
)

// PageRequest opens a page of a link. Opening never redeems the token: a mail scanner must not use the link up.
type PageRequest struct {
	Token string `query:"token" maxLength:"512" doc:"The token of the link, for the page's form"`
}

// The pages that links in mails lead to. They are for people and stay out of the API reference.
var (
	VerifyEmailPage      = accountPage("page-verify-email", "/account/verify-email", "Page to verify an address")
	ResetPasswordPage    = accountPage("page-reset-password", "/account/reset-password", "Page to set another password")
	AcceptInvitationPage = accountPage("page-accept-invitation", "/account/accept-invitation", "Page to accept an invitation")
	NotMePage            = accountPage("page-not-me", "/account/not-me", "Page to say that it was somebody else")
	DisownPage           = accountPage("page-disown", "/account/disown", "Page to say that somebody else signed up")
	SetupPage            = accountPage("page-setup", "/account/setup", "Page to make the first administrator")
)

func accountPage(id, path, summary string) op.Op[PageRequest, struct{}] {
	return op.Op[PageRequest, struct{}]{
		Operation: huma.Operation{
			OperationID: id, Method: http.MethodGet, Path: path, Tags: []string{tagAccounts}, Summary: summary, Hidden: true,
		},
		Allow: authz.Public(),
	}
}
