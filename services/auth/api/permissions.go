package api

// The permissions that roles are made of. They travel in a token's scope.
const (
	PermUsersRead         = "users:read"
	PermUsersWrite        = "users:write"
	PermUsersDelete       = "users:delete"
	PermSessionsRead      = "sessions:read"
	PermSessionsRevoke    = "sessions:revoke"
	PermRolesRead         = "roles:read"
	PermRolesWrite        = "roles:write"
	PermRolesAssign       = "roles:assign"
	PermNotificationsRead = "notifications:read"
	PermNotificationsSend = "notifications:send"
	PermDeliveriesRead    = "deliveries:read"
	PermDeliveriesReplay  = "deliveries:replay"
	PermAuditRead         = "audit:read"
	PermKeysRotate        = "keys:rotate"
)

// Permissions lists every permission there is, which is what an administrator holds.
func Permissions() []string {
	return []string{
		PermUsersRead, PermUsersWrite, PermUsersDelete, PermSessionsRead, PermSessionsRevoke, PermRolesRead, PermRolesWrite,
		PermRolesAssign, PermNotificationsRead, PermNotificationsSend, PermDeliveriesRead, PermDeliveriesReplay, PermAuditRead,
		PermKeysRotate,
	}
}

// The roles that are always there and cannot be changed.
const (
	RoleUser    = "user"    // no permission: oneself only
	RoleSupport = "support" // reads what helping people needs, and ends sessions
	RoleAdmin   = "admin"   // every permission
)
