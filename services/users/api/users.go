package api

import (
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/page"
)

const tagUsers = "Users"

// User is a person as the mesh knows them. It never holds a secret.
type User struct {
	ID            string     `json:"id" format:"uuid" doc:"The user's id, the account's as well" example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	Email         string     `json:"email" doc:"The address that the person signs in with; owned by the account" example:"ada@example.com"`
	EmailVerified bool       `json:"email_verified" doc:"Whether the person proved to own the address" example:"true"`
	FullName      string     `json:"full_name" doc:"What to call the person" example:"Ada Lovelace"`
	Locale        string     `json:"locale" doc:"Language to write to the person in (BCP 47)" example:"en"`
	TimeZone      string     `json:"time_zone" doc:"Time zone of the person (IANA)" example:"Europe/London"`
	Status        string     `json:"status" enum:"pending,active,deactivated,deleted" doc:"pending until the address is proved; deactivated and deleted people cannot sign in" example:"active"`
	Roles         []string   `json:"roles" nullable:"false" doc:"A copy of the account's roles" example:"[\"user\"]"`
	CreatedAt     time.Time  `json:"created_at" doc:"When the user was made" example:"2026-01-02T15:04:05Z"`
	UpdatedAt     time.Time  `json:"updated_at" doc:"When the user was last changed" example:"2026-01-02T15:04:05Z"`
	LastSignInAt  *time.Time `json:"last_sign_in_at,omitempty" doc:"When the person last signed in; absent when never" example:"2026-01-03T08:00:00Z"`
	DeletedAt     *time.Time `json:"deleted_at,omitempty" doc:"When the user was deleted; absent when not" example:"2026-02-01T00:00:00Z"`
	EraseAt       *time.Time `json:"erase_at,omitempty" doc:"When everything personal of a deleted user will be erased for good" example:"2026-03-03T00:00:00Z"`
}

// UserResponse is a user with its version.
type UserResponse struct {
	ETag string `header:"ETag" doc:"The user's version, for If-Match" example:"\"3\""`
	Body User
}

// UserPage is a page of a list of users.
type UserPage = page.Page[User]

// GetUserRequest names a user.
type GetUserRequest struct {
	ID string `path:"id" format:"uuid" doc:"The user's id" example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
}

// GetUser reads one user.
var GetUser = op.Op[GetUserRequest, UserResponse]{
	Operation: huma.Operation{
		OperationID: "get-user", Method: http.MethodGet, Path: "/api/v1/users/{id}", Tags: []string{tagUsers},
		Summary:     "Get a user",
		Description: "Reads a user: people themselves, support and administrators. 404 `user_not_found` when there is none. A deleted user can be read until it is erased.",
	},
	Subject: "rpc.users.get-user",
	Allow:   authz.SelfOr("id", "users:read"),
}

// GetMeRequest has nothing to say.
type GetMeRequest struct{}

// GetMe reads the caller's own user.
var GetMe = op.Op[GetMeRequest, UserResponse]{
	Operation: huma.Operation{
		OperationID: "get-me", Method: http.MethodGet, Path: "/api/v1/users/me", Tags: []string{tagUsers},
		Summary: "Get your own user", Description: "Reads the user of the person who is signed in.", Errors: []int{http.StatusNotFound},
	},
	Allow: authz.Authenticated(),
}

// ListUsersRequest filters, sorts and pages.
type ListUsersRequest struct {
	page.Query
	Q             string    `query:"q" minLength:"2" maxLength:"100" doc:"Text that the name or the address contains, in any case" example:"ada"`
	Status        string    `query:"status" enum:"pending,active,deactivated,deleted" doc:"Only users in this status; without it all but the deleted" example:"active"`
	Role          string    `query:"role" maxLength:"64" doc:"Only users who hold this role" example:"support"`
	CreatedAfter  time.Time `query:"created_after" doc:"Only users made at or after this time" example:"2026-01-01T00:00:00Z"`
	CreatedBefore time.Time `query:"created_before" doc:"Only users made before this time" example:"2027-01-01T00:00:00Z"`
	Sort          string    `query:"sort" maxLength:"64" default:"-created_at" doc:"created_at, full_name, email or last_sign_in_at; a minus turns it round" example:"-created_at"`
}

// ListUsersResponse is a page of users.
type ListUsersResponse struct{ Body UserPage }

// ListUsers lists users.
var ListUsers = op.Op[ListUsersRequest, ListUsersResponse]{
	Operation: huma.Operation{
		OperationID: "list-users", Method: http.MethodGet, Path: "/api/v1/users", Tags: []string{tagUsers},
		Summary: "List users", Errors: []int{http.StatusBadRequest},
		Description: "Lists users with filters, a text search over name and address, and a sort. Use `page`, or follow `next_cursor`, which is " +
			"as quick on the last page as on the first. `total` is exact up to 50,000; a larger one may be five seconds old. A cursor belongs to the filters and the sort that it was made with: 400 `invalid_cursor`.",
	},
	Allow: authz.Require("users:read"), Timeout: 10 * time.Second,
}

// NewUser is what an administrator makes a user of.
type NewUser struct {
	Email    string   `json:"email" format:"idn-email" minLength:"3" maxLength:"254" doc:"The address to invite" example:"grace@example.com"`
	FullName string   `json:"full_name" minLength:"1" maxLength:"200" doc:"What to call the person" example:"Grace Hopper"`
	Locale   string   `json:"locale,omitempty" maxLength:"35" pattern:"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$" doc:"Language to write to the person in (BCP 47); en when left out" example:"en"`
	TimeZone string   `json:"time_zone,omitempty" maxLength:"64" doc:"Time zone of the person (IANA); UTC when left out" example:"America/New_York"`
	Roles    []string `json:"roles,omitempty" maxItems:"16" uniqueItems:"true" doc:"Roles to give; [user] when left out. Other roles need the permission roles:assign, and what they allow" example:"[\"user\"]"`
}

