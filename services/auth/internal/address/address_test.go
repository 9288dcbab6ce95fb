package address_test

import (
	"strings"
	"testing"
	"unicode"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/services/auth/internal/address"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]address.Address{
		"ada@example.com":                 {Typed: "ada@example.com", Key: "ada@example.com"},
		"  Ada.L+news@Example.COM\n":      {Typed: "Ada.L+news@Example.COM", Key: "ada.l+news@example.com"},
		"ａｄａ@example.com":                 {Typed: "ada@example.com", Key: "ada@example.com"},
		"ada＠example.com":                 {Typed: "ada@example.com", Key: "ada@example.com"},
		"ſam@ｅxample.com":                 {Typed: "sam@example.com", Key: "sam@example.com"},
		"Σίσυφος@example.gr":              {Typed: "Σίσυφος@example.gr", Key: "σίσυφοσ@example.gr"},
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
		".ada@example.com", "ada\x00@example.com", "ılker@example.com", "a＠b@example.com", "ada@＠example.com", "ada\u202e@example.com", "ada(x)@example.com", "ada@exam_ple.com",
		strings.Repeat("a", 65) + "@example.com", "ada@" + strings.Repeat("a", 64) + ".com", "ada@" + strings.Repeat("abcdefg.", 32) + "com",
	} {
		_, err := address.Parse("body.email", raw)
		require.ErrorIs(t, err, errs.Invalid, "%q", raw)
		e := errs.From(err)
		require.Equal(t, "body.email", e.Fields[0].Field)
		require.Equal(t, "format", e.Fields[0].Code)
	}
}

func TestKeyOf_is_stable(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		raw := rapid.String().Draw(t, "raw")
		if a, err := address.Parse("f", raw); err == nil {
			require.Equal(t, a.Key, address.KeyOf(a.Typed))
			require.True(t, strings.EqualFold(local(a.Typed), local(a.Key)), "mail to %q is read by %q", a.Typed, a.Key)
			require.Equal(t, a.Key, address.KeyOf(a.Key))
			require.Equal(t, a.Key, address.KeyOf(strings.ToUpper(a.Key)))
		}
	})
}

func local(address string) string { return address[:strings.LastIndexByte(address, '@')] }

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
			require.True(t, strings.EqualFold(a.Typed, a.Key), "%U: mail to %q is read by %q", r, a.Typed, a.Key)
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
