package templates

import (
	"cmp"
	"errors"
	"fmt"
	"strings"
	texttemplate "text/template"
	"time"
	"unicode"

	"github.com/atrium-mesh/atrium/pkg/mail/letter"
	"github.com/atrium-mesh/atrium/pkg/text"
)

// longestSubject is the longest subject, in characters.
const longestSubject = 200

// Data is what a mail tells. What a template does not use may be left out.
type Data struct {
	Name     string // whom to greet; "" for nobody by name
	Locale   string
	TimeZone string

	LinkExpires time.Time // zero for a mail without a link, or one that does not expire

	Device string    // from which something was done
	IP     string    // likewise
	At     time.Time // when; zero for mails that are not about an event of the account

	LastNotice bool      // of new devices, for today
	By         By        // who changed the account; "" for mails that are not about a change, and tell the device instead
	Added      []string  // roles that were given
	Removed    []string  // roles that were taken
	Until      time.Time // until when it can be taken back; zero: not known
	Inactive   bool      // the account stays deactivated
	NoPassword bool      // of a reset: nobody asked for it, the account has no password

	Title string // of a notification
	Body  string // likewise; empty lines part paragraphs
}

// By says who changed an account. No name is told: whoever has somebody's mailbox need not know who the administrators are.
type By string

// Who changes accounts.
const (
	BySelf          By = "self"
	ByAdministrator By = "administrator"
	BySystem        By = "system"
)

// Render writes a letter: the words of a mail. Where it leads is no matter of the words. Its errors are ErrUnknown and mistakes in the
// files.
func (s *Set) Render(name Name, d Data) (letter.Letter, error) {
	v, err := s.voice(name, d)
	if err != nil {
		return letter.Letter{}, err
	}
	l := letter.Letter{
		Locale:      v.locale,
		Subject:     subject(v.say("subject")),
		Greeting:    v.say("greeting"),
		Intro:       paragraphs(v.say("intro")),
		Action:      v.say("action"),
		LinkHelp:    v.say("link-help"),
		Outro:       paragraphs(v.say("outro")),
		Other:       v.say("other"),
		Why:         v.say("why"),
		Unsubscribe: v.say("unsubscribe"),
	}
	if !d.At.IsZero() {
		l.Details = v.details(d)
	}
	if v.err != nil {
		return letter.Letter{}, v.err
	}
	return l, nil
}

// details are the facts of an event, one a line.
func (v *voice) details(d Data) (out []letter.Detail) {
	if d.By == "" {
		out = append(out,
			letter.Detail{Label: v.say("label-device"), Value: cmp.Or(oneLine(d.Device), v.say("unknown"))},
			letter.Detail{Label: v.say("label-ip"), Value: cmp.Or(oneLine(d.IP), v.say("unknown"))})
	}
	if len(d.Added) > 0 {
		out = append(out, letter.Detail{Label: v.say("label-added"), Value: v.facts.Added})
	}
	if len(d.Removed) > 0 {
		out = append(out, letter.Detail{Label: v.say("label-removed"), Value: v.facts.Removed})
	}
	if d.By != "" {
		out = append(out, letter.Detail{Label: v.say("label-by"), Value: v.say("by-" + string(d.By))})
	}
	out = append(out, letter.Detail{Label: v.say("label-at"), Value: formatTime(d.At, v.locale, d.TimeZone)})
	if !d.Until.IsZero() {
		out = append(out, letter.Detail{Label: v.say("label-until"), Value: v.facts.Until})
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
	Self, LastNotice, Inactive, NoPassword                      bool
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
		Self: d.By == BySelf, LastNotice: d.LastNotice, Inactive: d.Inactive, NoPassword: d.NoPassword,
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
