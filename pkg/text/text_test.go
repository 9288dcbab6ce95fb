package text_test

import (
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/text"
)

func TestLine(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"Reads the audit trail":          "Reads the audit trail",
		"  white space around\n ":        "white space around",
		"jose\u0301":                     "josé",
		"می\u200cخواهم":                  "می\u200cخواهم",
		"क्\u200dष":                      "क्\u200dष",
		"👩\u200d👩\u200d👧 at home":        "👩\u200d👩\u200d👧 at home",
		"שלום\u200f!":                    "שלום\u200f!",
		"山田\u3000太郎":                     "山田\u3000太郎",
		"(*)":                            "(*)",
		"I \u2764\ufe0f you":             "I \u2764\ufe0f you",
		"1\ufe0f\u20e3 and \u26a0\ufe0e": "1\ufe0f\u20e3 and \u26a0\ufe0e",
		"\u203c\ufe0f":                   "\u203c\ufe0f",
		strings.Repeat("𝔘", 20):          strings.Repeat("𝔘", 20),
	} {
		got, err := text.Line("body.title", raw, 25)
		require.NoError(t, err, "%q", raw)
		require.Equal(t, want, got)
		got, err = text.Prose("body.text", raw, 25)
		require.NoError(t, err, "%q", raw)
		require.Equal(t, want, got)
	}
	got, err := text.Prose("body.text", "one\r\n\ttwo\n", 25)
	require.NoError(t, err)
	require.Equal(t, "one\r\n\ttwo", got)
}

func TestLine_refuses(t *testing.T) {
	t.Parallel()
	for raw, code := range map[string]string{
		"":                         text.CodeRequired,
		" \t\n":                    text.CodeRequired,
		"\u200d\u200c":             text.CodeRequired,
		"\u3164\u115f\uffa0\u2800": text.CodeRequired,
		"\u034f\ufe0f":             text.CodeRequired,
		strings.Repeat("a", 26):    text.CodeTooLong,
		strings.Repeat(" ", 101):   text.CodeTooLong,
		"a\x00b":                   text.CodeFormat,
		"a\x1b[31mb":               text.CodeFormat,
		"a\u0085b":                 text.CodeFormat,
		"a\u2028b":                 text.CodeFormat,
		"\u202eevil":               text.CodeFormat,
		"a\u202ab\u202c":           text.CodeFormat,
		"a\u2066b\u2069":           text.CodeFormat,
		"a\ufeffb":                 text.CodeFormat,
		"a\u00adb":                 text.CodeFormat,
		"a\u200bb":                 text.CodeFormat,
		"a\U000e0041b":             text.CodeFormat,
		"a\ue000b":                 text.CodeFormat,
		"a\uffffb":                 text.CodeFormat,
		"a\u0378b":                 text.CodeFormat,
		"a\xffb":                   text.CodeFormat,
		"a\xed\xa0\x80b":           text.CodeFormat,
	} {
		for _, read := range []func(string, string, int) (string, error){text.Line, text.Prose} {
			_, err := read("body.title", raw, 25)
			require.ErrorIs(t, err, errs.Invalid, "%q", raw)
			require.Equal(t, code, errs.From(err).Fields[0].Code, "%q", raw)
			require.Equal(t, "body.title", errs.From(err).Fields[0].Field)
		}
	}
	for r := rune(0); r <= unicode.MaxRune; r++ { // whatever has no shape hides in no text
		switch ignorable := unicode.In(r, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector, unicode.Cf); {
		case text.Joiner(r), r == '\u200e', r == '\u200f', r == '\u061c': // LRM, RLM, ALM
			continue
		case ignorable, r == '\u2800', r == '\u00ad':
			_, err := text.Line("body.title", "a"+string(r)+"b", 25)
			require.ErrorIs(t, err, errs.Invalid, "%U", r)
			_, err = text.Prose("body.text", "a"+string(r), 25)
			require.ErrorIs(t, err, errs.Invalid, "%U", r)
		}
	}
	_, err := text.Line("body.title", "a\nb", 25)
	require.ErrorIs(t, err, errs.Invalid)
}

func TestOptional(t *testing.T) {
	t.Parallel()
	got, err := text.Optional("f", "", 5, text.Line)
	require.NoError(t, err)
	require.Empty(t, got)
	_, err = text.Optional("f", " ", 5, text.Line)
	require.ErrorIs(t, err, errs.Invalid)
}

// What was read reads as itself.
func TestLine_is_stable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.String().Draw(t, "raw")
		for _, read := range []func(string, string, int) (string, error){text.Line, text.Prose} {
			got, err := read("f", raw, 40)
			if err != nil {
				continue
			}
			again, err := read("f", got, 40)
			require.NoError(t, err)
			require.Equal(t, got, again)
			require.LessOrEqual(t, utf8.RuneCountInString(got), 40)
		}
	})
}

func TestBounded(t *testing.T) {
	t.Parallel()
	require.Equal(t, "curl/8.14.1", text.Bounded("curl/8.14.1", 20))
	require.Equal(t, "curl", text.Bounded("cu\x00r\u202el\xff\n", 20))
	require.Equal(t, "grü", text.Bounded("grüß", 5), "cut between characters")
	require.Empty(t, text.Bounded("", 5))
}

// A text that is too long costs nothing: it is not copied, let alone normalized.
//
//nolint:paralleltest // counts allocations
func TestLine_bounds_before_it_works(t *testing.T) {
	huge := strings.Repeat("\ufdfa", 1<<20)
	least := testing.AllocsPerRun(10, func() { _, _ = text.Line("f", strings.Repeat("a", 101), 25) })
	require.LessOrEqual(t, testing.AllocsPerRun(10, func() { _, _ = text.Line("f", huge, 25) }), least)
}

func TestTime_can_be_written_again(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.StringMatching(`(000[01]|2026|9999)-(0[1-9]|1[0-2])-[0-3][0-9][Tt ][0-2]?[0-9]:[0-5][0-9]:[0-6][0-9]([.,][0-9]{1,10})?(Z|[+-][0-2][0-9]:[0-6][0-9])?`).Draw(t, "raw")
		at, err := text.Time(raw)
		if err != nil {
			return
		}
		for _, at := range []time.Time{at, at.UTC()} {
			written, err := at.MarshalJSON()
			require.NoError(t, err, raw)
			again, err := text.Time(strings.Trim(string(written), `"`))
			require.NoError(t, err, raw)
			require.True(t, at.Equal(again))
		}
	})
}
