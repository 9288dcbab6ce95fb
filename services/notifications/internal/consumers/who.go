package consumers

import (
	"strings"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/services/notifications/internal/templates"
)

// whoOf is who acted on an account, as its owner is told. A subject is an account's id, or "issuer|sub" of a further issuer; anything else,
// such as "system" or a service, is nobody in particular.
func whoOf(subject string, account uuid.UUID) templates.By {
	id, err := uuid.Parse(subject)
	switch {
	case err == nil && id == account:
		return templates.BySelf
	case err == nil, strings.Contains(subject, "|"):
		return templates.ByAdministrator
	default:
		return templates.BySystem
	}
}
