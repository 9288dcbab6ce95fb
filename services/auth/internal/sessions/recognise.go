package sessions

import (
	"context"

	"github.com/atrium-mesh/atrium/pkg/request"
	"github.com/atrium-mesh/atrium/services/auth/internal/devices"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

const (
	// mostDevices is how many things an account's sign-ins are recognised by. Somebody who travels displaces the oldest.
	mostDevices = 50
	// mostNotices is how many notices of new devices an account's owner is sent within a day.
	mostNotices = 10
)

// recognition is whether a sign-in comes from where the account was used before, and whether its owner is told.
type recognition struct {
	isNew bool
	quiet bool // the owner was told too often today
	last  bool // the owner is told for the last time today
}

// recognise decides whether the owner of an account has to be told of a sign-in, and remembers what it is recognised by. A thief may well
// have the browser that its victim has, so a browser is known by its network, too, or by the cookie that it was given. The very first
// sign-in of an account is no news.
func (s *Service) recognise(ctx context.Context, tx identity.Tx, session identity.Session, cookie string) (recognition, error) {
	notFirst, err := tx.HasDevices(ctx, session.AccountID)
	if err != nil {
		return recognition{}, err
	}
	known := !notFirst
	for _, fingerprint := range [][]byte{s.Devices.Place(session.Device, request.From(ctx).SeenIP()), s.Devices.Cookie(cookie)} {
		if fingerprint == nil {
			continue
		}
		seen, err := tx.SeeDevice(ctx, session.AccountID, identity.Device{
			Fingerprint: fingerprint,
			Name:        session.Device,
			At:          session.CreatedAt,
		})
		if err != nil {
			return recognition{}, err
		}
		known = known || seen
	}
	if known {
		return recognition{}, tx.KeepDevices(ctx, session.AccountID, mostDevices)
	}
	if err := tx.KeepDevices(ctx, session.AccountID, mostDevices); err != nil {
		return recognition{}, err
	}
	told, err := tx.CountDeviceNotice(ctx, session.AccountID, session.CreatedAt)
	return recognition{isNew: true, quiet: told > mostNotices, last: told == mostNotices}, err
}

// cookieOf is the device cookie of a browser: the one that it has, or a new one.
func (s *Service) cookieOf(presented string) (string, error) {
	if s.Devices.Cookie(presented) != nil {
		return presented, nil
	}
	return devices.NewCookie()
}
