package broadcasts

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/notifications/api"
)

const (
	maxUsers     = 1000
	maxRoles     = 20
	maxTitle     = 200
	maxBody      = 10_000
	maxDataBytes = 8 << 10
	farthest     = 366 * 24 * time.Hour
	lateness     = time.Minute // what clocks may differ by
)

// check reports everything that is wrong with a send at once. Over HTTP most of it has been checked before; over NATS nothing has.
func check(in api.NewSend, now time.Time) error {
	var problems []errs.Field
	add := func(ok bool, field, code, message string) {
		if !ok {
			problems = append(problems, errs.Field{Field: "body." + field, Code: code, Message: message})
		}
	}
	add(audiences(in.To) == 1, "to", "exactly_one", "must have exactly one of user_ids, roles and everyone")
	add(len(in.To.UserIDs) <= maxUsers, "to.user_ids", "too_many", "must be at most 1000")
	add(len(in.To.Roles) <= maxRoles, "to.roles", "too_many", "must be at most 20")
	add(!slices.Contains(in.To.Roles, ""), "to.roles", "required", "must be names of roles")
	info, known := in.Category.Info()
	add(known, "category", "not_allowed", "is not a category")
	add(!info.Locked, "category", "locked", "is not for senders")
	add(strings.TrimSpace(in.Title) != "", "title", "required", "must not be empty")
	add(utf8.RuneCountInString(in.Title) <= maxTitle, "title", "too_long", "must be at most 200 characters long")
	add(!strings.ContainsAny(in.Title, "\r\n"), "title", "format", "must be one line")
	add(strings.TrimSpace(in.Body) != "", "body", "required", "must not be empty")
	add(utf8.RuneCountInString(in.Body) <= maxBody, "body", "too_long", "must be at most 10000 characters long")
	add(dataSize(in.Data) <= maxDataBytes, "data", "too_long", "must be at most 8 KiB of JSON")
	for _, c := range in.Channels {
		add(slices.Contains(api.Channels(), c), "channels", "not_allowed", "is not a channel")
	}
	if in.SendAt != nil {
		add(in.SendAt.After(now.Add(-lateness)), "send_at", "in_the_past", "must not be in the past")
		add(in.SendAt.Before(now.Add(farthest)), "send_at", "too_far", "must be at most a year ahead")
	}
	if len(problems) > 0 {
		return errs.New(errs.Invalid, "validation_failed", "The request is not valid; see errors.").WithFields(problems...)
	}
	return nil
}

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
