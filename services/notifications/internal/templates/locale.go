package templates

import (
	"cmp"
	"fmt"
	"time"
	_ "time/tzdata" // images have no time zones of their own

	"golang.org/x/text/language"

	"github.com/atrium-mesh/atrium/pkg/person"
)

// Fallback is the locale in which every template exists.
const Fallback = "en"

// Match is the locale, of those for which ok is true, that fits best: the locale itself, then what it is a variant of, then Fallback.
func match(locale string, ok func(locale string) bool) string {
	if len(locale) > person.MaxLocale { // parsing it takes longer than it is long
		return Fallback
	}
	tag, err := language.Parse(locale)
	for ; err == nil && !tag.IsRoot(); tag = tag.Parent() {
		if ok(tag.String()) {
			return tag.String()
		}
	}
	return Fallback
}

// Match is the locale, of those that have words, that fits best.
func (s *Set) Match(locale string) string {
	return match(locale, func(l string) bool { return s.words[l] != nil })
}

// formatTime writes an instant for people, in their time zone when it is known, to the minute and with the zone.
func formatTime(at time.Time, locale, zone string) string {
	if at.IsZero() {
		return ""
	}
	if location, err := time.LoadLocation(cmp.Or(zone, "UTC")); err == nil {
		at = at.In(location)
	}
	if locale == "de" {
		months := [...]string{"Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober", "November", "Dezember"}
		return fmt.Sprintf("%d. %s %d, %s Uhr (%s)", at.Day(), months[at.Month()-1], at.Year(), at.Format("15:04"), at.Format("MST"))
	}
	return at.Format("2 January 2006, 15:04 (MST)")
}
