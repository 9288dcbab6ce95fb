package links

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

// Announce implements [api.AnnounceLink].
func (l *Links) Announce(ctx context.Context, in *api.AnnounceLinkRequest) (*api.AnnounceLinkResponse, error) {
	mailed, err := l.For(ctx, in)
	if err != nil {
		return nil, err
	}
	return &api.AnnounceLinkResponse{ExpiresAt: mailed.ExpiresAt.UTC()}, nil
}

// Mailed is the link of a mail, and where the mail goes.
type Mailed struct {
	Secret
	Email     string
	DisownURL string // of verify_email: where the owner of the address says "I did not sign up"
}

// For makes the link of a mail, or finds it. A cause is worth one mail: it is taken once the mail is known to be needed, so that one that
// was asked for before the account was closed does not take the cause of the one that was asked for after.
func (l *Links) For(ctx context.Context, in *api.AnnounceLinkRequest) (Mailed, error) {
	if in.DeliveryID == uuid.Nil {
		return Mailed{}, errs.InvalidField("body.delivery_id", "required", "is required")
	}
	account, err := l.Store.Account(ctx, in.AccountID)
	if err := needed(ctx, l.Store, account, err, in); err != nil {
		return Mailed{}, err
	}
	now := l.Clock()
	caused, err := l.Store.TakeLinkCause(ctx, identity.LinkCauseTaken{
		AccountID:  account.ID,
		Purpose:    string(in.Purpose),
		DeliveryID: in.DeliveryID,
		At:         now,
		Until:      now.Add(l.lifetime(in.Purpose)),
	})
	if err != nil {
		return Mailed{}, err
	}
	if !caused {
		return Mailed{}, errs.New(errs.Conflict, "link_not_asked_for", "Nothing has happened that this link would be for, or another mail has it.")
	}
	var made Secret
	err = l.Store.InTx(ctx, func(tx identity.Tx) error {
		// Held, and looked at again, so that nothing closes the account between the look and the link, which the closing would not see.
		account, err = tx.ShareAccount(ctx, in.AccountID)
		if err := needed(ctx, tx, account, err, in); err != nil {
			return err
		}
		made, err = l.Make(ctx, tx, in.Purpose, &in.AccountID, in.DeliveryID)
		return err
	})
	if err != nil {
		return Mailed{}, err
	}
	if made.UsedAt != nil {
		return Mailed{}, notNeeded()
	}
	out := Mailed{Secret: made, Email: account.Email}
	if in.Purpose == api.LinkVerifyEmail {
		out.DisownURL = l.at(api.DisownPage.Path, made.Token)
	}
	return out, nil
}

// Sent remembers that the mail with a link was accepted.
func (l *Links) Sent(ctx context.Context, mailed Mailed) error {
	return l.Store.MarkLinkSent(ctx, mailed.ID, l.Clock())
}

// passwords is what needed reads.
type passwords interface {
	Password(ctx context.Context, account uuid.UUID) (identity.Password, error)
}

// needed reports whether the account, which was read with this error, has a use for a link. One that opens the account is made under the
// generation that it was asked for under, or not at all: what was closed since must stay closed.
func needed(ctx context.Context, store passwords, account identity.Account, err error, in *api.AnnounceLinkRequest) error {
	if errors.Is(err, errs.NotFound) || err == nil && account.Status == identity.StatusErased {
		return errs.New(errs.NotFound, "account_not_found", "There is no such account.")
	}
	if err != nil {
		return err
	}
	closed, password := in.Generation < account.Generation, identity.Password{}
	if in.Purpose == api.LinkVerifyEmail || in.Purpose == api.LinkInvitation {
		if password, err = store.Password(ctx, account.ID); err != nil {
			return err
		}
	}
	switch in.Purpose {
	case api.LinkVerifyEmail:
		// While there is a password the link opens nothing without it, or sets another one, which the owner of the address may.
		if account.Verified() || closed && password.Hash == "" {
			return notNeeded()
		}
	case api.LinkInvitation:
		if closed || password.Hash != "" {
			return notNeeded()
		}
	case api.LinkResetPassword:
		if closed {
			return notNeeded()
		}
	case api.LinkNotMe:
	default: // the setup link is never in a mail
		return errs.InvalidField("body.purpose", "enum", "must be verify_email, reset_password, invitation or not_me")
	}
	if !account.Active() {
		return notNeeded()
	}
	return nil
}

func notNeeded() error {
	return errs.New(errs.Conflict, "link_not_needed", "The account has no use for this link any more.")
}
