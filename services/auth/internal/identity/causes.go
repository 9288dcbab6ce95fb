package identity

import (
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/services/auth/api"
)

// LinkCause is something that happened, of which a mail with a link tells. Auth makes no link without one, and one link for each: whoever
// may ask for links cannot ask for one that nobody caused, nor for a second after the mail.
type LinkCause struct {
	AccountID uuid.UUID
	Purpose   string
	At        time.Time
	ExpiresAt time.Time // when no mail may take it any more
}

// LinkCauseTaken is a mail that takes a cause.
type LinkCauseTaken struct {
	AccountID  uuid.UUID
	Purpose    string
	DeliveryID uuid.UUID
	At         time.Time
	Until      time.Time // how long the mail can be tried again at least: as long as its link is good
}

// How long a mail may wait until it is first written. It is written at once but when notifications is away. A reset that comes days later
// is one that nobody waits for any more, and a danger; of all else nothing is to be lost.
const (
	resetWaits = 24 * time.Hour
	mailWaits  = 7 * 24 * time.Hour // as long as its event can be sent again
)

func wait(purpose api.LinkPurpose) time.Duration {
	if purpose == api.LinkResetPassword {
		return resetWaits
	}
	return mailWaits
}

// linkOf is what the link in the mail about an event is for, and when that happened; "" for an event without such a mail.
func linkOf(typeName string, data any) (api.LinkPurpose, time.Time) {
	switch d := data.(type) {
	case api.AccountRegisteredData:
		switch {
		case d.Unmailed:
		case d.Origin == api.OriginInvitation:
			return api.LinkInvitation, d.At
		case d.Origin == api.OriginSignUp && !d.Verified:
			return api.LinkVerifyEmail, d.At
		}
	case api.AccountData:
		switch typeName {
		case api.VerificationRequested.Name:
			return api.LinkVerifyEmail, d.At
		case api.PasswordResetRequested.Name:
			return api.LinkResetPassword, d.At
		}
	case api.RegistrationAttemptedData:
		if !d.Closed {
			return api.LinkResetPassword, d.At
		}
	case api.PasswordChangedData:
		return api.LinkNotMe, d.At
	case api.SessionCompromisedData:
		return api.LinkNotMe, d.At
	case api.SessionStartedData:
		if d.NewDevice && !d.Quiet {
			return api.LinkNotMe, d.At
		}
	}
	return "", time.Time{}
}
