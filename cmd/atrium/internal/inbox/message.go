package inbox

import "time"

// Message is one mail as one recipient got it: a mail sent to two people is two messages.
type Message struct {
	// ID is a UUIDv7: messages sort by it in the order they arrived.
	ID string `json:"id"`
	// MessageID is the Message-ID header without angle brackets. A delivery that is tried again carries the same one.
	MessageID string `json:"message_id,omitempty"`
	// To is the address of the one envelope recipient.
	To string `json:"to"`
	// From is the bare address of the From header, or the envelope's sender when there is none.
	From string `json:"from"`
	// FromName is the display name in the From header.
	FromName string `json:"from_name,omitempty"`
	Subject  string `json:"subject"`
	Text     string `json:"text"`
	HTML     string `json:"html"`
	// Headers are the top-level ones, decoded, in the order of the mail.
	Headers     []Header     `json:"headers,omitempty"`
	Attachments []Attachment `json:"attachments,omitempty"`
	// Size is the number of bytes received for the whole mail.
	Size       int       `json:"size"`
	ReceivedAt time.Time `json:"received_at"`
}

// Header is one decoded header field.
type Header struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// Attachment describes an attached file; its content is not kept.
type Attachment struct {
	Filename    string `json:"filename"`
	ContentType string `json:"content_type"`
	Size        int    `json:"size"`
}

// Header returns the first value of a header field, or "".
func (m Message) Header(name string) string {
	for _, h := range m.Headers {
		if equalFold(h.Name, name) {
			return h.Value
		}
	}
	return ""
}
