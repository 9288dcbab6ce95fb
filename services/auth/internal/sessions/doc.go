// Package sessions owns signing in and out: how a session starts, how its refresh tokens rotate, and how it ends.
//
//	login ─► session ─► refresh token ─used─► successor ─used─► successor …
//	                       │ again within the grace: the same successor (tabs race)
//	                       └ again later: stolen by one of two; the session ends and the person is told
//
// Signing in answers alike, and works as long, whether the address is unknown, the password wrong or the account disabled.
package sessions
