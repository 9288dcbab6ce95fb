package api

import (
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/events"
)

// The events of auth, on the stream AUTH. Their JSON is kept by golden files: it must decode for ever.
var (
	AccountRegistered      = events.Define[AccountRegisteredData]("auth.account.registered.v1")
	AccountVerified        = events.Define[AccountVerifiedData]("auth.account.verified.v1")
	AccountDisowned        = events.Define[AccountData]("auth.account.disowned.v1") // the owner of the address did not sign up: it is gone
	RegistrationAttempted  = events.Define[RegistrationAttemptedData]("auth.registration.attempted.v1")
	VerificationRequested  = events.Define[AccountData]("auth.verification.requested.v1")
	PasswordResetRequested = events.Define[AccountData]("auth.password.reset_requested.v1")
	PasswordChanged        = events.Define[PasswordChangedData]("auth.password.changed.v1")
	SessionStarted         = events.Define[SessionStartedData]("auth.session.started.v1")
	SessionCompromised     = events.Define[SessionCompromisedData]("auth.session.compromised.v1")
	RolesChanged           = events.Define[RolesChangedData]("auth.roles.changed.v1")
	WatermarkRaised        = events.Define[WatermarkRaisedData]("auth.watermark.raised.v1")
)

// Origin says how an account came to be.
type Origin string

// The origins.
const (
	OriginSignUp     Origin = "sign_up"    // the person registered
	OriginInvitation Origin = "invitation" // an administrator made it; the person sets a password by mail
	OriginSetup      Origin = "setup"      // the first administrator
)

// AccountData is an event that only says which account it is about. Generation goes back to auth with the request for the mail's link,
// which is refused when the account was closed in between.
type AccountData struct {
	AccountID  uuid.UUID `json:"account_id"`
	At         time.Time `json:"at"`
	Generation int64     `json:"generation,omitempty"`
	NoPassword bool      `json:"no_password,omitempty"` // of a reset: nobody asked for it, the account has none and its owner needs one
}

// AccountRegisteredData says that an account was made. Users makes the profile of it, notifications the recipient and the first mail.
type AccountRegisteredData struct {
	AccountID uuid.UUID `json:"account_id"`
	Email     string    `json:"email"`
	FullName  string    `json:"full_name"`
	Locale    string    `json:"locale,omitempty"`
	Origin    Origin    `json:"origin"`
	Roles     []string  `json:"roles"`
	Verified  bool      `json:"verified"`
	Unmailed  bool      `json:"unmailed,omitempty"` // the mailbox has had enough mails for now: no first mail
	At        time.Time `json:"at"`
}

// RegistrationAttemptedData says that somebody tried to sign up with the address of an account, and from which device.
type RegistrationAttemptedData struct {
	AccountID  uuid.UUID `json:"account_id"`
	Device     string    `json:"device,omitempty"`
	IP         string    `json:"ip,omitempty"`
	At         time.Time `json:"at"`
	Generation int64     `json:"generation,omitempty"` // as in AccountData
	Closed     bool      `json:"closed,omitempty"`     // the account is deactivated or deleted, so that the mail has no link
}

// AccountVerifiedData says that the person proved to own the address. FullName is there when the person accepted an invitation under
// another name than the one in it.
type AccountVerifiedData struct {
	AccountID uuid.UUID `json:"account_id"`
	Email     string    `json:"email"`
	FullName  string    `json:"full_name,omitempty"`
	At        time.Time `json:"at"`
}

// PasswordChangedData says that the password is another one now, and from which device that was done.
type PasswordChangedData struct {
	AccountID uuid.UUID `json:"account_id"`
	How       string    `json:"how"` // "change" or "reset"
	Device    string    `json:"device,omitempty"`
	IP        string    `json:"ip,omitempty"`
	At        time.Time `json:"at"`
}

// SessionStartedData says that somebody signed in. NewDevice is false for an account's very first sign-in. The owner is not told of a new
// one that is Quiet, since there were too many today; LastNotice is the last that the owner is told of today.
type SessionStartedData struct {
	AccountID uuid.UUID `json:"account_id"`
	SessionID uuid.UUID `json:"session_id"`
	NewDevice bool      `json:"new_device"`

	Quiet      bool `json:"quiet,omitempty"`
	LastNotice bool `json:"last_notice,omitempty"`

	Device string    `json:"device,omitempty"`
	IP     string    `json:"ip,omitempty"`
	At     time.Time `json:"at"`
}

// SessionCompromisedData says that a refresh token was used twice, so that its whole session was revoked.
type SessionCompromisedData struct {
	AccountID uuid.UUID `json:"account_id"`
	SessionID uuid.UUID `json:"session_id"`
	Device    string    `json:"device,omitempty"`
	IP        string    `json:"ip,omitempty"`
	At        time.Time `json:"at"`
}

// RolesChangedData is the whole list of an account's roles from now on, what was given and taken, and by whom.
type RolesChangedData struct {
	AccountID uuid.UUID `json:"account_id"`
	Roles     []string  `json:"roles"`
	Version   int64     `json:"version"`
	Added     []string  `json:"added,omitempty"`
	Removed   []string  `json:"removed,omitempty"`
	By        string    `json:"by,omitempty"` // an account's id, "issuer|sub" for a token of a further issuer, or "system"
	At        time.Time `json:"at"`
}

// WatermarkRaisedData says that tokens of a user or a session issued before NotBefore are refused from now on, and so is whatever a key
// signed that was withdrawn. It is forgotten at ExpiresAt, when the last such token has expired by itself.
type WatermarkRaisedData struct {
	Scope     string    `json:"scope"` // "user", "session" or "key"
	ID        string    `json:"id"`
	NotBefore time.Time `json:"not_before"`
	ExpiresAt time.Time `json:"expires_at"`
}
