package templates

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	texttemplate "text/template"
	"time"
	"unicode"

	"github.com/atrium-mesh/atrium/pkg/text"
)

// longestSubject is the longest subject, in characters.
const longestSubject = 200

// Data is what a mail tells. What a template does not use may be left out.
type Data struct {
	Name     string // whom to greet; "" for nobody by name
	Locale   string
	TimeZone string

	Link        string    // where the action leads; "" for no action
	LinkExpires time.Time // zero for a link that does not expire
	OtherLink   string    // where the second action leads; "" for none

	Device string    // from which something was done
	IP     string    // likewise
	At     time.Time // when; zero for mails that are not about an event of the account

	LastNotice bool      // of new devices, for today
	By         By        // who changed the account; "" for mails that are not about a change, and tell the device instead
	Added      []string  // roles that were given
	Removed    []string  // roles that were taken
	Until      time.Time // until when it can be taken back; zero: not known
	Inactive   bool      // the account stays deactivated

	Title string // of a notification
	Body  string // likewise; empty lines part paragraphs

	UnsubscribeURL string // "" for what cannot be turned off
}

// By says who changed an account. No name is told: whoever has somebody's mailbox need not know who the administrators are.
type By string

// Who changes accounts.
const (
	BySelf          By = "self"
	ByAdministrator By = "administrator"
	BySystem        By = "system"
)

// Mail is a rendered mail.
type Mail struct {
	Locale  string // in which it is written
	Subject string // one line
	Text    string
	HTML    string
}

// letter is what the layouts are filled with. Everything in it is plain text; the HTML layout escapes it.
type letter struct {
	Locale, Subject, Greeting        string
	Intro, Outro                     []string
	Details                          []detail
	Link, Action, LinkHelp           string
	OtherLink, Other                 string
	Product, ProductURL              string
	Why, Unsubscribe, UnsubscribeURL string
}

type detail struct{ Label, Value string }

// Render makes a mail. Its errors are ErrUnknown and mistakes in the files.
func (s *Set) Render(name Name, d Data) (Mail, error) {
	v, err := s.voice(name, d)
	if err != nil {
		return Mail{}, err
	}
	l := letter{
		Locale: v.locale, Subject: subject(v.say("subject")), Greeting: v.say("greeting"),
		Intro: paragraphs(v.say("intro")), Outro: paragraphs(v.say("outro")),
		Product: s.brand.Product, ProductURL: s.brand.URL, Why: v.say("why"),
	}
	if d.Link != "" {
		l.Link, l.Action, l.LinkHelp = d.Link, v.say("action"), v.say("link-help")
	}
	if d.OtherLink != "" {
		l.OtherLink, l.Other = d.OtherLink, v.say("other")
	}
	if d.UnsubscribeURL != "" {
		l.UnsubscribeURL, l.Unsubscribe = d.UnsubscribeURL, v.say("unsubscribe")
	}
	if !d.At.IsZero() {
		l.Details = v.details(d)
	}
	if v.err != nil {
		return Mail{}, v.err
	}
	return s.layOut(l)
}

// details are the facts of an event, one a line.
func (v *voice) details(d Data) (out []detail) {
	if d.By == "" {
		out = append(out,
			detail{v.say("label-device"), cmp.Or(oneLine(d.Device), v.say("unknown"))},
			detail{v.say("label-ip"), cmp.Or(oneLine(d.IP), v.say("unknown"))})
	}
	if len(d.Added) > 0 {
		out = append(out, detail{v.say("label-added"), v.facts.Added})
	}
	if len(d.Removed) > 0 {
		out = append(out, detail{v.say("label-removed"), v.facts.Removed})
	}
	if d.By != "" {
		out = append(out, detail{v.say("label-by"), v.say("by-" + string(d.By))})
	}
	out = append(out, detail{v.say("label-at"), formatTime(d.At, v.locale, d.TimeZone)})
	if !d.Until.IsZero() {
		out = append(out, detail{v.say("label-until"), v.facts.Until})
	}
	return out
}

