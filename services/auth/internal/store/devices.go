package store

import (
	"context"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
	"github.com/atrium-mesh/atrium/services/auth/internal/store/db"
)

func (r records) HasDevices(ctx context.Context, account uuid.UUID) (bool, error) {
	n, err := r.q.CountKnownDevices(ctx, account)
	return n > 0, err
}

func (r records) SeeDevice(ctx context.Context, account uuid.UUID, d identity.Device) (bool, error) {
	isNew, err := r.q.SeeDevice(ctx, db.SeeDeviceParams{AccountID: account, Fingerprint: d.Fingerprint, Device: d.Name, At: d.At})
	return !isNew, err
}

func (r records) KeepDevices(ctx context.Context, account uuid.UUID, most int32) error {
	return r.q.ForgetOldDevices(ctx, db.ForgetOldDevicesParams{AccountID: account, Keep: most})
}

func (r records) DistrustDevices(ctx context.Context, account uuid.UUID, at time.Time) error {
	if err := r.q.ForgetDevices(ctx, account); err != nil {
		return err
	}
	return r.q.MarkDevices(ctx, db.MarkDevicesParams{AccountID: account, At: at})
}

func (r records) CountDeviceNotice(ctx context.Context, account uuid.UUID, at time.Time) (int32, error) {
	return r.q.CountDeviceNotice(ctx, db.CountDeviceNoticeParams{AccountID: account, At: at, DayAgo: at.Add(-24 * time.Hour)})
}
