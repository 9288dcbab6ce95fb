package api

import (
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/page"
)

const tagSessions = "Sessions"

// Session is one device that is signed in.
type Session struct {
	ID         string    `json:"id" format:"uuid" doc:"The session's id" example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	Device     string    `json:"device" doc:"What it looks like: browser and system" example:"Firefox on Linux"`
	IP         string    `json:"ip" doc:"The address it was last seen at" example:"203.0.113.7"`
	CreatedAt  time.Time `json:"created_at" doc:"When it signed in" example:"2026-01-02T15:04:05Z"`
	LastSeenAt time.Time `json:"last_seen_at" doc:"When it last asked for tokens" example:"2026-01-02T16:04:05Z"`
	ExpiresAt  time.Time `json:"expires_at" doc:"When it ends by itself, unless it is used" example:"2026-02-01T15:04:05Z"`
	Current    bool      `json:"current" doc:"Whether it is the session of this request" example:"true"`
}

// SessionPage is a list of sessions.
type SessionPage = page.Page[Session]

// ListSessionsRequest lists one's sessions.
type ListSessionsRequest struct{ page.Query }

// SessionsResponse is a list of sessions.
type SessionsResponse struct{ Body SessionPage }

// ListSessions lists the devices that one is signed in on.
var ListSessions = op.Op[ListSessionsRequest, SessionsResponse]{
	Operation: huma.Operation{
		OperationID: "list-sessions", Method: http.MethodGet, Path: "/api/v1/auth/sessions", Tags: []string{tagSessions},
		Summary: "List one's sessions", Errors: []int{http.StatusBadRequest},
		Description: "The sessions that are open, the latest used first.",
	},
	Allow: authz.Authenticated(),
}

// RevokeSessionRequest ends one of one's sessions.
type RevokeSessionRequest struct {
	ID string `path:"id" format:"uuid" doc:"The session's id" example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
}

// RevokeSession ends one of one's sessions.
var RevokeSession = op.Op[RevokeSessionRequest, struct{}]{
	Operation: huma.Operation{
		OperationID: "revoke-session", Method: http.MethodDelete, Path: "/api/v1/auth/sessions/{id}", Tags: []string{tagSessions},
		Summary: "End one of one's sessions", DefaultStatus: http.StatusNoContent,
		Description: "Its tokens are refused at once. 404 `session_not_found` when it is not an open session of one's own.",
	},
	Allow: authz.Authenticated(),
}

// ListUserSessionsRequest lists a user's sessions.
type ListUserSessionsRequest struct {
	ID string `path:"id" format:"uuid" doc:"The user's id" example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	page.Query
}

// ListUserSessions lists the devices that a user is signed in on.
var ListUserSessions = op.Op[ListUserSessionsRequest, SessionsResponse]{
	Operation: huma.Operation{
		OperationID: "list-user-sessions", Method: http.MethodGet, Path: "/api/v1/users/{id}/sessions", Tags: []string{tagSessions},
		Summary: "List a user's sessions", Errors: []int{http.StatusBadRequest},
		Description: "The sessions that are open, the latest used first. 404 `user_not_found`.",
	},
	Allow: authz.SelfOr("id", PermSessionsRead),
}

// RevokeUserSessionsRequest ends every session of a user.
type RevokeUserSessionsRequest struct {
	ID string `path:"id" format:"uuid" doc:"The user's id" example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
}

// RevokeUserSessions ends every session of a user.
var RevokeUserSessions = op.Op[RevokeUserSessionsRequest, struct{}]{
	Operation: huma.Operation{
		OperationID: "revoke-user-sessions", Method: http.MethodDelete, Path: "/api/v1/users/{id}/sessions", Tags: []string{tagSessions},
		Summary: "End every session of a user", DefaultStatus: http.StatusNoContent,
		Description: "Their tokens are refused at once. 404 `user_not_found`, 403 `stronger_target` for a user who has a permission that you do not hold.",
	},
	Allow: authz.SelfOr("id", PermSessionsRevoke),
}

// RevokeUserSessionRequest ends a session of a user.
type RevokeUserSessionRequest struct {
	ID        string `path:"id" format:"uuid" doc:"The user's id" example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	SessionID string `path:"session_id" format:"uuid" doc:"The session's id" example:"0198c5a0-7a11-7d2e-8c4f-5b6a7c8d9e0f"`
}

// RevokeUserSession ends a session of a user.
var RevokeUserSession = op.Op[RevokeUserSessionRequest, struct{}]{
	Operation: huma.Operation{
		OperationID: "revoke-user-session", Method: http.MethodDelete, Path: "/api/v1/users/{id}/sessions/{session_id}", Tags: []string{tagSessions},
		Summary: "End a session of a user", DefaultStatus: http.StatusNoContent,
		Description: "Its tokens are refused at once. 404 `user_not_found`, 404 `session_not_found` when it is not an open session of this user, 403 " +
			"`stronger_target` for a user who has a permission that you do not hold.",
	},
	Allow: authz.SelfOr("id", PermSessionsRevoke),
}
