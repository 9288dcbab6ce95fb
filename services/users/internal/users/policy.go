package users

import (
	"cmp"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/person"
)

// parse is a profile of what was said, or what is wrong with each part of it, all at once. Where is what the parts belong to: "body" of a
// request, "data" of an event. An empty locale or time zone was not said.
func (p Profile) parse(where string) (Profile, error) {
	var nameErr, localeErr, zoneErr error
	p.FullName, nameErr = person.Name(where+".full_name", p.FullName)
	p.Locale, localeErr = person.Locale(where+".locale", cmp.Or(p.Locale, DefaultLocale))
	p.TimeZone, zoneErr = person.TimeZone(where+".time_zone", cmp.Or(p.TimeZone, DefaultTimeZone))
	return p, allOf(nameErr, localeErr, zoneErr)
}

// The bounds of an address, of which auth says what it is, and of what a list is filtered by.
const (
	MaxEmail  = 254 // characters
	maxStatus = 64
	maxSearch = 100
)

// allOf is one error that names every field that these errors name.
func allOf(found ...error) error {
	var fields []errs.Field
	for _, err := range found {
		if err != nil {
			fields = append(fields, errs.From(err).Fields...)
		}
	}
	if len(fields) == 0 {
		return nil
	}
	return errs.New(errs.Invalid, "validation_failed", "The request is not valid.").WithFields(fields...)
}

// alive refuses to change what is deleted.
func alive(status string) error {
	if status == StatusDeleted {
		return errs.New(errs.Conflict, "user_deleted", "The user is deleted; restore it first.")
	}
	return nil
}
