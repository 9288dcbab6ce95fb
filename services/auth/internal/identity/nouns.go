package identity

import (
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
)

// Org is the organization that everything belongs to, as long as there is only one.
const Org = "default"

// The statuses of an account.
const (
	StatusActive   = "active"
	StatusDisabled = "disabled"
	StatusDeleted  = "deleted"
	StatusErased   = "erased"
)

// Account is who can sign in.
type Account struct {
	ID                      uuid.UUID
	OrgID                   string
	Email                   string // as it was typed
	EmailKey                string // see package address
	FullName                string
	Locale                  string
	Origin                  string
	Status                  string
	StatusVersion           int64 // counts the changes of Status
	VerifiedAt              *time.Time
	VerificationRequestedAt *time.Time
	ResetRequestedAt        *time.Time
	RolesVersion            int64
	Version                 int64
	CreatedAt               time.Time
	UpdatedAt               time.Time
	StatusBefore            *string // of a deleted account: what a restore goes back to
	ProfileVersion          int64   // of the user whose name and locale were copied last
	Generation              int64   // how often everything that opens the account was closed
}

// Active reports whether the account can be used.
func (a Account) Active() bool { return a.Status == StatusActive }

// Verified reports whether the person proved to own the address.
func (a Account) Verified() bool { return a.VerifiedAt != nil }

// Password is how an account's password is verified.
type Password struct {
	AccountID uuid.UUID
	Hash      string
	ChangedAt time.Time // when another password was set; a better hash of the same one changes nothing here
}

// Same reports whether the password has not been changed between two looks at it.
func (p Password) Same(other Password) bool {
	return p.AccountID == other.AccountID && p.ChangedAt.Equal(other.ChangedAt)
}

// Role is a named set of permissions.
type Role struct {
	OrgID       string
	Name        string
	Description string
	Permissions []string
	BuiltIn     bool
	Version     int64
	CreatedAt   time.Time
	UpdatedAt   time.Time
}

// Names are the names of roles.
func Names(roles []Role) []string {
	names := make([]string, len(roles))
	for i, r := range roles {
		names[i] = r.Name
	}
	return names
}

// Permissions are what roles allow together, sorted, each once.
func Permissions(roles []Role) []string {
	all := []string{}
	for _, r := range roles {
		all = append(all, r.Permissions...)
	}
	slices.SortFunc(all, strings.Compare)
	return slices.Compact(all)
}

// Session is a device that is signed in.
type Session struct {
	ID           uuid.UUID
	OrgID        string
	AccountID    uuid.UUID
	Device       string
	IP           string
	UserAgent    string
	CreatedAt    time.Time
	LastSeenAt   time.Time
	IssuedAt     time.Time // instant of the last access token
	ExpiresAt    time.Time
	RevokedAt    *time.Time
	RevokeReason *string

	AuthenticatedAt *time.Time // nil: at CreatedAt, see ProvedAt
}

// ProvedAt is when the person last proved to be there, with the password.
func (s Session) ProvedAt() time.Time {
	if s.AuthenticatedAt != nil {
		return *s.AuthenticatedAt
	}
	return s.CreatedAt
}

// Open reports whether the session can be used at an instant.
func (s Session) Open(now time.Time) bool { return s.RevokedAt == nil && now.Before(s.ExpiresAt) }

// RefreshToken is one of a session's, without its secret.
type RefreshToken struct {
	ID        uuid.UUID
	SessionID uuid.UUID
	Hash      []byte
	ParentID  *uuid.UUID
	ChildID   *uuid.UUID // its successor, once it was used
	CreatedAt time.Time
	ExpiresAt time.Time
	UsedAt    *time.Time
}

// Link is the one-time token of a link, without its secret.
type Link struct {
	ID         uuid.UUID
	OrgID      string
	AccountID  *uuid.UUID // nil: the setup link
	Purpose    string
	Hash       []byte
	DeliveryID *uuid.UUID
	CreatedAt  time.Time
	ExpiresAt  time.Time
	UsedAt     *time.Time
	SentAt     *time.Time // when its mail was accepted
}
