package api

import (
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/page"
)

const tagRoles = "Roles"

// Role is a named set of permissions.
type Role struct {
	Name        string    `json:"name" doc:"The role's name" example:"auditor"`
	Description string    `json:"description" doc:"What it is for" example:"Reads the audit trail"`
	Permissions []string  `json:"permissions" nullable:"false" doc:"What it allows" example:"[\"audit:read\",\"users:read\"]"`
	BuiltIn     bool      `json:"built_in" doc:"Whether it is always there and cannot be changed" example:"false"`
	Version     int64     `json:"version" doc:"Counts its changes; also the ETag" example:"1"`
	CreatedAt   time.Time `json:"created_at" doc:"When it was made" example:"2026-01-02T15:04:05Z"`
	UpdatedAt   time.Time `json:"updated_at" doc:"When it was last changed" example:"2026-01-02T15:04:05Z"`
}

// RolePage is a list of roles.
type RolePage = page.Page[Role]

// ListRolesRequest lists roles.
type ListRolesRequest struct{ page.Query }

// RolesResponse is a list of roles.
type RolesResponse struct{ Body RolePage }

// RoleResponse is a role.
type RoleResponse struct {
	ETag     string `header:"ETag" doc:"The version, for If-Match" example:"\"1\""`
	Location string `header:"Location" doc:"Where the role is" example:"/api/v1/roles/auditor"`
	Body     Role
}

// NewRole is a role to be made.
type NewRole struct {
	Name        string   `json:"name" minLength:"2" maxLength:"64" pattern:"^[a-z][a-z0-9_-]*$" doc:"The role's name: lower-case letters, digits, _ and -" example:"auditor"`
	Description string   `json:"description,omitempty" maxLength:"500" doc:"What it is for" example:"Reads the audit trail"`
	Permissions []string `json:"permissions" nullable:"false" maxItems:"100" uniqueItems:"true" doc:"What it allows; only permissions that you hold yourself" example:"[\"audit:read\",\"users:read\"]"`
}

// RoleUpdate replaces what a role says and allows.
type RoleUpdate struct {
	Description string   `json:"description,omitempty" maxLength:"500" doc:"What it is for" example:"Reads the audit trail and users"`
	Permissions []string `json:"permissions" nullable:"false" maxItems:"100" uniqueItems:"true" doc:"What it allows; only permissions that you hold yourself" example:"[\"audit:read\",\"users:read\"]"`
}

// CreateRoleRequest makes a role.
type CreateRoleRequest struct{ Body NewRole }

// RoleRequest names a role.
type RoleRequest struct {
	Name string `path:"name" maxLength:"64" doc:"The role's name" example:"auditor"`
}

// UpdateRoleRequest replaces a role.
type UpdateRoleRequest struct {
	Name    string `path:"name" maxLength:"64" doc:"The role's name" example:"auditor"`
	IfMatch string `header:"If-Match" maxLength:"64" doc:"The ETag that the change is based on" example:"\"1\""`
	Body    RoleUpdate
}

// DeleteRoleRequest removes a role.
type DeleteRoleRequest struct {
	Name    string `path:"name" maxLength:"64" doc:"The role's name" example:"auditor"`
	IfMatch string `header:"If-Match" maxLength:"64" doc:"The ETag that the removal is based on" example:"\"1\""`
}

// ListRoles lists roles.
var ListRoles = op.Op[ListRolesRequest, RolesResponse]{
	Operation: huma.Operation{
		OperationID: "list-roles", Method: http.MethodGet, Path: "/api/v1/roles", Tags: []string{tagRoles},
		Summary: "List roles", Description: "Every role with its permissions, by name.", Errors: []int{http.StatusBadRequest},
	},
	Allow: authz.Require(PermRolesRead),
}

// CreateRole makes a role.
var CreateRole = op.Op[CreateRoleRequest, RoleResponse]{
	Operation: huma.Operation{
		OperationID: "create-role", Method: http.MethodPost, Path: "/api/v1/roles", Tags: []string{tagRoles},
		Summary: "Make a role", DefaultStatus: http.StatusCreated, Errors: []int{http.StatusConflict},
		Description: "409 `role_exists`. A permission that does not exist is a 422 `unknown_permission`; one that you do not hold a 403 `permission_not_held`.",
	},
	Allow: authz.Require(PermRolesWrite),
}

