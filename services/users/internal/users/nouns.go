package users

import (
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/text"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
)

// The statuses of a user.
const (
	StatusPending     = "pending"
	StatusActive      = "active"
	StatusDeactivated = "deactivated"
	StatusDeleted     = "deleted"
)

// What a profile has when nothing else was said.
const (
	DefaultLocale   = "en"
	DefaultTimeZone = "UTC"
)

// User is a person.
type User struct {
	Profile
	ID              uuid.UUID
	Email           string
	EmailVerified   bool
	Status          string
	Roles           []string
	Version         int64
	CreatedAt       time.Time
	UpdatedAt       time.Time
	LastSignInAt    *time.Time // nil: never
	DeletedAt       *time.Time // these two only of a deleted user
	EraseAt         *time.Time
	StandingVersion int64 // of the account's standing, which Status follows; zero: it was never changed
}

// Profile is what people say about themselves.
type Profile struct{ FullName, Locale, TimeZone string }

// NewUser is a user to be added.
type NewUser struct {
	Profile
	ID            uuid.UUID
	Email         string
	EmailVerified bool
	Roles         []string
	RolesVersion  int64 // auth's; zero: not known, so that any is newer
	CreatedAt     time.Time
}

// Parse is a user to be added with what nothing was said about filled in, or errs.Invalid with what no user can have. Where is what its
// parts belong to: "body" of a request, "data" of an event.
func (n NewUser) Parse(where string) (NewUser, error) {
	profile, profileErr := n.Profile.parse(where)
	_, emailErr := text.Line(where+".email", n.Email, MaxEmail)
	rolesErr := auth.CheckRoles(where+".roles", n.Roles)
	if err := allOf(profileErr, emailErr, rolesErr); err != nil {
		return NewUser{}, err
	}
	n.Profile = profile
	if n.Roles == nil {
		n.Roles = []string{}
	}
	return n, nil
}

// Status is what a new user begins with.
func (n NewUser) Status() string { return statusOf(n.EmailVerified) }

// statusOf is the status of somebody whom nobody keeps out.
func statusOf(emailVerified bool) string {
	if emailVerified {
		return StatusActive
	}
	return StatusPending
}

// Filter says which users a list holds. Zero fields do not filter; deleted users are there only when asked for by status.
type Filter struct {
	Text          string // part of the name or address, in any case
	Status        string
	Role          string
	CreatedAfter  time.Time // inclusive
	CreatedBefore time.Time // exclusive
}

// The orders that a list can have.
const (
	ByCreatedAt    = "created_at"
	ByFullName     = "full_name"
	ByEmail        = "email"
	ByLastSignInAt = "last_sign_in_at"
)

// Order is how a list is sorted, with the id for those that are equal.
type Order struct {
	By   string
	Desc bool
}

// Slice is which users of a list: Limit of them after After, or after Offset of them when After is nil.
type Slice struct {
	Limit  int32
	Offset int64
	After  *Position
}

// Position is where a user stands in a list. Key is the value that the list is sorted by: a text, a time, or [Never].
type Position struct {
	Key any
	ID  uuid.UUID
}

// Never is where those who never signed in stand in the order of last sign-ins.
const Never = "-infinity"

// Change is an entry of the audit trail: who did what to whom, and from where.
type Change struct {
	UserID    uuid.UUID
	Actor     string
	Action    string
	IP        string // the client's address; "" when no client asked for it
	RequestID string // by which the log has it; "" when no client asked for it
	At        time.Time
}
