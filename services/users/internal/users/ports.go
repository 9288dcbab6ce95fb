package users

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/pkg/idempotency"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
)

// Accounts is what is asked of auth.
type Accounts struct {
	Create     func(context.Context, *auth.CreateAccountRequest) (*auth.CreateAccountResponse, error)
	Get        func(context.Context, *auth.GetAccountRequest) (*auth.GetAccountResponse, error)
	Deactivate Ask
	Activate   Ask
	Delete     Ask
	Restore    Ask
	Erase      Ask // as users itself, which nobody asks
	MayEdit    func(context.Context, *auth.AccountActionRequest) (*struct{}, error)
}

// Ask asks auth for another standing of an account, with the token of the caller. Asked again, it answers the same.
type Ask func(context.Context, *auth.AccountActionRequest) (*auth.StandingResponse, error)

// Store keeps users. Its errors are typed: errs.NotFound for who is not there.
type Store interface {
	User(ctx context.Context, id uuid.UUID) (User, error)
	List(ctx context.Context, f Filter, o Order, part Slice) ([]User, error)
	Count(ctx context.Context, f Filter) (int64, error)
	// InTx runs fn in a transaction that commits when fn returns nil. It may run fn again: fn must have no effect but those of its
	// transaction, and make no network call.
	InTx(ctx context.Context, fn func(tx Tx) error) error
}

// Tx is one transaction.
type Tx interface {
	Changes
	Erasure
	Records
}

// Changes changes users. Each change of one that is there makes a new version.
type Changes interface {
	// EnsureUser adds a user, or leaves the one as it is that is there already.
	EnsureUser(ctx context.Context, n NewUser) error
	// LockUser reads a user and holds it until the transaction ends.
	LockUser(ctx context.Context, id uuid.UUID) (User, error)
	SetProfile(ctx context.Context, id uuid.UUID, p Profile, at time.Time) (User, error)
	// SetStanding copies how the account stands.
	SetStanding(ctx context.Context, id uuid.UUID, to Stand) (User, error)
	// NoteStanding keeps the version of a standing that changes nothing. It makes no new version of the user.
	NoteStanding(ctx context.Context, id uuid.UUID, version int64) error
}

// Stand is how an account stands, as a user is kept by it.
type Stand struct {
	Status    string
	Version   int64      // of the standing
	DeletedAt *time.Time // these two only when it is deleted
	EraseAt   *time.Time
	Now       time.Time
}

// Due is a user and when the grace period is over.
type Due struct {
	ID      uuid.UUID
	EraseAt time.Time
}

// Erasure forgets people.
type Erasure interface {
	// DueForErasure is up to most users whose grace period is over, after one in the order of their time, but for those that somebody holds.
	DueForErasure(ctx context.Context, now time.Time, after Due, most int32) ([]Due, error)
	// Erase removes everything personal of a user, who is never made again: that there was one is remembered for ever.
	Erase(ctx context.Context, id uuid.UUID, at time.Time) error
	// Erased reports whether somebody was erased.
	Erased(ctx context.Context, id uuid.UUID) (bool, error)
}

// Records is what a transaction leaves for others: the audit trail, events for other services, and the answer to a repeated request.
type Records interface {
	WriteAudit(ctx context.Context, c Change) error
	// Audited reports whether this was ever done to a user.
	Audited(ctx context.Context, id uuid.UUID, action string) (bool, error)
	PublishEvent(ctx context.Context, typeName string, subject uuid.UUID, data any) error
	// Once is the id that fn chooses for the first request with this key, again for those that repeat it. See [idempotency.Do].
	Once(ctx context.Context, key idempotency.Key, fn func() (uuid.UUID, error)) (uuid.UUID, error)
}

// publish tells others what a transaction changed. The subject is the id of the user that it is about.
func publish[T any](ctx context.Context, tx Records, t events.Type[T], subject uuid.UUID, data T) error {
	return tx.PublishEvent(ctx, t.Name, subject, data)
}
