package recipients_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/notifications/internal/recipients"
)

func TestParse(t *testing.T) {
	t.Parallel()
	r, err := recipients.Registration{Email: "ada@example.com", FullName: " Ada ", Locale: "en-gb", Roles: []string{"user"}}.Parse()
	require.NoError(t, err)
	require.Equal(t, "Ada", r.FullName)
	require.Equal(t, "en-GB", r.Locale)
	_, err = recipients.Registration{Email: "ada@example.com"}.Parse()
	require.NoError(t, err, "what was not said is not known")
	_, err = recipients.Profile{}.Parse()
	require.NoError(t, err)
	_, err = recipients.Profile{FullName: "Ada", Locale: "de", TimeZone: "Europe/Vienna"}.Parse()
	require.NoError(t, err)
	_, err = recipients.Roles{Roles: []string{"user", "admin"}}.Parse()
	require.NoError(t, err)
}

func TestParse_refuses(t *testing.T) {
	t.Parallel()
	for field, r := range map[string]recipients.Registration{
		"data.email":     {FullName: "Ada"},
		"data.full_name": {Email: "ada@example.com", FullName: "Ada\u202e"},
		"data.locale":    {Email: "ada@example.com", Locale: "xx"},
		"data.roles":     {Email: "ada@example.com", Roles: make([]string, 101)},
	} {
		_, err := r.Parse()
		require.ErrorIs(t, err, errs.Invalid)
		require.Equal(t, field, errs.From(err).Fields[0].Field)
	}
	for field, p := range map[string]recipients.Profile{
		"data.full_name": {FullName: strings.Repeat("a", 201)},
		"data.locale":    {Locale: "en GB"},
		"data.time_zone": {TimeZone: "posix/UTC"},
	} {
		_, err := p.Parse()
		require.ErrorIs(t, err, errs.Invalid)
		require.Equal(t, field, errs.From(err).Fields[0].Field)
	}
	_, err := recipients.Roles{Roles: []string{"a\x00"}}.Parse()
	require.ErrorIs(t, err, errs.Invalid)
}
