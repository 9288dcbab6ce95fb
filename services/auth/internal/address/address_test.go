package address_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/internal/address"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]address.Address{
		"ada@example.com":                 {Typed: "ada@example.com", Key: "ada@example.com"},
		"  Ada.L+news@Example.COM\n":      {Typed: "Ada.L+news@Example.COM", Key: "ada.l+news@example.com"},
		"große@example.com":               {Typed: "große@example.com", Key: "große@example.com"},
		"GROẞE@example.com":               {Typed: "GROẞE@example.com", Key: "große@example.com"},
		"γιώργος@example.com":             {Typed: "γιώργος@example.com", Key: "γιώργοσ@example.com"},
		"Σίσυφος@example.gr":              {Typed: "Σίσυφος@example.gr", Key: "σίσυφοσ@example.gr"},
		"ΓΙΏΡΓΟΣ@example.com":             {Typed: "ΓΙΏΡΓΟΣ@example.com", Key: "γιώργοσ@example.com"},
		"用户@例え.jp":                        {Typed: "用户@例え.jp", Key: "用户@xn--r8jz45g.jp"},
		"ファズ@XN--R8JZ45G.jp":              {Typed: "ファズ@XN--R8JZ45G.jp", Key: "ファズ@xn--r8jz45g.jp"},
		"Ada@BÜCHER.xn--r8jz45g.jp":       {Typed: "Ada@BÜCHER.xn--r8jz45g.jp", Key: "ada@xn--bcher-kva.xn--r8jz45g.jp"},
		"ada@faß.de":                      {Typed: "ada@faß.de", Key: "ada@xn--fa-hia.de"},
		"J\u030cana@example.com":          {Typed: "J\u030cana@example.com", Key: "ǰana@example.com"},
		"\u212aate@example.com":           {Typed: "Kate@example.com", Key: "kate@example.com"}, // the Kelvin sign is K in NFC
		"ada@bücher.example":              {Typed: "ada@bücher.example", Key: "ada@xn--bcher-kva.example"},
		"ada@xn--bcher-kva.example":       {Typed: "ada@xn--bcher-kva.example", Key: "ada@xn--bcher-kva.example"},
		"jose\u0301@example.com":          {Typed: "josé@example.com", Key: "josé@example.com"},
		"o'neil_%x@a-b.co.uk":             {Typed: "o'neil_%x@a-b.co.uk", Key: "o'neil_%x@a-b.co.uk"},
		strings.Repeat("a", 64) + "@b.cc": {Typed: strings.Repeat("a", 64) + "@b.cc", Key: strings.Repeat("a", 64) + "@b.cc"},
	} {
		got, err := address.Parse("body.email", raw)
		require.NoError(t, err, raw)
		require.Equal(t, want, got)
		require.Equal(t, want.Key, address.KeyOf(raw))
	}
}

func TestParse_refuses(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		"", "ada", "@example.com", "ada@", "ada@example", "ada@@example.com", "a b@example.com", "ada@exa mple.com", "Ada <ada@example.com>",
		`"ada"@example.com`, "ada@[192.0.2.1]", "ada,eve@example.com", "ada@example..com", "ada@.example.com", "ada@-example.com", "ada@example.com.",
		".ada@example.com", "ada\x00@example.com", "ada\u202e@example.com", "ada\u3164@example.com", "a\u034fda@example.com", "ada\ufe0f@example.com", "ada\u2800@example.com", "ada(x)@example.com", "ada@exam_ple.com",
		strings.Repeat("a", 65) + "@example.com", "ada@" + strings.Repeat("a", 64) + ".com", "ada@" + strings.Repeat("abcdefg.", 32) + "com",
	} {
		_, err := address.Parse("body.email", raw)
		require.ErrorIs(t, err, errs.Invalid, "%q", raw)
		e := errs.From(err)
		require.Equal(t, "body.email", e.Fields[0].Field)
		require.Equal(t, "format", e.Fields[0].Code)
	}
}

// What only looks like an address to the key is refused, whoever has it, and finds nobody.
func TestParse_refuses_what_looks_like_another(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{
		"boſs@example.com", "admın@example.com", "ADMİN@example.com", "wｉde@example.com", "ａｄａ@example.com", "ﬁna@example.com", "ⓐda@example.com",
		"ada＠example.com", "a\u1c80@example.com", "𝐚da@example.com", "ªda@example.com", "ada²@example.com", "ǆ@example.com", "น้ำ@example.com",
		"ada@ｅxample.com", "ada@exampleª.com", "ada@ﬁ.com", "ada@İ.com", "ada@FAẞ.de", "ada@exa\u1c80.com", "ada@boſs.com", "ada@example。com",
	} {
		_, err := address.Parse("body.email", raw)
		require.ErrorIs(t, err, errs.Invalid, "%q", raw)
		require.Equal(t, "body.email", errs.From(err).Fields[0].Field)
		require.Equal(t, "format", errs.From(err).Fields[0].Code)
		_, err = address.Parse("body.email", address.KeyOf(raw))
		require.ErrorIs(t, err, errs.Invalid, "%q has the key of nobody", raw)
	}
}

