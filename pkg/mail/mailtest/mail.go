package mailtest

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"regexp"
	"strings"
)

// Mail is what the server accepted.
type Mail struct {
	EnvelopeFrom string
	EnvelopeTo   string
	Raw          string
	Header       mail.Header
	Subject      string
	Text         string
	HTML         string
}

func (m *Mail) parse(raw string) error {
	m.Raw = raw
	message, err := mail.ReadMessage(strings.NewReader(raw))
	if err != nil {
		return fmt.Errorf("read the message: %w", err)
	}
	m.Header = message.Header
	if m.Subject, err = new(mime.WordDecoder).DecodeHeader(message.Header.Get("Subject")); err != nil {
		return fmt.Errorf("read the subject: %w", err)
	}
	kind, params, err := mime.ParseMediaType(message.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		return fmt.Errorf("content type %q: %w", kind, errors.Join(err, errors.ErrUnsupported))
	}
	parts := multipart.NewReader(message.Body, params["boundary"])
	for {
		part, err := parts.NextRawPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read a part: %w", err)
		}
		body, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			return fmt.Errorf("decode a part: %w", err)
		}
		text := strings.ReplaceAll(string(body), "\r\n", "\n")
		if strings.HasPrefix(part.Header.Get("Content-Type"), "text/html") {
			m.HTML = text
			continue
		}
		m.Text = text
	}
}

var link = regexp.MustCompile(`https?://\S+`)

// Link is the first link of the text, or "".
func (m Mail) Link() string { return link.FindString(m.Text) }
