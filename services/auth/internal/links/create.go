package links

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

// Create implements [api.CreateLink]. Whoever holds the credentials of notifications may ask: so there is a link only for what auth itself
// has recorded, once, and it says where it may be sent.
func (l *Links) Create(ctx context.Context, in *api.CreateLinkRequest) (*api.CreateLinkResponse, error) {
	if in.DeliveryID == uuid.Nil {
		return nil, errs.InvalidField("body.delivery_id", "required", "is required")
	}
	account, err := l.Store.Account(ctx, in.AccountID)
	if errors.Is(err, errs.NotFound) || err == nil && account.Status == identity.StatusErased {
		return nil, errs.New(errs.NotFound, "account_not_found", "There is no such account.")
	}
	if err != nil {
		return nil, err
	}
	if err := l.needed(ctx, account, in.Purpose); err != nil {
		return nil, err
	}
	caused, err := l.Store.TakeLinkCause(ctx, account.ID, string(in.Purpose), in.DeliveryID, l.Clock())
	if err != nil {
		return nil, err
	}
	if !caused {
		return nil, errs.New(errs.Conflict, "link_not_asked_for", "Nothing has happened that this link would be for, or another mail has it.")
	}
	made, err := l.Make(ctx, l.Store, in.Purpose, &in.AccountID, in.DeliveryID)
	if err != nil {
		return nil, err
	}
	if made.UsedAt != nil {
		return nil, notNeeded()
	}
	return &api.CreateLinkResponse{URL: made.URL, ExpiresAt: made.ExpiresAt.UTC(), Email: account.Email}, nil
}

// needed reports whether the account has a use for a link.
func (l *Links) needed(ctx context.Context, account identity.Account, purpose api.LinkPurpose) error {
	switch purpose {
	case api.LinkVerifyEmail:
		if account.Verified() {
			return notNeeded()
		}
	case api.LinkInvitation:
		password, err := l.Store.Password(ctx, account.ID)
		if err != nil {
			return err
		}
		if password.Hash != "" {
			return notNeeded()
		}
	case api.LinkResetPassword, api.LinkNotMe:
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
