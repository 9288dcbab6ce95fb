// Package audit owns the audit trail: what was done, by whom, to whom, from where. An entry is written in the transaction of the change
// that it tells of, and is never changed.
package audit

import (
	"context"
	"maps"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/request"
	"github.com/atrium-mesh/atrium/services/auth/internal/devices"
)

// The actions.
const (
	AccountRegistered     = "account.registered"
	AccountInvited        = "account.invited"
	AccountVerified       = "account.verified"
	InvitationAccepted    = "account.invitation_accepted"
	AccountSetUp          = "account.set_up"
	AccountDisabled       = "account.disabled"
	AccountEnabled        = "account.enabled"
	AccountDeleted        = "account.deleted"
	AccountRestored       = "account.restored"
	AccountErased         = "account.erased"
	AccountDisowned       = "account.not_me" // the person said that it was somebody else
	VerificationRequested = "verification.requested"
	PasswordChanged       = "password.changed"
	PasswordReset         = "password.reset"
	PasswordForgotten     = "password.reset_requested"
	RegistrationAttempted = "registration.attempted" // with the address of an account that was there
	RegistrationDisowned  = "registration.disowned"  // the owner of the address did not sign up
	MailHeldBack          = "mail.held_back"         // the mailbox has had enough for now
	SessionStarted        = "session.started"
	SessionEnded          = "session.ended"
	SessionsEnded         = "session.all_ended"
	SessionProved         = "session.reauthenticated"
	SessionCompromised    = "session.compromised"
	RoleCreated           = "role.created"
	RoleUpdated           = "role.updated"
	RoleDeleted           = "role.deleted"
	RolesAssigned         = "roles.assigned"
	KeyRotated            = "key.rotated"
)

// throttled names the refusal of what is not even tried, since a wrong password was given for it too often from there.
var throttled = map[string]string{
	SessionStarted:  "session.start_throttled",
	SessionProved:   "session.reauthentication_throttled",
	PasswordChanged: "password.change_throttled",
	AccountVerified: "account.verification_throttled",
}

// Throttled is the action that tells of too many failures of an action. It is false for one that takes no password.
func Throttled(action string) (string, bool) {
	name, ok := throttled[action]
	return name, ok
}

// The outcomes.
const (
	Success = "success"
	Failure = "failure"
)

// System is the actor where nobody signed in did it.
const System = "system"

// Entry is one thing that was done, or refused.
type Entry struct {
	ID        uuid.UUID
	At        time.Time
	Action    string
	Actor     string
	Subject   string // an account's id, a role's name or a signing key's id
	Outcome   string
	IP        string
	Device    string
	RequestID string
	Details   map[string]any // no secrets
}

// New makes an entry of the request in ctx: its principal is the actor (system where there is none; see By), and it succeeded (see Failed).
func New(ctx context.Context, at time.Time, action, subject string) (Entry, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Entry{}, err
	}
	from := request.From(ctx)
	e := Entry{ID: id, At: at, Action: action, Actor: System, Subject: subject, Outcome: Success, IP: from.ClientIP, RequestID: from.ID}
	if who := authz.PrincipalFrom(ctx); who != nil {
		e.Actor = who.Subject
	}
	if from.UserAgent != "" {
		e.Device = devices.Name(from.UserAgent)
	}
	return e, nil
}

// By returns a copy by another actor: one who signs in, or redeems a link, has no token yet.
func (e Entry) By(actor string) Entry {
	e.Actor = actor
	return e
}

// Failed returns a copy that says that it was refused.
func (e Entry) Failed() Entry {
	e.Outcome = Failure
	return e
}

// With returns a copy with one more detail.
func (e Entry) With(name string, value any) Entry {
	details := map[string]any{name: value}
	maps.Copy(details, e.Details)
	e.Details = details
	return e
}
