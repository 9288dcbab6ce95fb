package inbox

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/emersion/go-message"
	_ "github.com/emersion/go-message/charset" // decodes parts that are not UTF-8
	"github.com/emersion/go-message/mail"
)

// Parse reads a mail. It never fails: what cannot be read as a mail is kept as its text, since a sink that
// refuses a mail hides the bug that a person came to look at.
func Parse(raw []byte) Message {
	m := Message{Size: len(raw)}
	r, err := mail.CreateReader(bytes.NewReader(raw))
	if r == nil || (err != nil && !message.IsUnknownCharset(err)) {
		m.Text = valid(raw)
		return m
	}
	defer func() { _ = r.Close() }()
	parseHeader(&m, &r.Header)
	for {
		part, err := r.NextPart()
		if part == nil || (err != nil && !message.IsUnknownCharset(err)) {
			if err != nil && !errors.Is(err, io.EOF) {
				m.Text += fmt.Sprintf("\n[the rest of this mail could not be read: %v]", err)
			}
			return m
		}
		parsePart(&m, part)
	}
}

func parseHeader(m *Message, h *mail.Header) {
	if subject, err := h.Subject(); err == nil {
		m.Subject = valid([]byte(subject))
	}
	if id, err := h.MessageID(); err == nil {
		m.MessageID = valid([]byte(id))
	}
	if from, err := h.AddressList("From"); err == nil && len(from) > 0 {
		m.From, m.FromName = from[0].Address, from[0].Name
	}
	for fields := h.Fields(); fields.Next(); {
		value, err := fields.Text()
		if err != nil {
			value = fields.Value()
		}
		m.Headers = append(m.Headers, Header{Name: valid([]byte(fields.Key())), Value: valid([]byte(value))})
	}
}

func parsePart(m *Message, part *mail.Part) {
	body, err := io.ReadAll(part.Body)
	if err != nil {
		body = fmt.Appendf(body, "\n[this part could not be read: %v]", err)
	}
	switch h := part.Header.(type) {
	case *mail.InlineHeader:
		contentType, _, _ := h.ContentType()
		switch {
		case contentType == "text/html" && m.HTML == "":
			m.HTML = lines(body)
		case strings.HasPrefix(contentType, "text/") || contentType == "":
			m.Text += lines(body)
		default:
			m.Attachments = append(m.Attachments, Attachment{Filename: "inline", ContentType: contentType, Size: len(body)})
		}
	case *mail.AttachmentHeader:
		contentType, _, _ := h.ContentType()
		name, _ := h.Filename()
		m.Attachments = append(m.Attachments, Attachment{
			Filename: cmp.Or(valid([]byte(name)), "unnamed"), ContentType: contentType, Size: len(body),
		})
	}
}

// valid keeps JSON lines and pages sound: bytes that are not UTF-8 become the replacement character.
func valid(b []byte) string { return strings.ToValidUTF8(string(b), "\uFFFD") }

// lines are a text part's, which travels with CRLF (RFC 5322 section 2.3), as programs expect them.
func lines(b []byte) string { return strings.ReplaceAll(valid(b), "\r\n", "\n") }

func equalFold(a, b string) bool {
	return strings.EqualFold(strings.TrimSpace(a), strings.TrimSpace(b))
}
