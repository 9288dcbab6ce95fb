package api

import (
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/events"
)

// Standing says whether an account may be used. Auth owns it: others ask for a change and keep a copy.
type Standing string

// The standings.
const (
	StandingActive   Standing = "active"
	StandingDisabled Standing = "disabled" // kept out until it is activated
	StandingDeleted  Standing = "deleted"  // kept out, and erased unless it is restored
	StandingErased   Standing = "erased"   // for good; nothing personal is left
)

// Verb is what somebody does to an account.
type Verb string

// The verbs. The first four change the standing of an account, and so does the last, which nobody can ask for: it follows a deletion.
const (
	VerbDeactivate  Verb = "deactivate"
	VerbActivate    Verb = "activate"
	VerbDelete      Verb = "delete"
	VerbRestore     Verb = "restore"      // to the standing that it had before it was deleted
	VerbEdit        Verb = "edit"         // change the profile
	VerbAssignRoles Verb = "assign_roles" // give and take roles
	VerbEndSessions Verb = "end_sessions"
	VerbErase       Verb = "erase"
)

// AccountStandingChanged says that an account has another standing. One change is one version and one event.
var AccountStandingChanged = events.Define[AccountStandingChangedData]("auth.account.standing_changed.v1")

// AccountStandingChangedData is the standing of an account from Version on, and how it came to be.
type AccountStandingChangedData struct {
	AccountID uuid.UUID `json:"account_id"`
	Standing  Standing  `json:"standing"`
	Version   int64     `json:"version"` // counts the changes of the standing; a copy applies only what is newer
	Cause     Verb      `json:"cause"`
	By        string    `json:"by"` // who did it: an account's id, "issuer|sub" for a token of a further issuer, or "system"
	At        time.Time `json:"at"`
}
