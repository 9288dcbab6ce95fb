package broadcasts

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/text"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/notifications/api"
)

const (
	maxUsers     = 1000
	maxRoles     = 20
	maxTitle     = 200
	maxBody      = 10_000
	maxDataBytes = 8 << 10
	maxDepth     = 16 // levels of lists and objects in data
	farthest     = 366 * 24 * time.Hour
	lateness     = time.Minute // what clocks may differ by
)

// parse is a send as it is kept, or everything that is wrong with it at once. Over HTTP most of it has been checked before; over NATS
// nothing has.
func parse(in api.NewSend, now time.Time) (api.NewSend, error) {
	var problems []errs.Field
	add := func(ok bool, field, code, message string) {
		if !ok {
			problems = append(problems, errs.Field{Field: "body." + field, Code: code, Message: message})
		}
	}
	add(audiences(in.To) == 1, "to", "exactly_one", "must have exactly one of user_ids, roles and everyone")
	add(len(in.To.UserIDs) <= maxUsers, "to.user_ids", "too_many", "must be at most 1000")
	add(len(in.To.Roles) <= maxRoles, "to.roles", "too_many", "must be at most 20")
	add(plainRoles(in.To.Roles), "to.roles", "required", "must be names of roles")
	info, known := in.Category.Info()
	add(known, "category", "not_allowed", "is not a category")
	add(!info.Locked, "category", "locked", "is not for senders")
	var titleErr, bodyErr error
	in.Title, titleErr = text.Line("body.title", in.Title, maxTitle)
	in.Body, bodyErr = text.Prose("body.body", in.Body, maxBody)
	problems = append(problems, fieldsOf(titleErr, bodyErr)...)
	fits := plainData(in.Data, maxDepth)
	add(fits, "data", "format", "must be texts in UTF-8 without NUL, at most 16 levels deep")
	add(!fits || plainNumbers(in.Data), "data", "format", "must have numbers as plain decimals: at most 40 digits, no exponent, no -0")
	add(dataSize(in.Data) <= maxDataBytes, "data", "too_long", "must be at most 8 KiB of JSON")
	add(len(in.Channels) <= len(api.Channels()), "channels", "too_many", "must be channels, each once")
	for _, c := range in.Channels[:min(len(in.Channels), len(api.Channels()))] {
		add(slices.Contains(api.Channels(), c), "channels", "not_allowed", "is not a channel")
	}
	if in.SendAt != nil {
		add(in.SendAt.After(now.Add(-lateness)), "send_at", "in_the_past", "must not be in the past")
		add(in.SendAt.Before(now.Add(farthest)), "send_at", "too_far", "must be at most a year ahead")
	}
	if len(problems) > 0 {
		return in, errs.New(errs.Invalid, "validation_failed", "The request is not valid; see errors.").WithFields(problems...)
	}
	return in, nil
}

func fieldsOf(found ...error) []errs.Field {
	var fields []errs.Field
	for _, err := range found {
		if err != nil {
			fields = append(fields, errs.From(err).Fields...)
		}
	}
	return fields
}

func plainRoles(names []string) bool {
	return auth.CheckRoles("body.to.roles", names[:min(len(names), maxRoles)]) == nil
}

// plainData reports whether a database can keep what a sender says to programs: a NUL has no place in PostgreSQL's text.
func plainData(v any, depth int) bool {
	if depth < 0 {
		return false
	}
	switch v := v.(type) {
	case string:
		return plainText(v)
	case []any:
		return !slices.ContainsFunc(v, func(item any) bool { return !plainData(item, depth-1) })
	case map[string]any:
		for name, item := range v {
			if !plainText(name) || !plainData(item, depth-1) {
				return false
			}
		}
	}
	return true
}

// plainNumbers reports whether the numbers come back as they were sent. PostgreSQL's jsonb writes them out: 1E+2 becomes 100, -0 becomes 0,
// and of 1e130000, which is eight characters, it makes 130,000 in every answer. It is for what [plainData] takes, which bounds the depth.
func plainNumbers(v any) bool {
	switch v := v.(type) {
	case json.Number:
		return plainNumber(v.String())
	case float64: // of a caller in this process
		b, err := json.Marshal(v)
		return err == nil && plainNumber(string(b))
	case []any:
		return !slices.ContainsFunc(v, func(item any) bool { return !plainNumbers(item) })
	case map[string]any:
		for _, item := range v {
			if !plainNumbers(item) {
				return false
			}
		}
	}
	return true
}

const maxDigits = 40 // more than integers of 128 bits have

func plainNumber(s string) bool {
	digits, minus := strings.CutPrefix(s, "-")
	if strings.ContainsAny(digits, "eE") || len(strings.Replace(digits, ".", "", 1)) > maxDigits {
		return false
	}
	return !minus || strings.Trim(digits, "0.") != ""
}

func plainText(s string) bool { return utf8.ValidString(s) && !strings.ContainsRune(s, 0) }

func audiences(to api.SendAudience) int {
	n := 0
	for _, given := range []bool{len(to.UserIDs) > 0, len(to.Roles) > 0, to.Everyone} {
		if given {
			n++
		}
	}
	return n
}

func dataSize(data map[string]any) int {
	b, err := json.Marshal(data)
	if err != nil {
		return maxDataBytes + 1
	}
	return len(b)
}
