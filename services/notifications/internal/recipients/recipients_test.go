package recipients_test

import (
	"strings"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/notifications/internal/recipients"
)

func TestGreeting(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Ada Lovelace":                     "Ada Lovelace",
		"  Ada \t Lovelace\n":              "Ada Lovelace",
		"J. R. R. Tolkien":                 "J. R. R. Tolkien",
		"Conan O'Brien-Díaz":               "Conan O'Brien-Díaz",
		"毛泽东":                              "毛泽东",
		"علی\u200cرضا":                     "علی\u200cرضا",
		"শর্\u200dমা":                      "শর্\u200dমা",
		"Ada\u202e":                        "",
		"":                                 "",
		"Win money at evil.example":        "",
		"http://evil.example":              "",
		"Your account expires! Call 01234": "",
		"ada@example.com":                  "",
		"Ada <b>":                          "",
		strings.Repeat("a", 61):            "",
	} {
		require.Equal(t, want, recipients.Recipient{FullName: name}.Greeting(), name)
	}
}

func TestCaller(t *testing.T) {
	t.Parallel()
	_, err := recipients.Caller(t.Context())
	require.ErrorIs(t, err, errs.Unauthenticated)
	_, err = recipients.Caller(authz.WithPrincipal(t.Context(), &authz.Principal{Subject: "https://elsewhere.test|42"}))
	require.ErrorIs(t, err, errs.Forbidden)
	id := uuid.Must(uuid.NewV7())
	got, err := recipients.Caller(authz.WithPrincipal(t.Context(), &authz.Principal{Subject: id.String()}))
	require.NoError(t, err)
	require.Equal(t, id, got)
}
