package identity

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
)

// Store keeps everything. Outside of a transaction it is for reading. Its errors are typed: errs.NotFound for what is not there.
type Store interface {
	Accounts
	Passwords
	Roles
	Sessions
	Devices
	Links
	SignUps
	// InTx runs fn in a transaction that commits when fn returns nil. It may run fn again: fn must have no effect but those of its
	// transaction, and make no network call.
	InTx(ctx context.Context, fn func(tx Tx) error) error
}

// Tx is one transaction.
type Tx interface {
	Accounts
	Passwords
	Roles
	Sessions
	Devices
	Links
	SignUps
	Mailboxes
	Failures
	Erasure
	Revocations
	Administration
	Records
}

// Records is what a transaction leaves for others: the audit trail, and events for other services.
type Records interface {
	WriteAudit(ctx context.Context, e audit.Entry) error
	PublishEvent(ctx context.Context, typeName string, subject uuid.UUID, data any) error
	// AllowLink records something for which one mail may carry a link.
	AllowLink(ctx context.Context, c LinkCause) error
}

// Publish tells others what a transaction changed. The subject is the id of the account that it is about. When a mail about it carries a
// link, one may be made: see [LinkCause].
func Publish[T any](ctx context.Context, tx Records, t events.Type[T], subject uuid.UUID, data T) error {
	if err := tx.PublishEvent(ctx, t.Name, subject, data); err != nil {
		return err
	}
	purpose, at := linkOf(t.Name, data)
	if purpose == "" {
		return nil
	}
	return tx.AllowLink(ctx, LinkCause{AccountID: subject, Purpose: string(purpose), At: at, ExpiresAt: at.Add(wait(purpose))})
}

// Accounts keeps accounts.
type Accounts interface {
	// AddAccount is errs.Conflict "email_taken" or "id_taken".
	AddAccount(ctx context.Context, a NewAccount) (Account, error)
	Account(ctx context.Context, id uuid.UUID) (Account, error)
	AccountByEmail(ctx context.Context, emailKey string) (Account, error)
	// LockAccount and ShareAccount read it and hold it until the transaction ends.
	LockAccount(ctx context.Context, id uuid.UUID) (Account, error)
	ShareAccount(ctx context.Context, id uuid.UUID) (Account, error)
	MarkVerified(ctx context.Context, id uuid.UUID, at time.Time) error
	Rename(ctx context.Context, id uuid.UUID, fullName string, at time.Time) error
	// NextGeneration makes every link of the account worth nothing that is asked for but not made yet. It is the new generation.
	NextGeneration(ctx context.Context, id uuid.UUID) (int64, error)
	// ClaimVerificationMail and ClaimResetMail are false when one was asked for after before.
	ClaimVerificationMail(ctx context.Context, id uuid.UUID, at, before time.Time) (bool, error)
	ClaimResetMail(ctx context.Context, id uuid.UUID, at, before time.Time) (bool, error)
}

// NewAccount is an account to be added.
type NewAccount struct {
	ID                      uuid.UUID
	Email, EmailKey         string
	FullName, Locale        string
	Origin                  string
	VerifiedAt              *time.Time
	VerificationRequestedAt *time.Time
	At                      time.Time
}

// Passwords keeps the hashes of passwords.
type Passwords interface {
	// Password is the zero value when the account has none.
	Password(ctx context.Context, account uuid.UUID) (Password, error)
	SetPassword(ctx context.Context, account uuid.UUID, hash string, at time.Time) error
	Rehash(ctx context.Context, account uuid.UUID, oldHash, newHash string) error
	// DropPassword leaves the account without one. Of an account that may be an administrator's, authority.Rule.HoldAdministration comes first.
	DropPassword(ctx context.Context, account uuid.UUID) error
}

