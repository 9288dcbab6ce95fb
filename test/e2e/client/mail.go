package client

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The subjects of the mails, in English.
const (
	SubjectVerification    = "Confirm your e-mail address"
	SubjectWelcome         = "Welcome to"
	SubjectInvitation      = "You are invited to"
	SubjectReset           = "Choose a new password"
	SubjectAccountExists   = "You already have an account"
	SubjectPasswordChanged = "Your password was changed"
	SubjectNewDevice       = "New sign-in to your account"
	SubjectCompromised     = "We have ended a session of yours"
)

// Mail is one that the inbox has.
type Mail struct {
	ID         string    `json:"id"`
	MessageID  string    `json:"message_id"`
	To         string    `json:"to"`
	From       string    `json:"from"`
	Subject    string    `json:"subject"`
	Text       string    `json:"text"`
	HTML       string    `json:"html"`
	ReceivedAt time.Time `json:"received_at"`
}

var link = regexp.MustCompile(`https?://[^\s<>"]+[?&]token=([\w.~%-]+)`)

// Link is the address of the page that the mail's link leads to.
func (m Mail) Link(t testing.TB) *url.URL {
	t.Helper()
	found := link.FindString(m.Text)
	require.NotEmpty(t, found, "no link in %q: %s", m.Subject, m.Text)
	u, err := url.Parse(found)
	require.NoError(t, err)
	return u
}

// Token is what the mail's link carries.
func (m Mail) Token(t testing.TB) string {
	t.Helper()
	return m.Link(t).Query().Get("token")
}

// ReadMail waits for a mail to somebody whose subject has this text, the newest when there are several, and checks that it is fit to
// be sent: text and HTML with the same link.
func (c *Client) ReadMail(to, subject string) Mail {
	c.t.Helper()
	return c.ReadMailAfter(to, subject, "")
}

// ReadMailAfter is ReadMail for what came after a mail with this id.
func (c *Client) ReadMailAfter(to, subject, after string) Mail {
	c.t.Helper()
	deadline := time.Now().Add(Within)
	seen := []string{}
	for time.Now().Before(deadline) {
		mails, err := c.Mails(c.t.Context(), to, after, time.Until(deadline))
		require.NoError(c.t, err)
		for _, m := range slices.Backward(mails) {
			after = max(after, m.ID)
			seen = append(seen, m.Subject)
			if strings.Contains(m.Subject, subject) {
				c.checkMail(m, to)
				return m
			}
		}
	}
	require.Fail(c.t, "no such mail", "want %q; there were %q", subject, seen)
	return Mail{}
}

func (c *Client) checkMail(m Mail, to string) {
	c.t.Helper()
	require.True(c.t, strings.EqualFold(to, m.To))
	require.NotEmpty(c.t, m.MessageID)
	require.NotEmpty(c.t, m.From)
	require.NotEmpty(c.t, m.HTML)
	if found := link.FindStringSubmatch(m.Text); found != nil {
		require.Contains(c.t, m.HTML, found[1], "text and HTML have the same link")
		require.True(c.t, strings.HasPrefix(found[0], c.issuer+"/"), "the link leads to the gateway: %s", found[0])
	}
}

// Mails lists the mails to somebody ("" is everybody), newest last, and waits for a first one.
func (c *Client) Mails(ctx context.Context, to, after string, wait time.Duration) ([]Mail, error) {
	query := url.Values{"to": {to}, "since": {after}, "wait": {max(0, wait).Round(time.Millisecond).String()}}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Inbox+"/dev/inbox/messages?"+query.Encode(), http.NoBody)
	if err != nil {
		return nil, err
	}
	client := &http.Client{Transport: c.http.Transport, Timeout: wait + timeout}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the inbox answered %s", response.Status)
	}
	var list struct{ Items []Mail }
	return list.Items, json.NewDecoder(response.Body).Decode(&list)
}

// CountMails is how many mails with such a subject somebody has got so far.
func (c *Client) CountMails(to, subject string) int {
	c.t.Helper()
	mails, err := c.Mails(c.t.Context(), to, "", 0)
	require.NoError(c.t, err)
	n := 0
	for _, m := range mails {
		if strings.Contains(m.Subject, subject) {
			n++
		}
	}
	return n
}
