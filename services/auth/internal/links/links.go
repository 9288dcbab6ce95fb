// Package links owns the one-time tokens of links: in mails, and the one that makes the first administrator.
//
// A token is an HMAC of the mail's delivery (or of a random id), so that a mail that is rendered again carries the same link, and its
// secret is nowhere: the database has only its hash. It is redeemed in the transaction of what it allows, once.
package links

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

// Store keeps links.
type Store interface {
	Link(ctx context.Context, hash []byte) (identity.Link, error)
	InTx(ctx context.Context, fn func(tx identity.Tx) error) error
	// TakeLinkCause gives a cause to a mail, or finds the one that the mail has already. It is false when there is none.
	TakeLinkCause(ctx context.Context, c identity.LinkCauseTaken) (bool, error)
	// MarkLinkSent remembers when the mail with a link was first accepted.
	MarkLinkSent(ctx context.Context, id uuid.UUID, at time.Time) error
	Account(ctx context.Context, id uuid.UUID) (identity.Account, error)
	Password(ctx context.Context, account uuid.UUID) (identity.Password, error)
}

// Deps is what links need. All but Clock are required.
type Deps struct {
	Store Store
	Key   []byte           // 32 bytes; tokens are derived from it
	Clock func() time.Time // nil: time.Now
}

// Links makes and redeems links. It is safe for concurrent use.
type Links struct {
	Config
	Deps
}

// New makes the links. BaseURL has to be set.
func New(cfg Config, deps Deps) *Links {
	if deps.Clock == nil {
		deps.Clock = time.Now
	}
	return &Links{Config: cfg, Deps: deps}
}

// Secret is a link with its token.
type Secret struct {
	identity.Link
	Token string
	URL   string
}

// Make makes a link, or finds the one that was made for the same delivery, whose time begins anew unless its mail was accepted. Account is
// nil for the setup link.
func (l *Links) Make(ctx context.Context, store interface {
	AddLink(ctx context.Context, l identity.Link) (identity.Link, error)
}, purpose api.LinkPurpose, account *uuid.UUID, delivery uuid.UUID,
) (Secret, error) {
	id, err := identity.NewID()
	if err != nil {
		return Secret{}, err
	}
	now := l.Clock()
	raw := l.token(purpose, account, delivery)
	link, err := store.AddLink(ctx, identity.Link{
		ID: id, OrgID: identity.Org, AccountID: account, Purpose: string(purpose), Hash: Hash(raw), DeliveryID: &delivery,
		CreatedAt: now, ExpiresAt: now.Add(l.lifetime(purpose)),
	})
	if err != nil {
		return Secret{}, err
	}
	return Secret{Link: link, Token: raw, URL: l.url(purpose, raw)}, nil
}

// Of is the secret of a link that was made by [Links.Make].
func (l *Links) Of(link identity.Link) Secret {
	raw := l.token(api.LinkPurpose(link.Purpose), link.AccountID, *link.DeliveryID)
	return Secret{Link: link, Token: raw, URL: l.url(api.LinkPurpose(link.Purpose), raw)}
}

// Look is the link of a token that could be redeemed now. It changes nothing. Errors are those of [Links.Redeem].
func (l *Links) Look(ctx context.Context, purpose api.LinkPurpose, raw string) (identity.Link, error) {
	link, err := l.Store.Link(ctx, Hash(raw))
	return l.check(link, err, purpose)
}

// Redeem uses a link up, in the transaction of what it allows. It is errs.Invalid on body.token: "link_invalid" for a token that is not
// one of this purpose, "link_used" or "link_expired".
func (l *Links) Redeem(ctx context.Context, tx identity.Links, purpose api.LinkPurpose, raw string) (identity.Link, error) {
	link, err := tx.LockLink(ctx, Hash(raw))
	if link, err = l.check(link, err, purpose); err != nil {
		return identity.Link{}, err
	}
	return link, tx.UseLink(ctx, link.ID, l.Clock())
}

func (l *Links) check(link identity.Link, err error, purpose api.LinkPurpose) (identity.Link, error) {
	switch {
	case err != nil && !errors.Is(err, errs.NotFound):
		return identity.Link{}, err
	case err != nil || link.Purpose != string(purpose):
		return identity.Link{}, invalid("link_invalid", "This link is not valid. Use the newest mail, and the whole link.")
	case link.UsedAt != nil:
		return identity.Link{}, invalid("link_used", "This link was used already, or replaced by a newer one.")
	case !l.Clock().Before(link.ExpiresAt):
		return identity.Link{}, invalid("link_expired", "This link has expired. Ask for another one.")
	default:
		return link, nil
	}
}

func invalid(code, message string) error {
	return errs.New(errs.Invalid, code, message).WithFields(errs.Field{Field: "body.token", Code: code, Message: message})
}

// token is 256 bits that only who has the key can make.
func (l *Links) token(purpose api.LinkPurpose, account *uuid.UUID, delivery uuid.UUID) string {
	owner := uuid.Nil
	if account != nil {
		owner = *account
	}
	h := hmac.New(sha256.New, l.Key)
	_, _ = fmt.Fprintf(h, "link:%s:%s:%s", purpose, owner, delivery)
	return base64.RawURLEncoding.EncodeToString(h.Sum(nil))
}

// longestToken is more bytes than a token has. A longer text is none, nor is its beginning.
const longestToken = 64

// Hash is what is kept of a token.
func Hash(raw string) []byte {
	raw = raw[:min(len(raw), longestToken)]
	sum := sha256.Sum256([]byte(raw))
	return sum[:]
}

func (l *Links) url(purpose api.LinkPurpose, raw string) string {
	return l.at(pages[purpose], raw)
}

func (l *Links) at(page, raw string) string {
	return l.BaseURL + page + "?token=" + url.QueryEscape(raw)
}

// pages are where links lead to.
var pages = map[api.LinkPurpose]string{
	api.LinkVerifyEmail:   api.VerifyEmailPage.Path,
	api.LinkResetPassword: api.ResetPasswordPage.Path,
	api.LinkInvitation:    api.AcceptInvitationPage.Path,
	api.LinkNotMe:         api.NotMePage.Path,
	api.LinkSetup:         api.SetupPage.Path,
}