// GetRole reads a role.
var GetRole = op.Op[RoleRequest, RoleResponse]{
	Operation: huma.Operation{
		OperationID: "get-role", Method: http.MethodGet, Path: "/api/v1/roles/{name}", Tags: []string{tagRoles},
		Summary: "Get a role", Description: "404 `role_not_found`.",
	},
	Allow: authz.Require(PermRolesRead),
}

// UpdateRole replaces a role's description and permissions.
var UpdateRole = op.Op[UpdateRoleRequest, RoleResponse]{
	Operation: huma.Operation{
		OperationID: "update-role", Method: http.MethodPut, Path: "/api/v1/roles/{name}", Tags: []string{tagRoles},
		Summary: "Change a role", Errors: []int{http.StatusConflict, http.StatusPreconditionFailed},
		Description: "Everybody with the role gets the new permissions with the next token, which they need at once: their present ones are refused. 409 " +
			"`role_built_in`, 409 `role_busy` with `Retry-After` when it is being given to people again and again meanwhile, 412 `version_conflict` when If-Match is not the present ETag, 403 `permission_not_held`, and 403 `stronger_target` when somebody with the " +
			"role has a permission that you do not hold.",
	},
	Allow: authz.Require(PermRolesWrite),
}

// DeleteRole removes a role.
var DeleteRole = op.Op[DeleteRoleRequest, struct{}]{
	Operation: huma.Operation{
		OperationID: "delete-role", Method: http.MethodDelete, Path: "/api/v1/roles/{name}", Tags: []string{tagRoles},
		Summary: "Remove a role", DefaultStatus: http.StatusNoContent, Errors: []int{http.StatusConflict, http.StatusPreconditionFailed},
		Description: "409 `role_built_in`, 409 `role_in_use` while somebody has it, 412 `version_conflict`, 403 `permission_not_held`.",
	},
	Allow: authz.Require(PermRolesWrite),
}

// UserRoles are the roles that a user has.
type UserRoles struct {
	Roles       []string `json:"roles" nullable:"false" doc:"The names of the roles" example:"[\"user\",\"support\"]"`
	Permissions []string `json:"permissions" nullable:"false" doc:"What they allow together" example:"[\"users:read\",\"sessions:read\"]"`
	Version     int64    `json:"version" doc:"Counts the changes; also the ETag" example:"3"`
}

// UserRolesRequest names a user.
type UserRolesRequest struct {
	ID string `path:"id" format:"uuid" doc:"The user's id" example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
}

// UserRolesResponse is the roles of a user.
type UserRolesResponse struct {
	ETag string `header:"ETag" doc:"The version, for If-Match" example:"\"3\""`
	Body UserRoles
}

// RoleAssignment is every role that a user shall have.
type RoleAssignment struct {
	Roles []string `json:"roles" nullable:"false" minItems:"1" maxItems:"50" uniqueItems:"true" doc:"The names of all roles from now on" example:"[\"user\",\"support\"]"`
}

// SetUserRolesRequest replaces the roles of a user.
type SetUserRolesRequest struct {
	ID      string `path:"id" format:"uuid" doc:"The user's id" example:"0198c5a0-6f5e-7c3b-9a51-3f7d1c2b4a5e"`
	IfMatch string `header:"If-Match" maxLength:"64" doc:"The ETag that the change is based on" example:"\"3\""`
	Body    RoleAssignment
}

// GetUserRoles reads the roles of a user.
var GetUserRoles = op.Op[UserRolesRequest, UserRolesResponse]{
	Operation: huma.Operation{
		OperationID: "get-user-roles", Method: http.MethodGet, Path: "/api/v1/users/{id}/roles", Tags: []string{tagRoles},
		Summary: "Get a user's roles", Description: "404 `user_not_found`.",
	},
	Allow: authz.SelfOr("id", PermRolesRead),
}

// SetUserRoles replaces the roles of a user.
var SetUserRoles = op.Op[SetUserRolesRequest, UserRolesResponse]{
	Operation: huma.Operation{
		OperationID: "set-user-roles", Method: http.MethodPut, Path: "/api/v1/users/{id}/roles", Tags: []string{tagRoles},
		Summary: "Set a user's roles", Errors: []int{http.StatusConflict, http.StatusPreconditionFailed},
		Description: "The user's present tokens are refused at once; the next ones carry the new roles. 422 `unknown_role`, 403 `permission_not_held` for a role " +
			"that allows what you may not, 403 `stronger_target` for a user who has a permission that you do not hold, 409 `last_admin` when no administrator " +
			"would be left who can sign in, 409 `user_deleted`, 412 `version_conflict`.",
	},
	Allow: authz.Require(PermRolesAssign),
}
