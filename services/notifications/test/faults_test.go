package test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/mail/mailtest"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/notifications/api"
	users "github.com/atrium-mesh/atrium/services/users/api"
)

// TestKilledAfterTheServerAccepted kills the process when a mail of its own is out and its row does not say so yet. A mail with a link is
// sent by auth, which then remembers that it was.
func TestKilledAfterTheServerAccepted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	accepted, killed := make(chan struct{}), make(chan struct{})
	w.smtp.Refuse(func(stage mailtest.Stage, attempt int, _ mailtest.Mail) error {
		if stage == mailtest.Done && attempt == 1 {
			close(accepted)
			<-killed
		}
		return nil
	})
	c := newChild(w)
	c.start()
	ada := w.known("Ada")[0]
	publish(t.Context(), t, w.auth, auth.AccountVerified, ada.id, auth.AccountVerifiedData{AccountID: ada.id, At: time.Now()})
	<-accepted
	c.kill()
	close(killed)
	require.EqualValues(t, 1, w.count("SELECT count(*) FROM deliveries WHERE state = 'sending'"))

	c.start() // it takes back what it was doing
	mails := w.smtp.Wait(2, soon)
	require.Equal(t, mails[0].Header.Get("Message-ID"), mails[1].Header.Get("Message-ID"), "both can be recognised as the same mail")
	require.Equal(t, mails[0].Link(), mails[1].Link())
	w.eventually(func() bool {
		return w.count("SELECT count(*) FROM deliveries WHERE state = 'sent' AND attempts = 2") == 1
	}, "it is settled")
	require.EqualValues(t, 1, w.count("SELECT count(*) FROM deliveries WHERE recipient_id = $1", ada.id))
}

// TestKilledFanOut kills the process in the middle of a send to many.
func TestKilledFanOut(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	const everybody = 4000
	_, err := w.db.Exec(t.Context(), `INSERT INTO recipients (id, email, verified_at) SELECT gen_random_uuid(), n || '@example.com', now() FROM generate_series(1, $1) n`, everybody)
	require.NoError(t, err)
	c := newChild(w)
	c.start()
	admin := w.issuer.SignAdmin(newID(t).String())
	var send api.NotificationSend
	w.eventually(func() bool {
		got := call(t, http.MethodPost, c.url()+"/api/v1/notifications", admin, map[string]any{
			"to": map[string]any{"everyone": true}, "category": "product", "title": "News", "body": "All is well.",
		}, "Idempotency-Key", "once")
		if got.status == http.StatusAccepted {
			got.into(t, &send)
		}
		return got.status == http.StatusAccepted
	}, "the send is accepted")
	kills := 0
	for told := int64(0); told < everybody; {
		before := told
		w.eventually(func() bool {
			told = w.count("SELECT count(*) FROM notifications")
			return told > before || told == everybody
		}, "it goes on")
		if kills < 3 && told < everybody {
			kills++
			c.kill()
			c.start()
		}
	}
	t.Logf("killed %d times", kills)
	require.Positive(t, kills)
	done := w.finished(c.url(), admin, send.ID.String())
	require.Equal(t, api.SendCounts{Recipients: everybody, Notified: everybody, Mailed: everybody}, done.Counts)
	require.EqualValues(t, everybody, w.count("SELECT count(DISTINCT recipient_id) FROM notifications"))
	require.EqualValues(t, everybody, w.count("SELECT count(*) FROM notifications"))
	require.EqualValues(t, everybody, w.count("SELECT count(DISTINCT recipient_id) FROM deliveries"))
	require.EqualValues(t, everybody, w.count("SELECT count(*) FROM outbox"))
	require.EqualValues(t, everybody, w.count("SELECT count(*) FROM river_job WHERE kind = 'deliver'"))
	require.Zero(t, w.count("SELECT count(*) FROM recipients WHERE last_seq <> 1"))
}

// TestKilledAtRandom kills the process again and again while people sign up and change their profiles.
func TestKilledAtRandom(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	c := newChild(w)
	c.start()
	const people = 60
	done := make(chan []person)
	go func() {
		var signedUp []person
		for n := range people {
			p := w.signUp(t.Context(), fmt.Sprintf("Person-%d", n))
			publish(t.Context(), t, w.users, users.UserUpdated, p.id, users.UserUpdatedData{
				UserID: p.id, Version: 2, Email: p.email, FullName: "Renamed", Locale: "de", TimeZone: "Europe/Vienna",
			})
			signedUp = append(signedUp, p)
		}
		done <- signedUp
	}()
	for range 4 {
		wait := time.NewTimer(50*time.Millisecond + rand.N(300*time.Millisecond))
		<-wait.C
		c.kill()
		c.start()
	}
	<-done
	w.eventually(func() bool { return w.count("SELECT count(*) FROM deliveries WHERE state = 'sent'") == people }, "every mail is sent")
	w.eventually(func() bool { return w.count("SELECT count(*) FROM inbox") == 2*people }, "every event is handled")
	require.EqualValues(t, people, w.count("SELECT count(*) FROM recipients WHERE full_name = 'Renamed' AND time_zone = 'Europe/Vienna'"))
	require.EqualValues(t, people, w.count("SELECT count(*) FROM deliveries"))
	require.Zero(t, w.count("SELECT count(*) FROM dead_letters"))
	ids := map[string]string{} // by address: one mail in effect, however often it was sent
	for _, m := range w.smtp.Mails() {
		if id, seen := ids[m.EnvelopeTo]; seen {
			require.Equal(t, id, m.Header.Get("Message-ID"))
		}
		ids[m.EnvelopeTo] = m.Header.Get("Message-ID")
	}
	require.Len(t, ids, people)
}

// TestOutages takes the SMTP server and NATS away and brings them back.
//
//nolint:paralleltest // the steps of one story, in order
func TestOutages(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	svc := w.start()
	ada := w.known("Ada")[0]
	token := w.issuer.SignUser(ada.id.String())

	t.Run("no SMTP server", func(t *testing.T) {
		w.smtp.Refuse(func(mailtest.Stage, int, mailtest.Mail) error { return mailtest.Refusal(421) })
		grace := w.signUp(t.Context(), "Grace")
		w.only(svc.URL, grace, api.DeliveryFailing)
		report, err := svc.Ready(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, "ok", report.Status, "a mail server that is away is not our absence")
		w.smtp.Refuse(nil)
		w.only(svc.URL, grace, api.DeliverySent)
	})

	t.Run("no NATS", func(t *testing.T) {
		w.nats.Stop()
		svc.WaitUnready(t, "nats")
		require.Equal(t, http.StatusOK, call(t, http.MethodGet, svc.URL+"/api/v1/notifications", token, nil).status, "reading needs none")
		edsger := w.signUp(t.Context(), "Edsger")
		w.nats.Start()
		svc.WaitReady(t)
		w.only(svc.URL, edsger, api.DeliverySent)
		f := openWebSocket(t, svc.URL, token, "")
		f.unread()
		w.send(svc.URL, "live again", ada)
		require.Equal(t, "live again", f.title())
	})
}
