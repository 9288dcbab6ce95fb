package store

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/notifications/api"
	"github.com/atrium-mesh/atrium/services/notifications/internal/preferences"
	"github.com/atrium-mesh/atrium/services/notifications/internal/store/db"
)

// Preferences is of preferences.Reader.
func (r reader) Preferences(ctx context.Context, recipient uuid.UUID) ([]preferences.Choice, int64, error) {
	owner, err := r.q.GetRecipient(ctx, recipient)
	if errors.Is(err, errs.NotFound) {
		return nil, 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	rows, err := r.q.ListPreferences(ctx, recipient)
	if err != nil {
		return nil, 0, err
	}
	choices := make([]preferences.Choice, len(rows))
	for i, row := range rows {
		choices[i] = preferences.Choice{Category: api.Category(row.Category), Channel: api.Channel(row.Channel), Enabled: row.Enabled}
	}
	return choices, owner.PreferencesVersion, nil
}

// ReplacePreferences is of preferences.Tx.
func (t *Tx) ReplacePreferences(ctx context.Context, recipient uuid.UUID, choices []preferences.Choice) (int64, error) {
	if err := t.q.ClearPreferences(ctx, recipient); err != nil {
		return 0, err
	}
	for _, c := range choices {
		if err := t.q.SetPreference(ctx, preferenceParams(recipient, c)); err != nil {
			return 0, err
		}
	}
	return t.q.BumpPreferencesVersion(ctx, recipient)
}

// SetPreference is of preferences.Tx.
func (t *Tx) SetPreference(ctx context.Context, recipient uuid.UUID, choice preferences.Choice) error {
	if err := t.q.SetPreference(ctx, preferenceParams(recipient, choice)); err != nil {
		return err
	}
	_, err := t.q.BumpPreferencesVersion(ctx, recipient)
	return err
}

func preferenceParams(recipient uuid.UUID, c preferences.Choice) db.SetPreferenceParams {
	return db.SetPreferenceParams{RecipientID: recipient, Category: string(c.Category), Channel: string(c.Channel), Enabled: c.Enabled}
}
