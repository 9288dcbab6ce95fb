// Package preferences owns what reaches a person where: the choices by category and channel, what holds without a choice, and the
// unsubscribe link of mails.
package preferences

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/etag"
	"github.com/atrium-mesh/atrium/services/notifications/api"
	"github.com/atrium-mesh/atrium/services/notifications/internal/recipients"
)

// Reader reads choices.
type Reader interface {
	// Preferences are a recipient's choices and their version; none and 0 for somebody not known yet.
	Preferences(ctx context.Context, recipient uuid.UUID) ([]Choice, int64, error)
}

// Tx changes choices within a transaction.
type Tx interface {
	// LockRecipient makes the recipient when it is not there yet, and keeps others from changing it until the transaction ends.
	LockRecipient(ctx context.Context, recipient uuid.UUID, orgID string) (recipients.Recipient, error)
	// ReplacePreferences replaces all choices and returns the new version.
	ReplacePreferences(ctx context.Context, recipient uuid.UUID, choices []Choice) (int64, error)
	// SetPreference changes one choice.
	SetPreference(ctx context.Context, recipient uuid.UUID, choice Choice) error
}

// Service implements the operations on preferences.
type Service struct {
	reader Reader
	inTx   func(context.Context, func(Tx) error) error
	links  *Links
}

// New makes the service. InTx runs a function in a transaction.
func New(reader Reader, inTx func(context.Context, func(Tx) error) error, links *Links) *Service {
	return &Service{reader: reader, inTx: inTx, links: links}
}

// Get implements [api.GetPreferences].
func (s *Service) Get(ctx context.Context, _ *api.GetPreferencesRequest) (*api.PreferencesResponse, error) {
	id, err := recipients.Caller(ctx)
	if err != nil {
		return nil, err
	}
	choices, version, err := s.reader.Preferences(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("read preferences: %w", err)
	}
	return &api.PreferencesResponse{ETag: etag.Of(version), Body: Matrix(choices)}, nil
}

// Put implements [api.PutPreferences].
func (s *Service) Put(ctx context.Context, in *api.PutPreferencesRequest) (*api.PreferencesResponse, error) {
	id, err := recipients.Caller(ctx)
	if err != nil {
		return nil, err
	}
	choices, err := choicesOf(in.Body)
	if err != nil {
		return nil, err
	}
	var version int64
	err = s.inTx(ctx, func(tx Tx) error {
		current, err := tx.LockRecipient(ctx, id, orgOf(ctx))
		if err != nil {
			return fmt.Errorf("lock the recipient: %w", err)
		}
		if current.Erased {
			return recipients.ErrNotFound()
		}
		if err := etag.Check(in.IfMatch, current.PreferencesVersion); err != nil {
			return err
		}
		version, err = tx.ReplacePreferences(ctx, id, choices)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("replace preferences: %w", err)
	}
	return &api.PreferencesResponse{ETag: etag.Of(version), Body: Matrix(choices)}, nil
}

// Unsubscribe turns off the e-mails that the token of an unsubscribe link is about. It returns the category.
func (s *Service) Unsubscribe(ctx context.Context, token string) (api.Category, error) {
	link, err := s.links.Read(token)
	if err != nil {
		return "", err
	}
	err = s.inTx(ctx, func(tx Tx) error {
		current, err := tx.LockRecipient(ctx, link.Recipient, "default")
		if err != nil {
			return fmt.Errorf("lock the recipient: %w", err)
		}
		if current.Erased {
			return nil // they get nothing any more
		}
		return tx.SetPreference(ctx, link.Recipient, Choice{Category: link.Category, Channel: api.ChannelEmail})
	})
	if err != nil {
		return "", fmt.Errorf("unsubscribe: %w", err)
	}
	return link.Category, nil
}

func orgOf(ctx context.Context) string {
	if who := authz.PrincipalFrom(ctx); who != nil && who.OrgID != "" {
		return who.OrgID
	}
	return "default"
}
