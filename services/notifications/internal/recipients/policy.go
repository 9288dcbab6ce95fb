package recipients

import (
	"errors"

	"github.com/atrium-mesh/atrium/pkg/person"
	"github.com/atrium-mesh/atrium/pkg/text"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
)

const maxEmail = 254 // characters

// Parse is a registration as it is kept. Auth has checked what it tells; what no recipient can be called or written to all the same is
// errs.Invalid, so that the event becomes a dead letter and never a mail.
func (r Registration) Parse() (Registration, error) {
	var email, name, locale error
	r.Email, email = text.Line("data.email", r.Email, maxEmail)
	r.FullName, name = person.OptionalName("data.full_name", r.FullName)
	r.Locale, locale = person.OptionalLocale("data.locale", r.Locale)
	return r, errors.Join(email, name, locale, auth.CheckRoles("data.roles", r.Roles))
}

// Parse is a profile as it is kept, or errs.Invalid as for [Registration.Parse].
func (p Profile) Parse() (Profile, error) {
	var name, locale, zone error
	p.FullName, name = person.OptionalName("data.full_name", p.FullName)
	p.Locale, locale = person.OptionalLocale("data.locale", p.Locale)
	p.TimeZone, zone = person.OptionalTimeZone("data.time_zone", p.TimeZone)
	return p, errors.Join(name, locale, zone)
}

// Parse is roles as they are kept, or errs.Invalid as for [Registration.Parse].
func (r Roles) Parse() (Roles, error) { return r, auth.CheckRoles("data.roles", r.Roles) }