// Brief makes the title and the text that tell the same in the app. Its errors are those of Render; so is a template without such a text.
func (s *Set) Brief(name Name, d Data) (title, body string, err error) {
	v, err := s.voice(name, d)
	if err != nil {
		return "", "", err
	}
	title, body = subject(v.say("subject")), strings.TrimSpace(v.say("in-app"))
	if v.err == nil && body == "" {
		v.err = fmt.Errorf("template %s has no words for the app", name)
	}
	return title, body, v.err
}

func (s *Set) layOut(l letter) (Mail, error) {
	var text, html strings.Builder
	if err := s.layout.ExecuteTemplate(&text, "layout", l); err != nil {
		return Mail{}, fmt.Errorf("fill the text layout: %w", err)
	}
	if err := s.page.ExecuteTemplate(&html, "layout", l); err != nil {
		return Mail{}, fmt.Errorf("fill the HTML layout: %w", err)
	}
	return Mail{Locale: l.Locale, Subject: l.Subject, Text: text.String(), HTML: html.String()}, nil
}

// voice says the words of a template in a locale. Its first error is kept.
type voice struct {
	locale string
	words  *texttemplate.Template
	facts  facts
	err    error
}

// facts are what the files can mention.
type facts struct {
	Name, Product, ProductURL, LinkExpires, Device, Title, Body string
	Added, Removed, Until                                       string
	Self, LastNotice, Inactive                                  bool
}

func (s *Set) voice(name Name, d Data) (*voice, error) {
	locale := match(d.Locale, func(l string) bool { return s.words[l][name] != nil })
	t := s.words[locale][name]
	if t == nil {
		return nil, fmt.Errorf("%w: %s", ErrUnknown, name)
	}
	return &voice{locale: locale, words: t, facts: facts{
		Name: oneLine(d.Name), Product: s.brand.Product, ProductURL: s.brand.URL, LinkExpires: formatTime(d.LinkExpires, locale, d.TimeZone),
		Device: oneLine(d.Device), Title: oneLine(d.Title), Body: d.Body,
		Added: list(d.Added), Removed: list(d.Removed), Until: formatTime(d.Until, locale, d.TimeZone),
		Self: d.By == BySelf, LastNotice: d.LastNotice, Inactive: d.Inactive,
	}}, nil
}

// say is a block in the template's words, or "" when the template has no such block.
func (v *voice) say(block string) string {
	if v.words.Lookup(block) == nil {
		return ""
	}
	var b strings.Builder
	if err := v.words.ExecuteTemplate(&b, block, v.facts); err != nil {
		v.err = errors.Join(v.err, fmt.Errorf("say %s in %s: %w", block, v.locale, err))
	}
	return b.String()
}

// mostListed is how many names a mail lists; an account can have hundreds of roles.
const mostListed = 10

// list is names in one line.
func list(names []string) string {
	more := ""
	if len(names) > mostListed {
		names, more = names[:mostListed], ", …"
	}
	lines := make([]string, len(names))
	for i, name := range names {
		lines[i] = oneLine(name)
	}
	return strings.Join(lines, ", ") + more
}

// paragraphs parts a text at empty lines.
func paragraphs(text string) []string {
	var out []string
	for p := range strings.SplitSeq(strings.ReplaceAll(text, "\r\n", "\n"), "\n\n") {
		if p = strings.TrimSpace(p); p != "" {
			out = append(out, p)
		}
	}
	return out
}

// subject is a text as one line of at most longestSubject characters, so that it can stand in a header field.
func subject(text string) string {
	line := []rune(oneLine(text))
	if len(line) > longestSubject {
		return string(line[:longestSubject-1]) + "…"
	}
	return string(line)
}

// oneLine joins the words of a text with single spaces, without what a line cannot hold: control characters, and what turns the direction
// of the letters round. Joiners and marks of direction stay, without which names and titles of many scripts are misspelled.
func oneLine(written string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case text.Printable(r):
			return r
		default:
			return -1
		}
	}, written)), " ")
}
