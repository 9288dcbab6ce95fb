package password_test

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/internal/password"
)

func TestPolicy(t *testing.T) {
	t.Parallel()
	policy, err := password.NewPolicy()
	require.NoError(t, err)
	ada := password.Person{Email: "ada.lovelace1815@analytical-engines.example", FullName: "Augusta Ada King-Lovelace"}

	for name, c := range map[string]struct{ password, code string }{
		"a passphrase":                     {"correct horse battery staple", ""},
		"random":                           {"vK9#qLw2$mZx", ""},
		"twelve letters":                   {"tbwlopmqxzrt", ""},
		"a phrase with years":              {"met in 1998, wed in 2004", ""},
		"other scripts":                    {"собака любит гулять", ""},
		"emoji count as characters":        {"🦊🐙🌵🚀🎲🧩🪴🔭🛶🎷🥨🧲", ""},
		"twelve characters":                {"gnu-moss-tax", ""},
		"eleven characters":                {"vK9#qLw2$mZ", password.CodeTooShort},
		"empty":                            {"", password.CodeTooShort},
		"eleven characters of four bytes":  {"🦊🐙🌵🚀🎲🧩🪴🔭🛶🎷🥨", password.CodeTooShort},
		"256 characters":                   {strings.Repeat("vK9#qLw2$mZxP0o!", 15) + "ends differently", ""},
		"257 characters":                   {strings.Repeat("vK9#qLw2$mZxP0o!", 16) + "e", password.CodeTooLong},
		"a listed one":                     {"relationships", password.CodeCommon},
		"a listed one, in capitals":        {"RELATIONSHIPS", password.CodeCommon},
		"with digits":                      {"password1234", password.CodeCommon},
		"with a year":                      {"Sunshine2024!", password.CodeCommon},
		"with a run":                       {"Football123456789", password.CodeCommon},
		"with digits before":               {"2024Elephants", password.CodeCommon},
		"with digits for letters":          {"P@$$w0rd12345", password.CodeCommon},
		"one for l":                        {"1e77er-p4ssw0rd", ""},
		"one for l in a word":              {"f1oorcover1ng", ""},
		"a word twice":                     {"PasswordPassword", password.CodeCommon},
		"a word twice with digits":         {"monkeymonkey99", password.CodeCommon},
		"with separators":                  {"p.a.s.s.w.o.r.d", password.CodeCommon},
		"one character":                    {"aaaaaaaaaaaaaaaa", password.CodeCommon},
		"one character of another script":  {"жжжжжжжжжжжж", password.CodeCommon},
		"two characters":                   {"xkxkxkxkxkxkxk", password.CodeCommon},
		"the alphabet":                     {"abcdefghijklmnop", password.CodeCommon},
		"backwards":                        {"zyxwvutsrqponm", password.CodeCommon},
		"digits":                           {"123456789012", password.CodeCommon},
		"two runs":                         {"abcdef654321", password.CodeCommon},
		"a keyboard's row":                 {"QWERTYuiop[]", password.CodeCommon},
		"a keyboard's columns":             {"1qaz2wsx3edc", password.CodeCommon},
		"the address":                      {"ada.lovelace1815@analytical-engines.example", password.CodePersonal},
		"the local part":                   {"Ada.Lovelace1815", password.CodePersonal},
		"the local part without digits":    {"adalovelace-99", password.CodePersonal},
		"the domain":                       {"analytical-engines", password.CodePersonal},
		"the domain with digits":           {"analytical-engines!1", password.CodePersonal},
		"the name":                         {"AugustaAdaKing", password.CodePersonal},
		"the name with dates":              {"AdaKing1815-1852", password.CodePersonal},
		"the name with digits for letters": {"4ugust4L0velace", password.CodePersonal},
		"the name and a common word":       {"lovelace-password", password.CodePersonal},
		"the name, with accents":           {"Lovelacé-Àugusta", password.CodePersonal},
		"the name among other words":       {"savannah adaptable kingfisher moon", ""},
		"the name with random digits":      {"lovelace 8305 9271 46", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := policy.Check("body.password", c.password, ada)
			if c.code == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, errs.Invalid)
			require.Len(t, errs.From(err).Fields, 1)
			require.Equal(t, c.code, errs.From(err).Fields[0].Code)
			require.Equal(t, "body.password", errs.From(err).Fields[0].Field)
			if len(c.password) > 3 {
				require.NotContains(t, strings.ToLower(err.Error()), strings.ToLower(c.password))
			}
		})
	}
}

func TestPolicy_nobody_is_known(t *testing.T) {
	t.Parallel()
	policy, err := password.NewPolicy()
	require.NoError(t, err)
	require.NoError(t, policy.Check("body.password", "lovelace-analytical", password.Person{}))
	require.NoError(t, policy.Check("body.password", "lovelace-analytical", password.Person{Email: "x@y.z", FullName: "A B"}))
}

// What a person may choose does not depend on how the keyboard composes its characters, and nothing makes the policy panic.
func TestPolicy_any_text(t *testing.T) {
	t.Parallel()
	policy, err := password.NewPolicy()
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.String().Draw(t, "password")
		who := password.Person{Email: rapid.String().Draw(t, "email"), FullName: rapid.String().Draw(t, "name")}
		err := policy.Check("f", text, who)
		if utf8.RuneCountInString(text)*18 < password.MinLength { // no character becomes more than 18 by NFKC
			require.Error(t, err)
		}
		require.Equal(t, err, policy.Check("f", text, who))
	})
}

// However a word is decorated with up to four digits, it stays common.
func TestPolicy_decorated_words(t *testing.T) {
	t.Parallel()
	policy, err := password.NewPolicy()
	require.NoError(t, err)
	rapid.Check(t, func(t *rapid.T) {
		word := rapid.SampledFrom([]string{"relationships", "responsibility", "PasswordPassword", "extraordinary"}).Draw(t, "word")
		before := rapid.StringMatching(`[0-9!?.#-]{0,4}`).Draw(t, "before")
		after := rapid.StringMatching(`[0-9]{0,4}[!?.*]{0,3}`).Draw(t, "after")
		err := policy.Check("f", before+word+after, password.Person{})
		require.ErrorIs(t, err, errs.Invalid)
		require.Equal(t, password.CodeCommon, errs.From(err).Fields[0].Code)
	})
}

func FuzzPolicy(f *testing.F) {
	policy, err := password.NewPolicy()
	require.NoError(f, err)
	f.Add("correct horse battery staple", "ada@example.com", "Ada")
	f.Fuzz(func(t *testing.T, text, email, name string) {
		if err := policy.Check("f", text, password.Person{Email: email, FullName: name}); err != nil {
			require.ErrorIs(t, err, errs.Invalid)
		}
	})
}

func BenchmarkPolicy(b *testing.B) {
	policy, err := password.NewPolicy()
	require.NoError(b, err)
	long := strings.Repeat("vK9#qLw2$mZxP0o!", 16)
	for b.Loop() {
		_ = policy.Check("f", long, password.Person{Email: "ada.lovelace@analytical-engines.example", FullName: "Ada Lovelace"})
	}
}
