package test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	auth "github.com/atrium-mesh/atrium/services/auth/api"
)

//nolint:paralleltest // the steps of one story, in order
func TestSignUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()

	tracer := w.recorder.Telemetry("gateway").Tracer.Tracer("test")
	ctx, span := tracer.Start(t.Context(), "register")
	begun := time.Now()
	ada := w.signUp(ctx, "Ada")
	span.End()
	mail := w.smtp.Wait(1, soon)[0]
	took := time.Since(begun)
	t.Logf("from the commit of the registration to the mail accepted: %s", took)
	require.Less(t, took, 2*time.Second)

	require.Equal(t, ada.email, mail.EnvelopeTo)
	require.Equal(t, "Confirm your e-mail address", mail.Subject)
	require.Contains(t, mail.Text, "Hello Ada Example,")
	require.Contains(t, mail.Link(), "https://app.atrium.test/account/verify_email?token=")
	require.Contains(t, mail.HTML, mail.Link())
	require.Contains(t, mail.Text, "I did not sign up:\nhttps://app.atrium.test/account/disown?token=x")
	require.Contains(t, mail.HTML, `href="https://app.atrium.test/account/disown?token=x"`)
	require.Empty(t, mail.Header.Get("List-Unsubscribe"), "what is locked cannot be unsubscribed from")
	require.Equal(t, "auto-generated", mail.Header.Get("Auto-Submitted"))

	t.Run("one trace leads to the SMTP server", func(t *testing.T) {
		path := []string{"gateway: register", "notifications: job deliver", "auth: send-link", "auth: smtp send"}
		require.Eventually(t, func() bool { return w.recorder.Tree(span.SpanContext().TraceID()).Has(path...) }, soon, 10*time.Millisecond,
			"%s", w.recorder.Tree(span.SpanContext().TraceID()))
		require.True(t, w.recorder.Tree(span.SpanContext().TraceID()).Has("notifications: job deliver", "auth: announce-link"))
	})

	t.Run("no personal data in spans", func(t *testing.T) {
		for _, span := range w.recorder.Spans() {
			for _, attr := range span.Attributes {
				require.NotContains(t, attr.Value.String(), "ada@", span.Name)
			}
		}
	})
}

//nolint:paralleltest // the steps of one story, in order
func TestMails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	at := time.Date(2026, 3, 2, 14, 4, 5, 0, time.UTC)
	for _, c := range []struct {
		name    string
		publish func(t *testing.T, id uuid.UUID)
		subject string
		text    []string
		inApp   string
	}{
		{"invitation", nil, "You are invited to Atrium", []string{"/account/invitation?token="}, ""},
		{"verification again", func(t *testing.T, id uuid.UUID) {
			publish(t.Context(), t, w.auth, auth.VerificationRequested, id, auth.AccountData{AccountID: id, At: at})
		}, "Confirm your e-mail address", []string{"/account/verify_email?token="}, ""},
		{"verified", func(t *testing.T, id uuid.UUID) {
			publish(t.Context(), t, w.auth, auth.AccountVerified, id, auth.AccountVerifiedData{AccountID: id, At: at})
		}, "Welcome to Atrium", []string{"https://app.atrium.test", "/notifications/unsubscribe?token="}, ""},
		{"reset", func(t *testing.T, id uuid.UUID) {
			publish(t.Context(), t, w.auth, auth.PasswordResetRequested, id, auth.AccountData{AccountID: id, At: at})
		}, "Choose a new password", []string{"/account/reset_password?token="}, ""},
		{"somebody tried to sign up", func(t *testing.T, id uuid.UUID) {
			publish(t.Context(), t, w.auth, auth.RegistrationAttempted, id, auth.RegistrationAttemptedData{
				AccountID: id, Device: "Firefox on Linux", IP: "203.0.113.7", At: at,
			})
		}, "You already have an account", []string{"/account/reset_password?token=", "Firefox on Linux", "203.0.113.7"}, ""},
		{"somebody tried to sign up where nobody can sign in", func(t *testing.T, id uuid.UUID) {
			publish(t.Context(), t, w.auth, auth.RegistrationAttempted, id, auth.RegistrationAttemptedData{AccountID: id, IP: "203.0.113.7", At: at, Closed: true})
		}, "You have an account that cannot be used", []string{"203.0.113.7", "ask those who run"}, ""},
		{"password changed", func(t *testing.T, id uuid.UUID) {
			publish(t.Context(), t, w.auth, auth.PasswordChanged, id, auth.PasswordChangedData{AccountID: id, How: "change", Device: "Firefox on Linux", IP: "203.0.113.7", At: at})
		}, "Your password was changed", []string{"/account/not_me?token=", "Firefox on Linux", "203.0.113.7", "2 March 2026, 14:04 (UTC)"}, "The password of your account was changed"},
		{"new device", func(t *testing.T, id uuid.UUID) {
			publish(t.Context(), t, w.auth, auth.SessionStarted, id, auth.SessionStartedData{AccountID: id, SessionID: newID(t), At: at})
			publish(t.Context(), t, w.auth, auth.SessionStarted, id, auth.SessionStartedData{AccountID: id, SessionID: newID(t), NewDevice: true, Device: "Safari on iOS", At: at})
		}, "New sign-in to your account", []string{"/account/not_me?token=", "Safari on iOS", "IP address: unknown"}, "Safari on iOS"},
		{"session compromised", func(t *testing.T, id uuid.UUID) {
			publish(t.Context(), t, w.auth, auth.SessionCompromised, id, auth.SessionCompromisedData{AccountID: id, SessionID: newID(t), Device: "Chrome", At: at})
		}, "We have ended a session of yours", []string{"/account/not_me?token=", "Chrome"}, "we have ended that session"},
	} {
		id := newID(t)
		email := id.String() + "@example.com"
		origin := auth.OriginInvitation
		if c.publish != nil {
			origin = auth.OriginSetup
		}
		publish(t.Context(), t, w.auth, auth.AccountRegistered, id, auth.AccountRegisteredData{
			AccountID: id, Email: email, FullName: "Grace", Locale: "en-GB", Origin: origin, Verified: c.publish != nil,
		})
		if c.publish != nil {
			c.publish(t, id)
		}
		t.Run(c.name, func(t *testing.T) {
			w.eventually(func() bool {
				return w.count("SELECT count(*) FROM deliveries WHERE recipient_id = $1 AND state = 'sent'", id) == 1
			}, "the mail is sent")
			for _, mail := range w.smtp.Mails() {
				if mail.EnvelopeTo != email {
					continue
				}
				require.Equal(t, c.subject, mail.Subject)
				for _, text := range c.text {
					require.Contains(t, mail.Text, text)
				}
			}
			require.EqualValues(t, 1, w.count("SELECT count(*) FROM deliveries WHERE recipient_id = $1", id))
			if c.inApp == "" {
				require.Zero(t, w.count("SELECT count(*) FROM notifications WHERE recipient_id = $1", id))
				return
			}
			var body, category string
			require.NoError(t, w.db.QueryRow(t.Context(), "SELECT body, category FROM notifications WHERE recipient_id = $1", id).Scan(&body, &category))
			require.Contains(t, body, c.inApp)
			require.Equal(t, "security", category)
		})
	}
}
