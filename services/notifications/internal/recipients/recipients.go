// Package recipients owns whom messages can reach: a copy of what auth and users know of people, kept by their events. Events of
// different streams arrive in any order; whatever the order, the copy ends up the same.
package recipients

import (
	"context"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/person"
	"github.com/atrium-mesh/atrium/pkg/text"
)

// Recipient is a person as messages need to know them.
type Recipient struct {
	ID                 uuid.UUID
	OrgID              string
	Email              string // "" until the registration has arrived
	FullName           string
	Locale             string // BCP 47, "" when not known
	TimeZone           string // IANA, "" when not known
	Verified           bool   // proved to own the address
	Active             bool
	Erased             bool
	PreferencesVersion int64
	EraseAt            *time.Time // when one who was deleted last will be erased; nil: it is not known
}

// Registration is a recipient as auth first tells of them.
type Registration struct {
	ID       uuid.UUID
	OrgID    string
	Email    string
	FullName string
	Locale   string
	Roles    []string
	Verified *time.Time // when they proved to own the address; nil: not yet
}

// Verification says since when a recipient is known to own their address.
type Verification struct {
	ID    uuid.UUID
	OrgID string
	At    time.Time
}

// Profile is what users tells of a recipient, as of Version. The address is not among it: auth owns it.
type Profile struct {
	ID       uuid.UUID
	OrgID    string
	Version  int64
	FullName string
	Locale   string
	TimeZone string
}

// Status says whether a recipient may be reached, as of Version of the account's standing.
type Status struct {
	ID      uuid.UUID
	OrgID   string
	Version int64
	Active  bool
}

// Erasure says when a recipient who was deleted will be erased.
type Erasure struct {
	ID uuid.UUID
	At time.Time
}

// Roles are what a recipient may be addressed by, as of Version.
type Roles struct {
	ID      uuid.UUID
	OrgID   string
	Version int64
	Roles   []string
}

// Caller is the recipient who is signed in. Somebody whose token is of a further issuer has no account here, and nothing to read:
// errs.Forbidden "no_account".
func Caller(ctx context.Context) (uuid.UUID, error) {
	who := authz.PrincipalFrom(ctx)
	if who == nil {
		return uuid.Nil, errs.New(errs.Unauthenticated, "token_missing", "Sign in first: this needs an access token.")
	}
	id, err := uuid.Parse(who.Subject)
	if err != nil {
		return uuid.Nil, errs.New(errs.Forbidden, "no_account", "Only people who have an account here receive notifications.")
	}
	return id, nil
}

// ErrNotFound answers a person of whom nothing is known here.
func ErrNotFound() error {
	return errs.New(errs.NotFound, "recipient_not_found", "There is no such recipient.")
}

// longestGreeting is the longest name, in characters, that a mail repeats.
const longestGreeting = 60

// Greeting is the name that a mail greets with, or "" for none. Whoever signs up can write anything as a name and any address as theirs; a
// name that could carry an advertisement or a link is therefore not repeated to the owner of the address. Joiners stay: without them a
// Persian or an Indian name is misspelled.
func (r Recipient) Greeting() string {
	if len(r.FullName) > person.MaxName*utf8.UTFMax {
		return ""
	}
	name := strings.Join(strings.Fields(r.FullName), " ")
	if utf8.RuneCountInString(name) > longestGreeting {
		return ""
	}
	for i, c := range name {
		switch {
		case unicode.IsLetter(c), unicode.IsMark(c), text.Joiner(c), strings.ContainsRune(" '’-", c):
		case c == '.' && (i+1 == len(name) || name[i+1] == ' '): // an initial, never a host name
		default:
			return ""
		}
	}
	return name
}