// Roles keeps who has which role.
type Roles interface {
	RolesOf(ctx context.Context, account uuid.UUID) ([]Role, error)
	// ShareRoles reads roles that are to be given and holds them as they are until the transaction ends: nobody gives what was added to a
	// role after they were found to hold all of it. They are taken after the accounts, by name. One that is not there is left out.
	ShareRoles(ctx context.Context, names []string) ([]Role, error)
	AddRoles(ctx context.Context, account uuid.UUID, names []string, by string, at time.Time) error
}

// Administration is asked before a role is changed, or somebody is kept out who has it.
type Administration interface {
	// LockRole reads a role and holds it until the transaction ends; meanwhile nobody can be given it.
	LockRole(ctx context.Context, name string) (Role, error)
	// HasOtherMember reports whether somebody else than an account has the role and can sign in. With verifiedOnly, somebody who has not
	// proved the address cannot.
	HasOtherMember(ctx context.Context, role string, than uuid.UUID, verifiedOnly bool) (bool, error)
	// HasStrongerMember reports whether somebody with the role may do what is not among the permissions held.
	HasStrongerMember(ctx context.Context, role string, held []string) (bool, error)
}

// Sessions keeps sessions and their refresh tokens.
type Sessions interface {
	AddSession(ctx context.Context, s Session) error
	LockSession(ctx context.Context, id uuid.UUID) (Session, error)
	// TouchSession saves when and from where the session was used, until when it lives now, and the instant of its last access token.
	TouchSession(ctx context.Context, s Session) error
	OpenSessions(ctx context.Context, account uuid.UUID, open Open, part Slice) ([]Session, error)
	CountOpenSessions(ctx context.Context, account uuid.UUID, open Open) (int64, error)
	// ProveSession notes that the person has just proved to be there. It is errs.NotFound when the account has no such open session.
	ProveSession(ctx context.Context, account, session uuid.UUID, at time.Time) error
	// EndSession is errs.NotFound when the account has no such open session.
	EndSession(ctx context.Context, account, session uuid.UUID, reason string, at time.Time) (Session, error)
	// EndSessions ends every open one, however many, and returns some of those that have issued an access token lately.
	EndSessions(ctx context.Context, account uuid.UUID, e Ending) ([]uuid.UUID, error)
	// EndSessionsBeyond ends some of those that the account has beside so many others, the ones that were used longest ago first, and
	// returns which.
	EndSessionsBeyond(ctx context.Context, account uuid.UUID, others int32, e Ending) ([]uuid.UUID, error)

	AddRefreshToken(ctx context.Context, t RefreshToken) error
	// FindRefreshToken finds one without a lock, with the account that it is of.
	FindRefreshToken(ctx context.Context, hash []byte) (FoundToken, error)
	RefreshToken(ctx context.Context, id uuid.UUID) (RefreshToken, error)
	UseRefreshToken(ctx context.Context, id, child uuid.UUID, at time.Time) error
}

// Ending says which sessions end, and how.
type Ending struct {
	Keep   *uuid.UUID // this one goes on; nil: none does
	Reason string
	At     time.Time
	Since  time.Time // no access token that was issued before is alive
	Most   int32     // how many are returned at most
}

// Devices keeps what an account's sign-ins are recognised by.
type Devices interface {
	// HasDevices is false until the account's first sign-in.
	HasDevices(ctx context.Context, account uuid.UUID) (bool, error)
	// SeeDevice remembers a device, and reports whether it was known. Of two sign-ins at once only one finds it unknown.
	SeeDevice(ctx context.Context, account uuid.UUID, d Device) (known bool, err error)
	// KeepDevices forgets all but so many that were seen last.
	KeepDevices(ctx context.Context, account uuid.UUID, most int32) error
	// DistrustDevices forgets all of them, but not that there were some: from wherever the next sign-in comes, it is noticed.
	DistrustDevices(ctx context.Context, account uuid.UUID, at time.Time) error
	// CountDeviceNotice counts a notice, and is which of a day's it is.
	CountDeviceNotice(ctx context.Context, account uuid.UUID, at time.Time) (int32, error)
}

