package api

import "github.com/atrium-mesh/atrium/pkg/op"

// Operations lists every operation of users.
func Operations() []op.Declared {
	return []op.Declared{
		GetMe, UpdateMe,
		ListUsers, CreateUser, GetUser, ReplaceUser, UpdateUser, DeleteUser,
		ActivateUser, DeactivateUser, RestoreUser,
	}
}
