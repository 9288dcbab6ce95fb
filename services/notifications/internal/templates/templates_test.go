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

	"github.com/atrium-mesh/atrium/pkg/mail/letter"
	"github.com/atrium-mesh/atrium/services/notifications/internal/templates"
)

var update = flag.Bool("update", false, "write the golden files again")

func newSet(t testing.TB) *templates.Set {
	t.Helper()
	set, err := templates.New(brand)
	require.NoError(t, err)
	return set
}

var brand = letter.Brand{Product: "Atrium", URL: "https://app.example.com"}

// layOut is the letter as the mail that it becomes.
func layOut(t testing.TB, l letter.Letter, links letter.Links) letter.Mail {
	t.Helper()
	layout, err := letter.NewLayout(brand)
	require.NoError(t, err)
	mail, err := layout.Fill(l, links)
	require.NoError(t, err)
	return mail
}

// links are where the mails of the samples lead.
func links(name templates.Name) letter.Links {
	const unsubscribe = "https://app.example.com/api/v1/notifications/unsubscribe?token=abc"
	switch name {
	case templates.Welcome:
		return letter.Links{Action: brand.URL, Unsubscribe: unsubscribe}
	case templates.Notification:
		return letter.Links{Unsubscribe: unsubscribe}
	case templates.NewDevice, templates.PasswordChanged, templates.SessionCompromised:
		return letter.Links{Action: "https://app.example.com/account/not-me?token=abc"}
	case templates.AccountExists:
		return letter.Links{Action: "https://app.example.com/account/reset-password?token=abc"}
	case templates.Verification:
		return letter.Links{
			Action: "https://app.example.com/account/verification?token=abc",
			Other:  "https://app.example.com/account/disown?token=abc",
		}
	case templates.Reset, templates.Invitation:
		return letter.Links{Action: "https://app.example.com/account/" + string(name) + "?token=abc"}
	default:
		return letter.Links{}
	}
}

