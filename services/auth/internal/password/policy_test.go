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

func newPolicy() (*password.Policy, error) {
	return password.NewPolicy(password.PolicyConfig{Context: []string{"Atrium", "Analytics Ltd", "orchard.example.com"}})
}

func TestPolicy(t *testing.T) {
	t.Parallel()
	policy, err := newPolicy()
	require.NoError(t, err)
	ada := password.Person{Email: "ada.lovelace1815@analytical-engines.example", FullName: "Augusta Ada King-Lovelace"}

	for name, c := range map[string]struct{ password, code string }{
		"the README's":                     {"four-quiet-otters", ""},
		"the README's other":               {"seven-brave-penguins", ""},
		"the reference's":                  {"seven green bicycles", ""},
		"the reference's other":            {"nine orange umbrellas", ""},
		"a phrase without separators":      {"purpletuesdayladder", ""},
		"a phrase in German":               {"drei müde Ziegelsteine", ""},
		"a phrase in French":               {"quatre girafes pressées", ""},
		"a phrase in Chinese":              {"紫色的星期二会唱歌的梯子", ""},
		"a phrase that holds a year":       {"otters since 1987", ""},
		"a phrase with a common word":      {"password of quiet otters", ""},
		"a phrase with the product":        {"atrium of quiet otters", ""},
		"made by a manager":                {"Xb7-qPw2-Lm9z-Tk4v", ""},
		"hexadecimal":                      {"9f86d081884c7d65", ""},
		"the comic's":                      {"correct horse battery staple", password.CodeCommon},
		"the comic's in one":               {"CorrectHorseBatteryStaple", password.CodeCommon},
		"from a breach":                    {"iloveyouforever", password.CodeCommon},
		"from a breach, as words":          {"I love you forever!", password.CodeCommon},
		"from a breach, with a year":       {"iloveyouforever2019", password.CodeCommon},
		"from a breach, in digits":         {"1l0vey0uf0rever", password.CodeCommon},
		"a walk in columns":                {"qazwsxedcrfv", password.CodeCommon},
		"a walk of two rows":               {"1q2w3e4r5t6y", password.CodeCommon},
		"a walk back and forth":            {"zaq12wsxcde3", password.CodeCommon},
		"a walk on a German keyboard":      {"qwertzuiopü+", password.CodeCommon},
		"a German walk in columns":         {"yaqxswcdevfr", password.CodeCommon},
		"a walk on a French keyboard":      {"azertyuiopqsdfgh", password.CodeCommon},
		"a French walk in columns":         {"aqwzsxedcrfv", password.CodeCommon},
		"a walk on the numeric block":      {"789456123000", password.CodeCommon},
		"a walk with a year":               {"qwertyuiop2024", password.CodeCommon},
		"a walk in capitals":               {"QWERTY!@#qwerty", password.CodeCommon},
		"three letters over and over":      {"abcabcabcabc", password.CodeCommon},
		"six random ones twice":            {"k3v9xqk3v9xq", password.CodeCommon},
		"a decorated word twice":           {"elephant7elephant7", password.CodeCommon},
		"pairs":                            {"aabbccddeeff", password.CodeCommon},
		"two sequences in turn":            {"a1b2c3d4e5f6", password.CodeCommon},
		"sequences in turn":                {"abc123def456", password.CodeCommon},
		"with a date":                      {"sunshine19840512", password.CodeCommon},
		"with a written date":              {"Sunshine-12.05.1984", password.CodeCommon},
		"with an American date":            {"sunshine05121984", password.CodeCommon},
		"with a short date before":         {"120584sunshine", password.CodeCommon},
		"the season":                       {"Summer2024!!!", password.CodeCommon},
		"in leet":                          {"5un5h1n3-2024", password.CodeCommon},
		"a word and a run":                 {"welcome123456", password.CodeCommon},
		"the product":                      {"AtriumAtrium", password.CodeContext},
		"the product with a year":          {"Atrium-2026-2027", password.CodeContext},
		"the product with a common word":   {"atrium-password", password.CodeContext},
		"the product and a role":           {"Atrium.Admin!1", password.CodeContext},
		"the product in leet":              {"4tr1um-4tr1um", password.CodeContext},
		"the host":                         {"orchard-orchard", password.CodeContext},
		"the host with a word":             {"welcome2orchard", password.CodeContext},
		"the organization":                 {"AnalyticsLtd!2024", password.CodeContext},
		"the name with a birthday":         {"lovelace10121815", password.CodePersonal},
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
		"nothing but bytes":                {strings.Repeat("x7 ", 1<<20), password.CodeTooLong},
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
			if len(c.password) > 3 && len(c.password) < 1000 {
				require.NotContains(t, strings.ToLower(err.Error()), strings.ToLower(c.password))
			}
		})
	}
}

func TestPolicy_nobody_is_known(t *testing.T) {
	t.Parallel()
	policy, err := newPolicy()
	require.NoError(t, err)
	require.NoError(t, policy.Check("body.password", "lovelace-analytical", password.Person{}))
	require.NoError(t, policy.Check("body.password", "lovelace-analytical", password.Person{Email: "x@y.z", FullName: "A B"}))
}

// What a person may choose does not depend on how the keyboard composes its characters, and nothing makes the policy panic.
func TestPolicy_any_text(t *testing.T) {
	t.Parallel()
	policy, err := newPolicy()
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
	policy, err := newPolicy()
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
	policy, err := newPolicy()
	require.NoError(f, err)
	f.Add("seven green bicycles", "ada@example.com", "Ada")
	f.Fuzz(func(t *testing.T, text, email, name string) {
		if err := policy.Check("f", text, password.Person{Email: email, FullName: name}); err != nil {
			require.ErrorIs(t, err, errs.Invalid)
		}
	})
}

// What nobody can have chosen costs nothing, and the longest that somebody can choose costs less than a millisecond of a request's five.
func BenchmarkPolicy(b *testing.B) {
	policy, err := newPolicy()
	require.NoError(b, err)
	ada := password.Person{Email: "ada.lovelace@analytical-engines.example", FullName: "Ada Lovelace"}
	worst := password.Person{
		Email:    strings.Repeat("a.b-", 15) + "abc@" + strings.Repeat("abc.", 45) + "example",
		FullName: strings.Repeat("xyz ", 50),
	}
	for name, c := range map[string]struct {
		password string
		who      password.Person
	}{
		"usual":             {"four-quiet-otters", ada},
		"longest":           {strings.Repeat("vK9#qLw2$mZxP0o!", 15) + "ends differently", ada},
		"nearly periodic":   {strings.Repeat("a", 254) + "bc", ada},
		"leet":              {strings.Repeat("4bc0", 64), worst},
		"grows with NFKC":   {strings.Repeat("\ufdfa", 256), ada},
		"of other scripts":  {strings.Repeat("собакалюбитгулять", 15), worst},
		"sixty megabytes":   {strings.Repeat("x7 ", 20<<20), ada},
		"nearly the person": {strings.Repeat("xyzabc", 42), worst},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				_ = policy.Check("f", c.password, c.who)
			}
		})
	}
}
