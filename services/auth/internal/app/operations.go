package app

import (
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/pages"
)

// operations ties every operation of auth to its implementation.
func operations(s *op.Server, d domain) {
	op.Handle(s, api.Register, d.accounts.Register)
	op.Handle(s, api.VerifyEmail, d.accounts.VerifyEmail)
	op.Handle(s, api.Disown, d.accounts.Disown)
	op.Handle(s, api.ResendVerification, d.accounts.ResendVerification)
	op.Handle(s, api.AcceptInvitation, d.accounts.AcceptInvitation)
	op.Handle(s, api.NotMe, d.accounts.NotMe)
	op.Handle(s, api.ForgotPassword, d.accounts.ForgotPassword)
	op.Handle(s, api.ResetPassword, d.accounts.ResetPassword)
	op.Handle(s, api.ChangePassword, d.accounts.ChangePassword)
	op.Handle(s, api.Reauthenticate, d.accounts.Reauthenticate)
	op.Handle(s, api.CreateAccount, d.accounts.Create)
	op.Handle(s, api.GetAccount, d.accounts.Get)
	op.Handle(s, api.DeactivateAccount, d.standing.Deactivate)
	op.Handle(s, api.ActivateAccount, d.standing.Activate)
	op.Handle(s, api.DeleteAccount, d.standing.Delete)
	op.Handle(s, api.RestoreAccount, d.standing.Restore)
	op.Handle(s, api.EraseAccount, d.standing.EraseDeleted)
	op.Handle(s, api.MayEditAccount, d.standing.MayEdit)

	op.Handle(s, api.Login, d.sessions.Login)
	op.Handle(s, api.Token, d.sessions.Token)
	op.Handle(s, api.Refresh, d.sessions.Refresh)
	op.Handle(s, api.Logout, d.sessions.Logout)
	op.Handle(s, api.LogoutAll, d.sessions.LogoutAll)
	op.Handle(s, api.ListSessions, d.sessions.List)
	op.Handle(s, api.RevokeSession, d.sessions.Revoke)
	op.Handle(s, api.ListUserSessions, d.sessions.ListOf)
	op.Handle(s, api.RevokeUserSessions, d.sessions.RevokeAllOf)
	op.Handle(s, api.RevokeUserSession, d.sessions.RevokeOf)

	op.Handle(s, api.JWKS, d.keys.JWKS)
	op.Handle(s, api.ListKeys, d.keys.List)
	op.Handle(s, api.RotateKeys, d.keys.Rotate)
	op.Handle(s, api.OpenIDConfiguration, d.discovery.OpenID)
	op.Handle(s, api.OAuthMetadata, d.discovery.OAuth)
	op.Handle(s, api.AnnounceLink, d.links.Announce)
	op.Handle(s, api.SendLink, d.letters.Send)
	op.Handle(s, api.ListWatermarks, d.watermarks.List)
	op.Handle(s, api.IssueServiceToken, d.services.Issue)
	op.Handle(s, api.SetupFirstAdmin, d.setup.Do)

	op.Handle(s, api.ListRoles, d.roles.List)
	op.Handle(s, api.CreateRole, d.roles.Create)
	op.Handle(s, api.GetRole, d.roles.Get)
	op.Handle(s, api.UpdateRole, d.roles.Update)
	op.Handle(s, api.DeleteRole, d.roles.Delete)
	op.Handle(s, api.GetUserRoles, d.roles.Of)
	op.Handle(s, api.SetUserRoles, d.roles.Assign)
	op.Handle(s, api.ListAudit, d.trail.List)

	op.HandleRaw(s, api.VerifyEmailPage, d.pages.Handler(pages.VerifyEmail()))
	op.HandleRaw(s, api.ResetPasswordPage, d.pages.Handler(pages.ResetPassword()))
	op.HandleRaw(s, api.AcceptInvitationPage, d.pages.Handler(pages.AcceptInvitation()))
	op.HandleRaw(s, api.NotMePage, d.pages.Handler(pages.NotMe()))
	op.HandleRaw(s, api.DisownPage, d.pages.Handler(pages.Disown()))
	op.HandleRaw(s, api.SetupPage, d.pages.Handler(pages.Setup()))
}
