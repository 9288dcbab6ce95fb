package test

import (
	"encoding/json"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"github.com/atrium-mesh/atrium/pkg/config"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/mail"
	"github.com/atrium-mesh/atrium/pkg/mail/letter"
	"github.com/atrium-mesh/atrium/pkg/mail/mailtest"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/request"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/letters"
)

func (m *mesh) announce(t testing.TB, in *api.SendLinkRequest) (*api.AnnounceLinkResponse, error) {
	t.Helper()
	return op.NATSClient(m.by("notifications"), api.AnnounceLink)(t.Context(), &in.AnnounceLinkRequest)
}

// addressee is somebody who has a use for a link of a purpose.
func (m *mesh) addressee(t testing.TB, purpose api.LinkPurpose, email string) uuid.UUID {
	t.Helper()
	switch purpose {
	case api.LinkVerifyEmail:
		return m.register(t, email)
	case api.LinkInvitation:
		id := uuid.Must(uuid.NewV7())
		_, boss := m.as(t, api.RoleAdmin)
		_, err := op.NATSClient(m.by("users"), api.CreateAccount)(request.WithToken(t.Context(), boss.token), &api.CreateAccountRequest{
			ID: id, Email: email, FullName: "Grace Hopper",
		})
		require.NoError(t, err)
		return id
	default:
		return m.person(t, email)
	}
}

// TestSendLink: a mail of each purpose goes to the address that auth has, with the link that the page takes, and what auth answers holds
// neither the link nor its token.
func TestSendLink(t *testing.T) {
	t.Parallel()
	m := setup(t, config.Source{"LINK_BASE_URL": "https://app.atrium.test", "PRODUCT_NAME": "Acme", "PRODUCT_URL": "https://acme.test"})
	for purpose, page := range map[api.LinkPurpose]string{
		api.LinkVerifyEmail:   api.VerifyEmailPage.Path,
		api.LinkResetPassword: api.ResetPasswordPage.Path,
		api.LinkInvitation:    api.AcceptInvitationPage.Path,
		api.LinkNotMe:         api.NotMePage.Path,
	} {
		t.Run(string(purpose), func(t *testing.T) {
			t.Parallel()
			email := strings.ReplaceAll(string(purpose), "_", "-") + "@example.com"
			id := m.addressee(t, purpose, email)
			m.cause(t, id, purpose)
			in := m.mailTo(t, id, purpose)
			announced, err := m.announce(t, in)
			require.NoError(t, err)
			require.True(t, announced.ExpiresAt.After(time.Now()))
			sent, err := m.send(t, in)
			require.NoError(t, err)
			require.Equal(t, &api.SendLinkResponse{Email: email}, sent)

			mail := m.mailOf(t, in.DeliveryID)
			require.Equal(t, email, mail.EnvelopeTo)
			require.Equal(t, "no-reply@atrium.test", mail.EnvelopeFrom)
			require.Equal(t, in.Letter.Subject, mail.Subject)
			require.Equal(t, "en", mail.Header.Get("Content-Language"))
			require.Empty(t, mail.Header.Get("List-Unsubscribe"))
			require.True(t, strings.HasPrefix(mail.Link(), "https://app.atrium.test"+page+"?token="), mail.Link())
			require.Equal(t, purpose == api.LinkVerifyEmail, strings.Contains(mail.Text, "\nIt was not me:\nhttps://app.atrium.test"+api.DisownPage.Path+"?token="))
			require.Contains(t, mail.HTML, `href="https://acme.test"`)
			require.Contains(t, mail.Text, "Acme")
			token := tokenOf(t, mail.Link())
			for _, answer := range []any{announced, sent} {
				said, err := json.Marshal(answer)
				require.NoError(t, err)
				for _, secret := range []string{token, "token", "http", page} {
					require.NotContains(t, string(said), secret)
				}
			}
			said, err := json.Marshal(announced)
			require.NoError(t, err)
			require.NotContains(t, string(said), "@", "nor where the mail goes")
		})
	}
}

