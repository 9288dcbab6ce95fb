package mail_test

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"github.com/atrium-mesh/atrium/pkg/mail"
	"github.com/atrium-mesh/atrium/pkg/mail/mailtest"
	"github.com/atrium-mesh/atrium/pkg/telemetry/telemetrytest"
)

func config(server *mailtest.Server) mail.Config {
	return mail.Config{URL: server.URL(), CAFile: server.CAFile, From: "Atrium <no-reply@mail.example.com>", Timeout: 5 * time.Second}
}

func newSender(t *testing.T, c mail.Config) *mail.Sender {
	t.Helper()
	sender, err := mail.NewSender(c, noop.NewTracerProvider(), time.Now)
	require.NoError(t, err)
	require.NoError(t, sender.Start(t.Context()))
	t.Cleanup(func() { require.NoError(t, sender.Stop(t.Context())) })
	return sender
}

func message(id string) mail.Message {
	return mail.Message{
		ID: id, To: "ada@example.com", Locale: "de", Subject: "Bestätigen Sie Ihre Adresse", Text: "Grüße\n\nAda\n", HTML: "<p>Grüße</p>",
		UnsubscribeURL: "https://app.example.com/api/v1/notifications/unsubscribe?token=" + strings.Repeat("a", 80),
	}
}

func TestSend(t *testing.T) {
	t.Parallel()

	for name, opts := range map[string]mailtest.Options{
		"plain":                 {},
		"starttls with sign-in": {TLS: "starttls", Username: "atrium", Password: "s3cret"},
		"tls with sign-in":      {TLS: "tls", Username: "atrium", Password: "s3cret"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := mailtest.New(t, opts)
			sender := newSender(t, config(server))
			require.NoError(t, sender.Send(t.Context(), message("d1")))
			got := server.Wait(1, time.Second)[0]
			require.Equal(t, "no-reply@mail.example.com", got.EnvelopeFrom)
			require.Equal(t, "ada@example.com", got.EnvelopeTo)
			require.Equal(t, "Bestätigen Sie Ihre Adresse", got.Subject)
			require.Equal(t, "Grüße\n\nAda\n", strings.TrimRight(got.Text, "\n")+"\n")
			require.Contains(t, got.HTML, "<p>Grüße</p>")
		})
	}

	t.Run("the header says what programs must know", func(t *testing.T) {
		t.Parallel()
		server := mailtest.New(t, mailtest.Options{})
		require.NoError(t, newSender(t, config(server)).Send(t.Context(), message("d1")))
		h := server.Wait(1, time.Second)[0].Header
		require.Equal(t, "<d1@mail.example.com>", h.Get("Message-ID"))
		require.Equal(t, "auto-generated", h.Get("Auto-Submitted"))
		require.Equal(t, "<"+message("").UnsubscribeURL+">", h.Get("List-Unsubscribe"))
		require.Equal(t, "List-Unsubscribe=One-Click", h.Get("List-Unsubscribe-Post"))
		require.Equal(t, "de", h.Get("Content-Language"))
		_, err := h.Date()
		require.NoError(t, err)
	})

	t.Run("a subject keeps its joiners", func(t *testing.T) {
		t.Parallel()
		server := mailtest.New(t, mailtest.Options{})
		m := message("d1")
		m.Subject = "علی\u200cرضا شর্\u200dমা 👩\u200d👧"
		require.NoError(t, newSender(t, config(server)).Send(t.Context(), m))
		require.Equal(t, m.Subject, server.Wait(1, time.Second)[0].Subject)
	})

	t.Run("nothing to unsubscribe from, no such field", func(t *testing.T) {
		t.Parallel()
		server := mailtest.New(t, mailtest.Options{})
		m := message("d1")
		m.UnsubscribeURL = ""
		require.NoError(t, newSender(t, config(server)).Send(t.Context(), m))
		require.Empty(t, server.Wait(1, time.Second)[0].Header.Get("List-Unsubscribe"))
	})

	t.Run("connections are used again, and replaced when the server hung up", func(t *testing.T) {
		t.Parallel()
		server := mailtest.New(t, mailtest.Options{})
		sender := newSender(t, config(server))
		for range 3 {
			require.NoError(t, sender.Send(t.Context(), message("d")))
		}
		require.Equal(t, 1, server.Sessions())
		server.HangUp()
		require.NoError(t, sender.Send(t.Context(), message("d")))
		require.Len(t, server.Mails(), 4)
		require.Equal(t, 2, server.Sessions())
	})

	t.Run("a connection is not used for ever", func(t *testing.T) {
		t.Parallel()
		server := mailtest.New(t, mailtest.Options{})
		sender := newSender(t, config(server))
		for range 150 {
			require.NoError(t, sender.Send(t.Context(), message("d")))
		}
		require.Equal(t, 2, server.Sessions())
	})

	t.Run("it is a client span without addresses", func(t *testing.T) {
		t.Parallel()
		recorder := telemetrytest.New(t)
		server := mailtest.New(t, mailtest.Options{})
		sender, err := mail.NewSender(config(server), recorder.Telemetry("notifications").Tracer, time.Now)
		require.NoError(t, err)
		require.NoError(t, sender.Send(t.Context(), message("d1")))
		require.NoError(t, sender.Stop(t.Context()))
		spans := recorder.Spans()
		require.Len(t, spans, 1)
		require.Equal(t, "smtp send", spans[0].Name)
		require.Equal(t, trace.SpanKindClient, spans[0].SpanKind)
		for _, attr := range spans[0].Attributes {
			require.NotContains(t, attr.Value.String(), "ada@")
		}
	})
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name      string
		stage     mailtest.Stage
		code      int
		reason    string
		temporary bool
	}{
		{"greylisted", mailtest.Address, 451, mail.ReasonBusy, true},
		{"no such address", mailtest.Address, 550, mail.ReasonAddressRefused, false},
		{"sender not allowed", mailtest.Sender, 553, mail.ReasonSenderRefused, false},
		{"message refused", mailtest.Content, 554, mail.ReasonMessageRefused, false},
		{"no space", mailtest.Content, 452, mail.ReasonBusy, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			server := mailtest.New(t, mailtest.Options{})
			server.Refuse(func(stage mailtest.Stage, attempt int, _ mailtest.Mail) error {
				if stage == c.stage && attempt == 1 {
					return mailtest.Refusal(c.code)
				}
				return nil
			})
			sender := newSender(t, config(server))
			err := sender.Send(t.Context(), message("d1"))
			failed, ok := errors.AsType[*mail.Error](err)
			require.True(t, ok, "%v", err)
			require.Equal(t, c.reason, failed.Reason)
			require.Equal(t, c.temporary, failed.Temporary)
			require.Regexp(t, `^\d{3} \d\.1\.1$`, failed.Detail)
			require.NotContains(t, err.Error(), "ada@example.com")

			require.NoError(t, sender.Send(t.Context(), message("d1")), "the next attempt is not troubled by the last")
			require.Len(t, server.Mails(), 1)
		})
	}

	t.Run("nobody listens", func(t *testing.T) {
		t.Parallel()
		c := mail.Config{URL: "smtp://127.0.0.1:1?tls=none", From: "a@b.example", Timeout: time.Second}
		requireTemporary(t, newSender(t, c), mail.ReasonUnreachable)
	})

	t.Run("the server says nothing", func(t *testing.T) {
		t.Parallel()
		listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
		require.NoError(t, err)
		t.Cleanup(func() { _ = listener.Close() })
		c := mail.Config{URL: "smtp://" + listener.Addr().String() + "?tls=none", From: "a@b.example", Timeout: 50 * time.Millisecond}
		requireTemporary(t, newSender(t, c), mail.ReasonUnreachable)
	})

	t.Run("wrong password", func(t *testing.T) {
		t.Parallel()
		server := mailtest.New(t, mailtest.Options{TLS: "starttls", Username: "atrium", Password: "s3cret"})
		c := config(server)
		c.URL = strings.Replace(c.URL, "s3cret", "guess", 1)
		requireTemporary(t, newSender(t, c), mail.ReasonNotLetIn)
	})

	t.Run("a password is not sent in the clear", func(t *testing.T) {
		t.Parallel()
		server := mailtest.New(t, mailtest.Options{Username: "atrium", Password: "s3cret"})
		requireTemporary(t, newSender(t, config(server)), mail.ReasonNotLetIn)
	})

	t.Run("no TLS where it is required", func(t *testing.T) {
		t.Parallel()
		server := mailtest.New(t, mailtest.Options{})
		c := config(server)
		c.URL = strings.TrimSuffix(c.URL, "?tls=none")
		requireTemporary(t, newSender(t, c), mail.ReasonNotLetIn)
		require.Empty(t, server.Mails())
	})

	t.Run("a certificate that nobody vouches for", func(t *testing.T) {
		t.Parallel()
		server := mailtest.New(t, mailtest.Options{TLS: "tls"})
		c := config(server)
		c.CAFile = ""
		requireTemporary(t, newSender(t, c), mail.ReasonNotLetIn)
	})

	t.Run("not an address", func(t *testing.T) {
		t.Parallel()
		server := mailtest.New(t, mailtest.Options{})
		for _, to := range []string{"", "nobody", "Ada <ada@example.com>", "ada@example.com\r\nBcc: eve@example.com"} {
			m := message("d1")
			m.To = to
			failed, ok := errors.AsType[*mail.Error](newSender(t, config(server)).Send(t.Context(), m))
			require.True(t, ok)
			require.Equal(t, mail.ReasonAddressInvalid, failed.Reason)
			require.False(t, failed.Temporary)
		}
	})
}