// CreateUserRequest asks for a user.
type CreateUserRequest struct {
	IdempotencyKey string `header:"Idempotency-Key" maxLength:"255" doc:"Makes it safe to send the request again within 24 hours: the user is made once, and the answer is that user" example:"5b1f0c9e-4f0a-4b52-8f1e-6c1a3f0e9d77"`
	Body           NewUser
}

// CreateUserResponse is the new user.
type CreateUserResponse struct {
	Location string `header:"Location" doc:"Where the user is" example:"/api/v1/users/0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	ETag     string `header:"ETag" doc:"The user's version, for If-Match" example:"\"1\""`
	Body     User
}

// CreateUser makes a user and invites the person.
var CreateUser = op.Op[CreateUserRequest, CreateUserResponse]{
	Operation: huma.Operation{
		OperationID: "create-user", Method: http.MethodPost, Path: "/api/v1/users", Tags: []string{tagUsers},
		Summary: "Create a user", DefaultStatus: http.StatusCreated, Errors: []int{http.StatusConflict},
		Description: "Makes a user with an account and sends an invitation to set a password. 409 `email_taken` when the address has an account, 403 `permission_not_held` for a role that allows what you may not. " +
			"With an `Idempotency-Key` a repeated request makes no second user and answers with the first; the same key with another body is 422 `idempotency_key_reused`.",
	},
	Allow: authz.Require("users:write"), Timeout: 8 * time.Second,
}

// Profile is what can be changed of a user, whole.
type Profile struct {
	FullName string `json:"full_name" minLength:"1" maxLength:"200" doc:"What to call the person" example:"Ada Lovelace"`
	Locale   string `json:"locale" maxLength:"35" pattern:"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$" doc:"Language to write to the person in (BCP 47)" example:"en-GB"`
	TimeZone string `json:"time_zone" minLength:"1" maxLength:"64" doc:"Time zone of the person (IANA)" example:"Europe/London"`
}

// ProfileChange is what can be changed of a user; what is left out stays.
type ProfileChange struct {
	FullName *string `json:"full_name,omitempty" minLength:"1" maxLength:"200" doc:"What to call the person" example:"Ada King"`
	Locale   *string `json:"locale,omitempty" maxLength:"35" pattern:"^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$" doc:"Language to write to the person in (BCP 47)" example:"en-GB"`
	TimeZone *string `json:"time_zone,omitempty" minLength:"1" maxLength:"64" doc:"Time zone of the person (IANA)" example:"Europe/London"`
}

// ReplaceUserRequest is a user's whole profile.
type ReplaceUserRequest struct {
	ID      string `path:"id" format:"uuid" doc:"The user's id" example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	IfMatch string `header:"If-Match" maxLength:"64" doc:"Change only this version; else 412" example:"\"3\""`
	Body    Profile
}

const changeErrors = " With `If-Match` a version that is no longer the newest is 412 `version_conflict` and nothing is changed. 409 `user_deleted` for a deleted user."

// ReplaceUser replaces a user's profile.
var ReplaceUser = op.Op[ReplaceUserRequest, UserResponse]{
	Operation: huma.Operation{
		OperationID: "replace-user", Method: http.MethodPut, Path: "/api/v1/users/{id}", Tags: []string{tagUsers},
		Summary: "Replace a user's profile", Errors: []int{http.StatusConflict, http.StatusPreconditionFailed},
		Description: "Replaces what can be changed of a user." + changeErrors + actErrors,
	},
	Allow: authz.SelfOr("id", "users:write"),
}

// UpdateUserRequest is a change of a user's profile.
type UpdateUserRequest struct {
	ID      string `path:"id" format:"uuid" doc:"The user's id" example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	IfMatch string `header:"If-Match" maxLength:"64" doc:"Change only this version; else 412" example:"\"3\""`
	Body    ProfileChange
}

// UpdateUser changes parts of a user's profile.
var UpdateUser = op.Op[UpdateUserRequest, UserResponse]{
	Operation: huma.Operation{
		OperationID: "update-user", Method: http.MethodPatch, Path: "/api/v1/users/{id}", Tags: []string{tagUsers},
		Summary: "Change a user's profile", Errors: []int{http.StatusConflict, http.StatusPreconditionFailed},
		Description: "Changes the fields that are given." + changeErrors + actErrors,
	},
	Allow: authz.SelfOr("id", "users:write"),
}

// UpdateMeRequest is a change of the caller's own profile.
type UpdateMeRequest struct {
	IfMatch string `header:"If-Match" maxLength:"64" doc:"Change only this version; else 412" example:"\"3\""`
	Body    ProfileChange
}

// UpdateMe changes parts of the caller's own profile.
var UpdateMe = op.Op[UpdateMeRequest, UserResponse]{
	Operation: huma.Operation{
		OperationID: "update-me", Method: http.MethodPatch, Path: "/api/v1/users/me", Tags: []string{tagUsers},
		Summary: "Change your own profile", Errors: []int{http.StatusNotFound, http.StatusConflict, http.StatusPreconditionFailed},
		Description: "Changes the fields that are given." + changeErrors,
	},
	Allow: authz.Authenticated(),
}
