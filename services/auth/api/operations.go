package api

import "github.com/atrium-mesh/atrium/pkg/op"

// Operations lists every operation of auth, the internal ones and the pages too.
func Operations() []op.Declared {
	return []op.Declared{
		Register, VerifyEmail, Disown, ResendVerification, AcceptInvitation, NotMe, SetupFirstAdmin,
		ForgotPassword, ResetPassword, ChangePassword, Reauthenticate,
		Login, Token, Refresh, Logout, LogoutAll,
		ListSessions, RevokeSession, ListUserSessions, RevokeUserSessions, RevokeUserSession,
		ListRoles, CreateRole, GetRole, UpdateRole, DeleteRole, GetUserRoles, SetUserRoles,
		ListAudit,
		JWKS, OpenIDConfiguration, OAuthMetadata, ListKeys, RotateKeys,
		VerifyEmailPage, ResetPasswordPage, AcceptInvitationPage, NotMePage, DisownPage, SetupPage,
		CreateAccount, GetAccount, AnnounceLink, SendLink, ListWatermarks, IssueServiceToken,
		DeactivateAccount, ActivateAccount, DeleteAccount, RestoreAccount, EraseAccount, MayEditAccount,
	}
}