// Device is something that a sign-in is recognised by. See package devices.
type Device struct {
	Fingerprint []byte
	Name        string
	At          time.Time
}

// Open says which sessions are open: those that have not ended at Now and began after Since.
type Open struct{ Now, Since time.Time }

// FoundToken says where a refresh token belongs.
type FoundToken struct{ ID, SessionID, AccountID uuid.UUID }

// Slice is a part of a list: Limit items after the one at After, or after Offset items.
type Slice struct {
	Limit  int32
	Offset int64
	After  *Position
}

// Position is where an item stands in a list that is sorted by time, the latest first.
type Position struct {
	At time.Time `json:"at"`
	ID uuid.UUID `json:"id"`
}

// Links keeps one-time tokens.
type Links interface {
	Link(ctx context.Context, hash []byte) (Link, error)
	LockLink(ctx context.Context, hash []byte) (Link, error)
	UseLink(ctx context.Context, id uuid.UUID, at time.Time) error
	// AddLink is the link that was added, or the one that is there already for the same delivery and purpose.
	AddLink(ctx context.Context, l Link) (Link, error)
	// UseLinksOf makes the account's other open links of a purpose useless.
	UseLinksOf(ctx context.Context, account uuid.UUID, purpose string, at time.Time) error
	// CloseLinks makes every open link of the account useless but those of the purposes that are kept, and forgets their open causes.
	CloseLinks(ctx context.Context, account uuid.UUID, kept []string, at time.Time) error
}

// SignUps keeps which browser signed up, until the address is proved.
type SignUps interface {
	KeepSignUpBrowser(ctx context.Context, account uuid.UUID, hash []byte, until time.Time) error
	// IsSignUpBrowser reports whether the account was made in the browser whose cookie has this hash.
	IsSignUpBrowser(ctx context.Context, account uuid.UUID, hash []byte, now time.Time) (bool, error)
	ForgetSignUpBrowser(ctx context.Context, account uuid.UUID) error
}

// Erasure removes accounts.
type Erasure interface {
	// EraseAccount removes what is personal in the account itself, and is a new version of its standing.
	EraseAccount(ctx context.Context, account uuid.UUID, at time.Time) (Account, error)
	// EraseBelongings removes sessions with their tokens, known devices, links, the browser that signed up, and roles.
	EraseBelongings(ctx context.Context, account uuid.UUID) error
}

// Failures are the counts of package throttle.
type Failures interface {
	Forget(ctx context.Context, scope string, key []byte) error
}

// Mailboxes counts the mails that strangers can ask for.
type Mailboxes interface {
	// LockMailbox reads what a mailbox got and holds it until the transaction ends.
	LockMailbox(ctx context.Context, key []byte, at time.Time) (Mailbox, error)
	SaveMailbox(ctx context.Context, m Mailbox, at time.Time) error
}

// Mailbox is what one mailbox was sent lately.
type Mailbox struct {
	Key    []byte
	Mails  []time.Time // when they were asked for, oldest first
	HeldAt *time.Time  // when the audit trail last said that mails are held back
}

// Revocations voids access tokens everywhere, at once.
type Revocations interface {
	// RaiseUser voids the account's tokens that were issued until now. Keep is how long such a token may still live. The caller holds
	// LockAccount.
	RaiseUser(ctx context.Context, account uuid.UUID, now time.Time, keep time.Duration) error
	// RaiseSessions does so for sessions, with an event for each. The caller holds LockAccount, or has them changed in this transaction.
	RaiseSessions(ctx context.Context, sessions []uuid.UUID, now time.Time, keep time.Duration) error
	// NotBefore is the instant that a new token of the account and the session must not be older than.
	NotBefore(ctx context.Context, account, session uuid.UUID) (time.Time, error)
}

// NewID makes an id that sorts by time (UUIDv7).
func NewID() (uuid.UUID, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return uuid.UUID{}, fmt.Errorf("make an id: %w", err)
	}
	return id, nil
}