// TestSendLink_once: what was accepted is not sent again, whatever is asked; what was not is, with the same link and the same Message-ID.
func TestSendLink_once(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	id := m.person(t, "ada@example.com")
	m.cause(t, id, api.LinkResetPassword)
	in := m.mailTo(t, id, api.LinkResetPassword)
	refused := make(chan mailtest.Mail, 2)
	m.smtp.Refuse(func(stage mailtest.Stage, _ int, mail mailtest.Mail) error {
		if stage != mailtest.Content || len(refused) == 2 {
			return nil
		}
		refused <- mail
		return mailtest.Refusal([]int{0, 451, 554}[len(refused)])
	})
	before := len(m.smtp.Mails())
	for _, want := range []api.MailRefusal{
		{Reason: mail.ReasonBusy, Detail: "451 4.1.1", Temporary: true}, {Reason: mail.ReasonMessageRefused, Detail: "554 5.1.1"},
	} {
		out, err := m.send(t, in)
		require.NoError(t, err, "a refusal is a fact about the mail")
		require.Equal(t, &api.SendLinkResponse{Email: "ada@example.com", Refused: &want}, out)
	}
	for range 3 {
		out, err := m.send(t, in)
		require.NoError(t, err)
		require.Equal(t, &api.SendLinkResponse{Email: "ada@example.com"}, out)
	}
	require.Len(t, m.smtp.Mails(), before+1)
	sent := m.mailOf(t, in.DeliveryID)
	close(refused)
	for other := range refused {
		require.Equal(t, sent.Link(), other.Link())
		require.Equal(t, sent.Header.Get("Message-ID"), other.Header.Get("Message-ID"))
	}

	again := m.mailTo(t, id, api.LinkResetPassword)
	_, err := m.send(t, again)
	require.Equal(t, "link_not_asked_for", errs.From(err).Code, "one cause, one mail")
	m.client(t).post("/api/v1/auth/password/reset", object{"token": tokenOf(t, sent.Link()), "password": otherPassword}).want(t, 204)
	_, err = m.send(t, in)
	require.Equal(t, "link_not_needed", errs.From(err).Code, "it was used")
	_, err = m.announce(t, in)
	require.Equal(t, "link_not_needed", errs.From(err).Code)
}

// TestSendLink_at_once: one delivery that is asked for many times at once is one mail.
func TestSendLink_at_once(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	id := m.person(t, "ada@example.com")
	m.cause(t, id, api.LinkNotMe)
	in, caller := m.mailTo(t, id, api.LinkNotMe), m.by("notifications")
	var wg sync.WaitGroup
	failures := make(chan error, 20)
	for range cap(failures) {
		wg.Go(func() {
			if _, err := op.NATSClient(caller, api.SendLink)(t.Context(), in); err != nil {
				failures <- err
			}
		})
	}
	wg.Wait()
	close(failures)
	for err := range failures {
		require.Equal(t, "mails_under_way", errs.From(err).Code)
	}
	require.Contains(t, m.mailOf(t, in.DeliveryID).Text, "token=")
}

// TestSendLink_refuses what is no letter, and what nothing has caused; nothing is sent.
func TestSendLink_refuses(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	id := m.person(t, "ada@example.com")
	before := len(m.smtp.Mails())
	m.cause(t, id, api.LinkNotMe)
	for name, spoil := range map[string]func(*letter.Letter){
		"two lines":    func(l *letter.Letter) { l.Subject = "a\r\nBcc: eve@evil.example" },
		"an override":  func(l *letter.Letter) { l.Intro[0] = "a\u202eb" },
		"paragraphs":   func(l *letter.Letter) { l.Outro = make([]string, 9) },
		"long":         func(l *letter.Letter) { l.Greeting = strings.Repeat("x", 100_000) },
		"no language":  func(l *letter.Letter) { l.Locale = `"><img src=x>` },
		"other labels": func(l *letter.Letter) { l.Details = []letter.Detail{{Label: "a\nb"}} },
	} {
		in := m.mailTo(t, id, api.LinkNotMe)
		spoil(&in.Letter)
		_, err := m.send(t, in)
		require.ErrorIs(t, err, errs.Invalid, name)
		require.True(t, strings.HasPrefix(errs.From(err).Fields[0].Field, "body.letter"), name)
	}
	for _, purpose := range []api.LinkPurpose{api.LinkResetPassword, api.LinkVerifyEmail, api.LinkInvitation, api.LinkSetup, "fun"} {
		_, err := m.send(t, m.mailTo(t, id, purpose))
		require.Error(t, err, purpose)
	}
	require.Len(t, m.smtp.Mails(), before)
	_, err := m.send(t, m.mailTo(t, id, api.LinkNotMe))
	require.NoError(t, err, "a letter that is refused takes no cause")
}