func sample(name templates.Name, locale string) templates.Data {
	d := templates.Data{Name: "Ada Lovelace", Locale: locale, TimeZone: "Europe/Berlin"}
	switch name {
	case templates.Welcome:
	case templates.Notification:
		d.Title, d.Body = "Maintenance on Sunday", "It takes half an hour.\n\nNothing is lost & <b>nobody</b> has to do anything."
	case templates.NewDevice, templates.PasswordChanged, templates.SessionCompromised:
		d.LinkExpires = time.Date(2026, 4, 1, 14, 4, 5, 0, time.UTC)
		d.Device, d.IP = "Firefox on Linux", "203.0.113.7"
		d.At = time.Date(2026, 3, 2, 14, 4, 5, 0, time.UTC)
	case templates.AccountDeleted:
		d.By, d.At, d.Until = templates.BySelf, time.Date(2026, 3, 2, 14, 4, 5, 0, time.UTC), time.Date(2026, 4, 1, 14, 4, 5, 0, time.UTC)
	case templates.AccountDeactivated, templates.AccountActivated, templates.AccountRestored, templates.NameChanged:
		d.By, d.At = templates.ByAdministrator, time.Date(2026, 3, 2, 14, 4, 5, 0, time.UTC)
	case templates.RolesChanged:
		d.By, d.At = templates.ByAdministrator, time.Date(2026, 3, 2, 14, 4, 5, 0, time.UTC)
		d.Added, d.Removed = []string{"admin", "editor"}, []string{"support"}
	case templates.AccountClosed:
		d.Device, d.IP = "Firefox on Linux", "203.0.113.7"
		d.At = time.Date(2026, 7, 2, 14, 4, 5, 0, time.UTC)
	case templates.AccountExists:
		d.LinkExpires = time.Date(2026, 7, 2, 15, 4, 5, 0, time.UTC)
		d.Device, d.IP = "Firefox on Linux", "203.0.113.7"
		d.At = time.Date(2026, 7, 2, 14, 4, 5, 0, time.UTC)
	case templates.Verification:
		d.LinkExpires = time.Date(2026, 7, 2, 15, 4, 5, 0, time.UTC)
	default:
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
				written, err := set.Render(name, sample(name, locale))
				require.NoError(t, err)
				if name != templates.Notification { // whose text somebody else writes; it has no link of auth's
					require.NoError(t, written.Check("letter"), "auth sends it")
				}
				mail := layOut(t, written, links(name))
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
		written, err := set.Render(templates.Notification, d)
		require.NoError(t, err)
		mail := layOut(t, written, letter.Links{})
		require.NotContains(t, mail.HTML, "<script")
		require.NotContains(t, mail.HTML, "<img")
		require.NotContains(t, mail.HTML, "<b>")
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

	t.Run("whatever is told, auth takes the letter", func(t *testing.T) {
		t.Parallel()
		linked := []templates.Name{
			templates.Verification, templates.Reset, templates.AccountExists, templates.Invitation, templates.NewDevice, templates.PasswordChanged,
			templates.SessionCompromised,
		}
		rapid.Check(t, func(t *rapid.T) {
			d := sample(rapid.SampledFrom(linked).Draw(t, "name"), rapid.SampledFrom([]string{"en", "de"}).Draw(t, "locale"))
			name := rapid.SampledFrom(linked).Draw(t, "template")
			d.Name = rapid.StringN(0, 200, 800).Draw(t, "whom")
			d.Device, d.IP = rapid.OneOf(rapid.StringN(0, -1, 128), rapid.Just("\u2800")).Draw(t, "device"), rapid.StringN(0, -1, 64).Draw(t, "ip")
			d.At = sample(templates.NewDevice, "en").At
			written, err := set.Render(name, d)
			require.NoError(t, err)
			require.NoError(t, written.Check("letter"))
		})
	})
}

// What differs within a template says what it is about.
func TestRender_variants(t *testing.T) {
	t.Parallel()
	set := newSet(t)
	at := time.Date(2026, 3, 2, 14, 4, 5, 0, time.UTC)
	for name, tt := range map[string]struct {
		template templates.Name
		data     templates.Data
		has, not []string
	}{
		"deleted_by_an_administrator": {
			templates.AccountDeleted,
			templates.Data{By: templates.ByAdministrator, At: at},
			[]string{"was deleted", "Done by: an administrator", "erased for good soon"},
			[]string{"You have deleted", "taken back until", "Device", "IP address"},
		},
		"deleted_by_oneself": {
			templates.AccountDeleted,
			templates.Data{By: templates.BySelf, At: at, Until: at.AddDate(0, 0, 30)},
			[]string{"You have deleted", "Done by: you", "after 1 April 2026", "Can be taken back until: 1 April 2026"},
			[]string{"was deleted.", "soon"},
		},
		"restored_and_inactive": {
			templates.AccountRestored,
			templates.Data{By: templates.ByAdministrator, At: at, Inactive: true},
			[]string{"still deactivated"},
			[]string{"can sign in again"},
		},
		"only_given": {
			templates.RolesChanged,
			templates.Data{By: templates.BySystem, At: at, Added: []string{"admin"}},
			[]string{"Roles given: admin", "Done by: Atrium"},
			[]string{"Roles taken"},
		},
		"many_roles": {
			templates.RolesChanged,
			templates.Data{By: templates.ByAdministrator, At: at, Removed: strings.Split("a b c d e f g h i j k l", " ")},
			[]string{"Roles taken: a, b, c, d, e, f, g, h, i, j, …"},
			[]string{"Roles given"},
		},
		"the_last_notice_of_a_day": {templates.NewDevice, templates.Data{At: at, LastNotice: true}, []string{"the last one within a day"}, nil},
		"a_notice":                 {templates.NewDevice, templates.Data{At: at}, []string{"from a network"}, []string{"within a day"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			written, err := set.Render(tt.template, tt.data)
			require.NoError(t, err)
			mail := layOut(t, written, letter.Links{})
			for _, text := range tt.has {
				require.Contains(t, mail.Text, text)
			}
			for _, text := range tt.not {
				require.NotContains(t, mail.Text, text)
			}
		})
	}
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

// A warning is true without its link, and does not speak of one.
func TestRender_a_warning_without_its_link(t *testing.T) {
	t.Parallel()
	set := newSet(t)
	for locale, word := range map[string]string{"en": "link", "de": "Link"} {
		for _, name := range []templates.Name{templates.NewDevice, templates.PasswordChanged, templates.SessionCompromised} {
			data := sample(name, locale)
			data.LinkExpires = time.Time{}
			written, err := set.Render(name, data)
			require.NoError(t, err)
			require.NotEmpty(t, written.Outro)
			mail := layOut(t, written, letter.Links{})
			require.NotContains(t, mail.Text, word, "%s in %s", name, locale)
			require.Contains(t, mail.Text, "Firefox on Linux")
		}
	}
}

// Who did not ask for a reset, and has no password, is not told to do nothing.
func TestRender_a_reset_that_nobody_asked_for(t *testing.T) {
	t.Parallel()
	set := newSet(t)
	for locale, wrong := range map[string]string{"en": "do nothing", "de": "nichts zu tun"} {
		data := sample(templates.Reset, locale)
		asked, err := set.Render(templates.Reset, data)
		require.NoError(t, err)
		require.Contains(t, layOut(t, asked, links(templates.Reset)).Text, wrong)
		data.NoPassword = true
		told, err := set.Render(templates.Reset, data)
		require.NoError(t, err)
		require.NotContains(t, layOut(t, told, links(templates.Reset)).Text, wrong)
	}
}