func requireTemporary(t *testing.T, sender *mail.Sender, reason string) {
	t.Helper()
	failed, ok := errors.AsType[*mail.Error](sender.Send(t.Context(), message("d1")))
	require.True(t, ok)
	require.Equal(t, reason, failed.Reason, "%v", failed.Unwrap())
	require.True(t, failed.Temporary)
}

func TestConfig(t *testing.T) {
	t.Parallel()
	valid := mail.Config{Host: "smtp.example.com", TLS: "starttls", From: "Atrium <a@example.com>", Timeout: time.Second}
	require.NoError(t, valid.Validate())
	for name, broken := range map[string]func(*mail.Config){
		"SMTP_HOST":    func(c *mail.Config) { c.Host = "" },
		"SMTP_TLS":     func(c *mail.Config) { c.TLS = "maybe" },
		"SMTP_PORT":    func(c *mail.Config) { c.Port = 70000 },
		"SMTP_URL":     func(c *mail.Config) { c.URL = "http://example.com" },
		"MAIL_FROM":    func(c *mail.Config) { c.From = "nobody" },
		"SMTP_TIMEOUT": func(c *mail.Config) { c.Timeout = time.Hour },
		"SMTP_CA_FILE": func(c *mail.Config) { c.CAFile = "nowhere.pem" },
	} {
		c := valid
		broken(&c)
		require.ErrorContains(t, c.Validate(), "", name)
		_, err := mail.NewSender(c, noop.NewTracerProvider(), time.Now)
		require.Error(t, err, name)
	}
}
