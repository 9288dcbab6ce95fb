package api

import (
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/events"
)

// The events of users, on the stream USERS. Their JSON is kept by golden files: it must decode for ever.
var (
	UserUpdated     = events.Define[UserUpdatedData]("users.user.updated.v1")
	UserActivated   = events.Define[UserStatusData]("users.user.activated.v1")
	UserDeactivated = events.Define[UserStatusData]("users.user.deactivated.v1")
	UserDeleted     = events.Define[UserDeletedData]("users.user.deleted.v1")
	UserRestored    = events.Define[UserStatusData]("users.user.restored.v1")
	UserErased      = events.Define[UserErasedData]("users.user.erased.v1")
)

// UserUpdatedData is what others keep a copy of, as it is from Version on.
type UserUpdatedData struct {
	UserID   uuid.UUID `json:"user_id"`
	Version  int64     `json:"version"`
	Email    string    `json:"email"`
	FullName string    `json:"full_name"`
	Locale   string    `json:"locale"`
	TimeZone string    `json:"time_zone"`
}

// UserStatusData says that a user's status changed with Version. Status is what a restored user is from then on: active, pending, or
// deactivated for one who was kept out before; the other events say it by their type.
type UserStatusData struct {
	UserID  uuid.UUID `json:"user_id"`
	Version int64     `json:"version"`
	Status  string    `json:"status,omitempty"`
	At      time.Time `json:"at"`
}

// UserDeletedData says that a user was deleted, and when everything personal will be erased for good.
type UserDeletedData struct {
	UserID  uuid.UUID `json:"user_id"`
	Version int64     `json:"version"`
	At      time.Time `json:"at"`
	EraseAt time.Time `json:"erase_at"`
}

// UserErasedData says that everything personal of a user is gone and must go everywhere.
type UserErasedData struct {
	UserID uuid.UUID `json:"user_id"`
	At     time.Time `json:"at"`
}
