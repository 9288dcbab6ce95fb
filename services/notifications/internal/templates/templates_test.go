package templates_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/atrium-mesh/atrium/services/notifications/internal/templates"
)

var update = flag.Bool("update", false, "write the golden files again")

func newSet(t testing.TB) *templates.Set {
	t.Helper()
	set, err := templates.New(templates.Brand{Product: "Atrium", URL: "https://app.example.com"})
	require.NoError(t, err)
	return set
}

func sample(name templates.Name, locale string) templates.Data {
	d := templates.Data{Name: "Ada Lovelace", Locale: locale, TimeZone: "Europe/Berlin"}
	switch name {
	case templates.Welcome:
		d.Link = "https://app.example.com"
		d.UnsubscribeURL = "https://app.example.com/api/v1/notifications/unsubscribe?token=abc"
	case templates.Notification:
		d.Title, d.Body = "Maintenance on Sunday", "It takes half an hour.\n\nNothing is lost & <b>nobody</b> has to do anything."
		d.UnsubscribeURL = "https://app.example.com/api/v1/notifications/unsubscribe?token=abc"
	case templates.NewDevice, templates.PasswordChanged, templates.SessionCompromised:
		d.Link = "https://app.example.com/account/not-me?token=abc"
		d.Device, d.IP = "Firefox on Linux", "203.0.113.7"
		d.At = time.Date(2026, 3, 2, 14, 4, 5, 0, time.UTC)
	default:
		d.Link = "https://app.example.com/account/" + string(name) + "?token=abc"
		d.LinkExpires = time.Date(2026, 7, 2, 15, 4, 5, 0, time.UTC)
	}
	return d
}

func TestRender(t *testing.T) {
	t.Parallel()
	set := newSet(t)
	for _, locale := range []string{"en", "de"} {
		for _, name := range templates.Names() {
			t.Run(locale+"/"+string(name), func(t *testing.T) {
				t.Parallel()
				mail, err := set.Render(name, sample(name, locale))
				require.NoError(t, err)
				require.Equal(t, locale, mail.Locale)
				golden(t, filepath.Join(locale, string(name)+".txt"), "Subject: "+mail.Subject+"\n\n"+mail.Text)
				golden(t, filepath.Join(locale, string(name)+".html"), mail.HTML)
				require.NotContains(t, mail.HTML, "<img")
				require.NotContains(t, mail.HTML, "<script")
				require.NotContains(t, mail.Text, "<no value>")
			})
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, string(want), got)
}

func TestLocale(t *testing.T) {
	t.Parallel()
	set := newSet(t)
	for locale, want := range map[string]string{
		"de": "de", "de-AT": "de", "de-Latn-CH": "de", "DE_de": "de", "en-GB": "en", "fr": "en", "": "en", "no such locale": "en",
	} {
		mail, err := set.Render(templates.Verification, sample(templates.Verification, locale))
		require.NoError(t, err)
		require.Equal(t, want, mail.Locale, locale)
		require.Equal(t, want, set.Match(locale), locale)
	}
}

func TestHostileData(t *testing.T) {
	t.Parallel()
	set := newSet(t)

	t.Run("markup is text", func(t *testing.T) {
		t.Parallel()
		d := sample(templates.Notification, "en")
		d.Title, d.Body, d.Name = `<script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `"><b>`
		mail, err := set.Render(templates.Notification, d)
		require.NoError(t, err)
		require.NotContains(t, mail.HTML, "<script")
		require.NotContains(t, mail.HTML, "<img")
		require.NotContains(t, mail.HTML, "<b>")
	})

	t.Run("a link is an address and nothing else", func(t *testing.T) {
		t.Parallel()
		d := sample(templates.Reset, "en")
		d.Link = "javascript:alert(1)"
		mail, err := set.Render(templates.Reset, d)
		require.NoError(t, err)
		require.NotContains(t, mail.HTML, `href="javascript`)
	})

	t.Run("joiners stay, what turns letters round does not", func(t *testing.T) {
		t.Parallel()
		mail, err := set.Render(templates.Notification, templates.Data{Title: "می\u200cخواهم \u202eشর্\u200dমা\ufeff", Body: "x"})
		require.NoError(t, err)
		require.Equal(t, "می\u200cخواهم شর্\u200dমা", mail.Subject)
	})

	t.Run("a subject is one line", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			d := templates.Data{Title: rapid.String().Draw(t, "title"), Body: "x"}
			mail, err := set.Render(templates.Notification, d)
			require.NoError(t, err)
			require.False(t, strings.ContainsAny(mail.Subject, "\r\n\x00\u2028\u0085"))
			require.LessOrEqual(t, len([]rune(mail.Subject)), 200)
		})
	})
}

func TestBrief(t *testing.T) {
	t.Parallel()
	set := newSet(t)
	title, body, err := set.Brief(templates.NewDevice, sample(templates.NewDevice, "de"))
	require.NoError(t, err)
	require.Equal(t, "Neue Anmeldung an Ihrem Konto", title)
	require.Contains(t, body, "Firefox on Linux")

	_, _, err = set.Brief(templates.Welcome, sample(templates.Welcome, "en"))
	require.Error(t, err)
	_, _, err = set.Brief("gossip", templates.Data{})
	require.ErrorIs(t, err, templates.ErrUnknown)
	_, err = set.Render("gossip", templates.Data{})
	require.ErrorIs(t, err, templates.ErrUnknown)
}
