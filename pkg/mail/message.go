package mail

import (
	"fmt"
	"net/mail"
	"strings"

	gomail "github.com/wneessen/go-mail"
)

// Message is a mail to one person.
type Message struct {
	ID             string // of the delivery; the Message-ID is made of it, so that every attempt has the same
	To             string // an address
	Locale         string // Content-Language
	Subject        string // one line
	Text           string
	HTML           string
	UnsubscribeURL string // "" for what cannot be turned off
}

// compose makes the mail as it is sent (RFC 5322), with what tells other programs that no person wrote it (RFC 3834) and how to
// unsubscribe with one click (RFC 8058).
func (s *Sender) compose(m Message) (*gomail.Msg, error) {
	to, err := mail.ParseAddress(m.To)
	if err != nil || to.Address != m.To {
		return nil, &Error{Reason: ReasonAddressInvalid, cause: err}
	}
	msg := gomail.NewMsg(gomail.WithNoDefaultUserAgent())
	msg.FromMailAddress(s.from)
	msg.ToMailAddress(to)
	msg.Subject(m.Subject)
	msg.SetDateWithValue(s.clock())
	msg.SetMessageIDWithValue(s.MessageID(m.ID))
	msg.SetGenHeader("Auto-Submitted", "auto-generated")
	msg.SetGenHeader("X-Auto-Response-Suppress", "All")
	if m.Locale != "" {
		msg.SetGenHeader("Content-Language", m.Locale)
	}
	if m.UnsubscribeURL != "" {
		msg.SetGenHeaderPreformatted("List-Unsubscribe", "<"+m.UnsubscribeURL+">")
		msg.SetGenHeaderPreformatted("List-Unsubscribe-Post", "List-Unsubscribe=One-Click")
	}
	msg.SetBodyString(gomail.TypeTextPlain, m.Text)
	msg.AddAlternativeString(gomail.TypeTextHTML, m.HTML)
	return msg, nil
}

// MessageID is the Message-ID of a delivery, without angle brackets. It is the same for every attempt, so that a mail which was accepted
// and is sent again, because the process died before it could say so, can be recognised.
func (s *Sender) MessageID(delivery string) string {
	_, domain, _ := strings.Cut(s.from.Address, "@")
	return fmt.Sprintf("%s@%s", delivery, domain)
}
