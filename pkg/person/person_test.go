package person_test

import (
	"strings"
	"testing"
	"time"
	_ "time/tzdata" // the same database wherever the test runs

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/person"
)

type read = func(field, raw string) (string, error)

func accepts(t *testing.T, read read, cases map[string]string) {
	t.Helper()
	for raw, want := range cases {
		got, err := read("body.x", raw)
		require.NoError(t, err, "%q", raw)
		require.Equal(t, want, got)
	}
}

func refuses(t *testing.T, read read, cases map[string]string) {
	t.Helper()
	for raw, code := range cases {
		_, err := read("body.x", raw)
		require.ErrorIs(t, err, errs.Invalid, "%q", raw)
		require.Equal(t, "body.x", errs.From(err).Fields[0].Field)
		require.Equal(t, code, errs.From(err).Fields[0].Code, "%q", raw)
	}
}

func TestName(t *testing.T) {
	t.Parallel()
	accepts(t, person.Name, map[string]string{
		" Ada Lovelace ":            "Ada Lovelace",
		"Jose\u0301":                "José",
		"علی\u200cرضا":              "علی\u200cرضا",
		"শর্\u200dমা":               "শর্\u200dমা",
		"X Æ A-12":                  "X Æ A-12",
		"山田\u3000太郎":                "山田\u3000太郎",
		strings.Repeat("é", 200):    strings.Repeat("é", 200),
		"Conan O'Brien-Díaz, Jr. 🎩": "Conan O'Brien-Díaz, Jr. 🎩",
		"Ada \u2764\ufe0f":          "Ada \u2764\ufe0f",
	})
	refuses(t, person.Name, map[string]string{
		"":                             "required",
		" \u3000\n":                    "required",
		"\u200d":                       "required",
		"\u3164":                       "required",
		strings.Repeat("é", 201):       "too_long",
		strings.Repeat("a", 80_000):    "too_long",
		strings.Repeat("\ufb1d", 200):  "too_long", // 400 characters in NFC
		"Ada\nLovelace":                "format",
		"Ada\x00":                      "format",
		"Ada\x1b[2J":                   "format",
		"Ada \u202eecalevoL":           "format",
		"\u2067Ada\u2069":              "format",
		"Ada\u200e":                    "format",
		"Ada\u200b":                    "format",
		"Ada\ufeff":                    "format",
		"Ada\ue000":                    "format",
		"Ada\u0378":                    "format",
		"Ada\ufffe":                    "format",
		"Ada\xff":                      "format",
		"Ada\xed\xa0\x80":              "format",
		"Ada\u2028Lovelace":            "format",
		"Ada\u3164":                    "format",
		"Ada\u115f\u1160":              "format",
		"Ada\uffa0":                    "format",
		"A\u034fda":                    "format",
		"Ada\ufe0f":                    "format",
		"Ada\u17b4\u17b5":              "format",
		"Ada\u180b":                    "format",
		"Ada\u180e":                    "format",
		"葛\U000e0100城":                 "format",
		"Ada\u2800Lovelace":            "format",
		"Ada\U000e0020\U000e007f King": "format",
	})
}

func TestLocale(t *testing.T) {
	t.Parallel()
	accepts(t, person.Locale, map[string]string{
		"en": "en", "en-gb": "en-GB", "DE-at": "de-AT", "zh-hant-tw": "zh-Hant-TW", "iw": "he", "sr-Latn": "sr-Latn", "es-419": "es-419",
		"de-DE-u-co-phonebk": "de-DE-u-co-phonebk", "gsw": "gsw", "und-Latn": "und-Latn",
	})
	refuses(t, person.Locale, map[string]string{
		"":                                  "required",
		strings.Repeat("a", 36):             "too_long",
		"en" + strings.Repeat("-a", 50_000): "too_long",
		"en GB":                             "format",
		"english please":                    "format",
		"en_GB!":                            "format",
		"e":                                 "format",
		"und":                               "format",
		"x-klingon":                         "format",
		"\u202een":                          "format",
		"en\n":                              "format",
		"xx":                                "unknown_locale",
		"en-YY":                             "unknown_locale",
		"en-Abcd":                           "unknown_locale",
		"zq-ZZ":                             "unknown_locale",
	})
}

func TestTimeZone(t *testing.T) {
	t.Parallel()
	accepts(t, person.TimeZone, map[string]string{
		"Europe/London": "Europe/London", "UTC": "UTC", "America/Argentina/Ushuaia": "America/Argentina/Ushuaia", "Etc/GMT-14": "Etc/GMT-14",
	})
	refuses(t, person.TimeZone, map[string]string{
		"":                         "required",
		strings.Repeat("a", 65):    "too_long",
		strings.Repeat("a", 1<<20): "too_long",
		"Local":                    "unknown_time_zone",
		"localtime":                "unknown_time_zone",
		"Factory":                  "unknown_time_zone",
		"posixrules":               "unknown_time_zone",
		"posix/Europe/London":      "unknown_time_zone",
		"right/Europe/London":      "unknown_time_zone",
		"europe/london":            "unknown_time_zone",
		"EUROPE/LONDON":            "unknown_time_zone",
		"Europe":                   "unknown_time_zone",
		"Europe/":                  "unknown_time_zone",
		"Europe/../Europe/London":  "unknown_time_zone",
		"/etc/localtime":           "unknown_time_zone",
		"../../etc/passwd":         "unknown_time_zone",
		"zone.tab":                 "unknown_time_zone",
		" Europe/London":           "unknown_time_zone",
		"UTC\nWET":                 "unknown_time_zone",
		"Mars/Olympus":             "unknown_time_zone",
	})
}

// What passes here must be known to the library that will compute with it.
func TestTimeZone_every_name_loads(t *testing.T) {
	t.Parallel()
	names := person.Zones()
	require.Greater(t, len(names), 500)
	for _, name := range names {
		got, err := person.TimeZone("f", name)
		require.NoError(t, err)
		_, err = time.LoadLocation(got)
		require.NoError(t, err)
	}
}

func TestOptional(t *testing.T) {
	t.Parallel()
	for _, read := range []read{person.OptionalName, person.OptionalLocale, person.OptionalTimeZone} {
		got, err := read("f", "")
		require.NoError(t, err)
		require.Empty(t, got)
		_, err = read("f", "\x00")
		require.ErrorIs(t, err, errs.Invalid)
	}
}

// What was read reads as itself, so that a value that came through one door passes through the next.
func TestValues_are_stable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-zA-Z]{2,8}(-[a-zA-Z0-9]{1,8}){0,4}`)).Draw(t, "raw")
		for _, read := range []read{person.Name, person.Locale, person.TimeZone} {
			if got, err := read("f", raw); err == nil {
				again, err := read("f", got)
				require.NoError(t, err)
				require.Equal(t, got, again)
			}
		}
	})
}
