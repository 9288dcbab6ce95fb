package address_test

import (
	"strings"
	"testing"

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
		"ａｄａ@example.com":                 {Typed: "ａｄａ@example.com", Key: "ada@example.com"},
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
		".ada@example.com", "ada\x00@example.com", "ada\u202e@example.com", "ada(x)@example.com", "ada@exam_ple.com",
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
			require.Equal(t, a.Key, address.KeyOf(a.Key))
			require.Equal(t, a.Key, address.KeyOf(strings.ToUpper(a.Key)))
		}
	})
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
