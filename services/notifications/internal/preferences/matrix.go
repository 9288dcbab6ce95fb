package preferences

import (
	"fmt"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/notifications/api"
)

// Choice is what a person chose for a category on a channel.
type Choice struct {
	Category api.Category
	Channel  api.Channel
	Enabled  bool
}

// Allows reports whether messages of a category go over a channel. Chosen is what the person chose, nil for nothing. A locked category
// always goes; one that does not exist never does.
func Allows(category api.Category, chosen *bool) bool {
	info, ok := category.Info()
	switch {
	case !ok:
		return false
	case info.Locked || chosen == nil:
		return info.Default
	default:
		return *chosen
	}
}

// NeedsProof reports whether e-mails of a category go only to addresses whose owners have proved to be that. Whoever signs up or is
// invited gives any address as theirs: until then its owner is sent what proves it and what happens to the account, and nothing else.
func NeedsProof(category api.Category) bool {
	info, ok := category.Info()
	return !ok || !info.Locked
}

// Matrix is what holds for a person with these choices: every category with its channels.
func Matrix(choices []Choice) api.NotificationPreferences {
	chosen := func(category api.Category, channel api.Channel) *bool {
		for _, c := range choices {
			if c.Category == category && c.Channel == channel {
				return &c.Enabled
			}
		}
		return nil
	}
	var matrix api.NotificationPreferences
	for _, info := range api.Categories() {
		matrix.Categories = append(matrix.Categories, api.CategoryPreference{
			Category: info.Category, Locked: info.Locked,
			Channels: api.ChannelPreference{
				InApp: Allows(info.Category, chosen(info.Category, api.ChannelInApp)),
				Email: Allows(info.Category, chosen(info.Category, api.ChannelEmail)),
			},
		})
	}
	return matrix
}

// choicesOf reads a matrix that a person sent. Choices about a locked category are not kept, since they cannot differ.
func choicesOf(matrix api.NotificationPreferences) ([]Choice, error) {
	var choices []Choice
	var problems []errs.Field
	if most := len(api.Categories()); len(matrix.Categories) > most {
		return nil, errs.InvalidField("body.categories", "too_many", fmt.Sprintf("must be at most %d", most))
	}
	seen := map[api.Category]bool{}
	for i, c := range matrix.Categories {
		field := fmt.Sprintf("body.categories[%d]", i)
		info, ok := c.Category.Info()
		switch {
		case !ok:
			problems = append(problems, errs.Field{Field: field + ".category", Code: "not_allowed", Message: "is not a category"})
		case seen[c.Category]:
			problems = append(problems, errs.Field{Field: field + ".category", Code: "duplicate", Message: "is there twice"})
		case info.Locked:
			problems = append(problems, lockedProblems(field, c.Channels)...)
		default:
			choices = append(choices,
				Choice{Category: c.Category, Channel: api.ChannelInApp, Enabled: c.Channels.InApp},
				Choice{Category: c.Category, Channel: api.ChannelEmail, Enabled: c.Channels.Email})
		}
		seen[c.Category] = true
	}
	if len(problems) > 0 {
		return nil, errs.New(errs.Invalid, "validation_failed", "The preferences are not valid; see errors.").WithFields(problems...)
	}
	return choices, nil
}

func lockedProblems(field string, channels api.ChannelPreference) []errs.Field {
	var problems []errs.Field
	if !channels.InApp {
		problems = append(problems, errs.Field{Field: field + ".channels.in_app", Code: "locked", Message: "cannot be turned off"})
	}
	if !channels.Email {
		problems = append(problems, errs.Field{Field: field + ".channels.email", Code: "locked", Message: "cannot be turned off"})
	}
	return problems
}