// TestSendLink_hostile: whoever holds the credentials of notifications writes the letter. The link stands in its own places alone, and
// opening the mail tells nobody anything.
func TestSendLink_hostile(t *testing.T) {
	t.Parallel()
	m := setup(t, config.Source{"LINK_BASE_URL": "https://app.atrium.test", "PRODUCT_URL": "https://acme.test"})
	for n, words := range []string{
		`<img src='https://evil.example/?`, `<a href="https://evil.example/?`, `"><a href=https://evil.example/?`, `' onload='//evil.example`, `<!--`,
		`<base href="https://evil.example/">`, `</title><style>@import 'https://evil.example/?`, `<textarea>`, `<plaintext>`, `{{.Links.Action}}`,
	} {
		id := m.person(t, "p"+string(rune('a'+n))+"@example.com")
		m.cause(t, id, api.LinkResetPassword)
		in := m.mailTo(t, id, api.LinkResetPassword)
		in.Letter = letter.Letter{
			Locale: "en", Subject: words, Greeting: words, Intro: []string{words, words}, Details: []letter.Detail{{Label: words, Value: words}},
			Action: words, LinkHelp: words, Outro: []string{words}, Other: words, Why: words, Unsubscribe: words,
		}
		out, err := m.send(t, in)
		require.NoError(t, err)
		require.Nil(t, out.Refused)
		mail := m.mailOf(t, in.DeliveryID)
		link := mail.Link()
		for line := range strings.Lines(mail.Text) {
			if strings.Contains(line, "token=") {
				link = strings.TrimSuffix(line, "\n")
			}
		}
		require.Regexp(t, `^https://app\.atrium\.test/account/reset-password\?token=[\w-]{43}$`, link, "a line of its own: %s", words)
		require.Equal(t, 1, strings.Count(mail.Text, link))
		root, err := html.Parse(strings.NewReader(mail.HTML))
		require.NoError(t, err)
		var addresses []string
		for n := range root.Descendants() {
			require.NotContains(t, []string{"img", "base", "script", "form", "textarea", "plaintext", "svg", "iframe", "object", "link"}, n.Data)
			for _, attr := range n.Attr {
				require.NotContains(t, attr.Val, "evil.example", words)
				if attr.Key == "href" || attr.Key == "src" {
					addresses = append(addresses, attr.Val)
				}
			}
		}
		require.Equal(t, []string{link, link, "https://acme.test"}, addresses, words)
	}
}

// TestSendLink_mail_server_away: auth starts, is ready and works without a mail server, and says of each mail that it did not go out.
func TestSendLink_mail_server_away(t *testing.T) {
	t.Parallel()
	m := setup(t, config.Source{"SMTP_URL": "smtp://127.0.0.1:1?tls=none"})
	id := m.register(t, "ada@example.com")
	m.cause(t, id, api.LinkVerifyEmail)
	in := m.mailTo(t, id, api.LinkVerifyEmail)
	out, err := m.send(t, in)
	require.NoError(t, err)
	require.Equal(t, &api.SendLinkResponse{
		Email: "ada@example.com", Refused: &api.MailRefusal{Reason: mail.ReasonUnreachable, Temporary: true},
	}, out)
}

// TestSendLink_slow: a mail server that says nothing keeps mails waiting, a bounded number of them, and nobody else.
func TestSendLink_slow(t *testing.T) {
	t.Parallel()
	m := setup(t, nil)
	id := m.person(t, "ada@example.com")
	const many = 100 // more than are handed over at a time
	for range many {
		m.cause(t, id, api.LinkNotMe)
	}
	release, once := make(chan struct{}), sync.Once{}
	t.Cleanup(func() { once.Do(func() { close(release) }) })
	m.smtp.Refuse(func(stage mailtest.Stage, _ int, _ mailtest.Mail) error {
		if stage == mailtest.Content {
			<-release
		}
		return nil
	})
	caller := m.by("notifications")
	var wg sync.WaitGroup
	var mu sync.Mutex
	results := map[string]int{}
	for range many {
		in := m.mailTo(t, id, api.LinkNotMe)
		wg.Go(func() {
			_, err := op.NATSClient(caller, api.SendLink)(t.Context(), in)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				results[errs.From(err).Code]++
				return
			}
			results["sent"]++
		})
	}
	refused := func() int { mu.Lock(); defer mu.Unlock(); return results["mails_under_way"] }
	require.Eventually(t, func() bool { return refused() == many-letters.AtOnce }, 20*time.Second, 10*time.Millisecond)
	for range 20 {
		_, err := op.NATSClient(caller, api.ListWatermarks)(t.Context(), &api.ListWatermarksRequest{})
		require.NoError(t, err, "the breaker is closed, and auth answers")
	}
	once.Do(func() { close(release) })
	wg.Wait()
	require.Equal(t, map[string]int{"sent": letters.AtOnce, "mails_under_way": many - letters.AtOnce}, results)
}
