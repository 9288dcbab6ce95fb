package person

import (
	_ "embed"
	"strings"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/text"
)

//go:generate go run gen.go

// zones are the names of the IANA database, one a line, each between two line breaks. They are a list of our own since time.LoadLocation
// reads files of the machine: what it finds depends on where it runs ("posix/…", "localtime", other capitals), and "../" leads out.
//
//go:embed zones.txt
var zones string

const maxZone = 64

// CodeUnknownZone says that the IANA database has no such time zone.
const CodeUnknownZone = "unknown_time_zone"

// TimeZone reads the name of a time zone as the IANA database spells it. Anything else is errs.Invalid on field. The database's own
// stand-ins ("Factory", "localtime", "posixrules") and copies ("posix/…", "right/…", the latter with leap seconds) are none.
func TimeZone(field, raw string) (string, error) {
	switch {
	case raw == "":
		return "", errs.InvalidField(field, text.CodeRequired, "must not be empty")
	case len(raw) > maxZone:
		return "", errs.InvalidField(field, text.CodeTooLong, "must have at most 64 characters")
	case strings.Contains(raw, "\n") || !strings.Contains(zones, "\n"+raw+"\n"):
		return "", errs.InvalidField(field, CodeUnknownZone, "must be a time zone of the IANA database, such as Europe/London")
	default:
		return raw, nil
	}
}

// OptionalTimeZone is [TimeZone], and "" for "": nothing was said.
func OptionalTimeZone(field, raw string) (string, error) { return optional(field, raw, TimeZone) }