// letters are of all kinds, and many of those that have more than one form.
func letters() *rapid.Generator[string] {
	odd := []rune("aAsSſkK\u212aiIıİσΣςßẞåÅ\u212bωΩ\u2126µμϐβϑθϴфᲀвǅǆﬁｗⓦªᏸᏰꭰᎠაᲐ用ำ\u0301\u030c\u0308")
	r := rapid.OneOf(rapid.SampledFrom(odd), rapid.RuneFrom(nil, unicode.L, unicode.M, unicode.Nd), rapid.RuneFrom([]rune("abcxyz0189")))
	return rapid.StringOfN(r, 1, 8, 30)
}

// Mail goes to what is compared: an address that is accepted differs from its key by capitals alone.
func TestParse_differs_from_its_key_by_case(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		raw := letters().Draw(t, "local") + "@" + letters().Draw(t, "domain") + ".example"
		a, err := address.Parse("f", raw)
		if err != nil {
			return
		}
		require.Equal(t, norm.NFC.String(raw), a.Typed, "mail goes where it was meant to go")
		require.Equal(t, norm.NFKC.String(a.Typed), a.Typed, "no letter stands for another")
		local, domain, _ := strings.Cut(a.Typed, "@")
		keyLocal, keyDomain, _ := strings.Cut(a.Key, "@")
		require.True(t, strings.EqualFold(norm.NFD.String(local), norm.NFD.String(keyLocal)), "%q %q", local, keyLocal)
		for _, r := range local { // EqualFold takes for one what has one capital (ᲀ and в)
			require.True(t, unicode.ToUpper(r) == r || unicode.ToLower(unicode.ToUpper(r)) == r || r == 'ς', "%U is the small letter of another's capital", r)
		}
		ascii, err := idna.Lookup.ToASCII(domain)
		require.NoError(t, err)
		require.Equal(t, ascii, keyDomain, "and to the same domain")
		other, err := address.Parse("f", strings.ToUpper(local)+"@"+domain)
		if err == nil {
			require.Equal(t, a.Key, other.Key, "capitals make no other account")
		}
	})
}

func TestKeyOf_is_stable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.String().Draw(t, "raw")
		if a, err := address.Parse("f", raw); err == nil {
			require.Equal(t, a.Key, address.KeyOf(a.Typed))
			require.Equal(t, a.Key, address.KeyOf(a.Key))
			require.Equal(t, a.Key, address.KeyOf(strings.ToUpper(a.Key)))
		}
	})
}

// Whatever letter an address has, its key is its own key, and capitals do not change it.
func TestKeyOf_of_every_letter(t *testing.T) {
	t.Parallel()
	for r := rune(0x21); r < 0x20000; r++ {
		if !unicode.IsPrint(r) || unicode.In(r, unicode.Han, unicode.Hangul, unicode.Tangut) { // those have no case
			continue
		}
		for _, local := range []string{string(r), "a" + string(r), string(r) + "\u030c", "J" + string(r)} {
			a, err := address.Parse("f", local+"@example.com")
			if err != nil {
				continue
			}
			require.Equal(t, a.Key, address.KeyOf(a.Key), "%U %q", r, local)
			if up, err := address.Parse("f", strings.ToUpper(local)+"@example.com"); err == nil {
				require.Equal(t, a.Key, up.Key, "%U %q", r, local)
			}
		}
	}
}

// A text that is too long to be an address is nobody's, and costs nothing.
func TestKeyOf_bounds_before_it_works(t *testing.T) {
	t.Parallel()
	for _, huge := range []string{
		strings.Repeat("ü", 60_000), strings.Repeat("\ufdfa", 20_000), "a@" + strings.Repeat("ü", 60_000), strings.Repeat("@", 60_000),
		"ada@" + strings.Repeat("\ufdfa", 200),
	} {
		key := address.KeyOf(huge)
		require.LessOrEqual(t, len(key), address.MaxLength)
		_, err := address.Parse("f", key)
		require.ErrorIs(t, err, errs.Invalid)
		_, err = address.Parse("f", huge)
		require.ErrorIs(t, err, errs.Invalid)
	}
	long := strings.Repeat("a", 64) + "@" + strings.Repeat("abcdefgh.", 20) + "example"
	require.Len(t, long, 252)
	_, err := address.Parse("f", long)
	require.NoError(t, err)
	require.NotEqual(t, long, address.KeyOf(long+strings.Repeat("x", 5000)), "a long text is not the address that it begins with")
}

func BenchmarkKeyOf(b *testing.B) {
	for name, raw := range map[string]string{
		"usual": "ada@example.com", "longest": strings.Repeat("ü", 30) + "@" + strings.Repeat("üüüü.", 20) + "example",
		"60,000 runes": "a@" + strings.Repeat("ü", 60_000), "growing": strings.Repeat("\ufdfa", 84),
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				_ = address.KeyOf(raw)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"ada@example.com", "ａ@b.c", "a@xn--bcher-kva.example", "\"@.", "İ@i.example"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		a, err := address.Parse("f", raw)
		if err != nil {
			return
		}
		require.NotContains(t, a.Typed, "\n")
		again, err := address.Parse("f", a.Typed)
		require.NoError(t, err)
		require.Equal(t, a, again)
	})
}
