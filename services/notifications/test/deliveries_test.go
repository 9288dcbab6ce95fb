package test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/mail/mailtest"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/notifications/api"
	users "github.com/atrium-mesh/atrium/services/users/api"
)

// only is the one delivery to a person, with its history, once it is in a state.
func (w *world) only(url string, p person, state api.DeliveryState) api.Delivery {
	w.t.Helper()
	support, d := w.issuer.SignSupport(newID(w.t).String()), api.Delivery{}
	w.eventually(func() bool {
		var page api.DeliveryPage
		call(w.t, http.MethodGet, url+"/api/v1/deliveries?recipient_id="+p.id.String(), support, nil).into(w.t, &page)
		if len(page.Items) != 1 {
			return false
		}
		d = page.Items[0]
		return d.State == state
	}, "the delivery is "+string(state))
	call(w.t, http.MethodGet, url+"/api/v1/deliveries/"+d.ID.String(), support, nil).into(w.t, &d)
	return d
}

func states(d api.Delivery) (out []api.DeliveryState) {
	for _, s := range d.History {
		out = append(out, s.State)
	}
	return out
}

//nolint:paralleltest // the steps of one story, in order
func TestDeliveries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	svc := w.start()
	failures := make(chan *nats.Msg, 16)
	sub, err := svc.NATS.ChanSubscribe("events.notifications.delivery.failed.v1", failures)
	require.NoError(t, err)
	t.Cleanup(func() { _ = sub.Unsubscribe() })
	admin := w.issuer.SignAdmin(newID(t).String())
	replay := func(d api.Delivery) answer {
		return call(t, http.MethodPost, svc.URL+"/api/v1/deliveries/"+d.ID.String()+"/replay", admin, nil)
	}

	t.Run("sent at once", func(t *testing.T) {
		ada := w.signUp(t.Context(), "Ada")
		d := w.only(svc.URL, ada, api.DeliverySent)
		require.Equal(t, []api.DeliveryState{api.DeliveryQueued, api.DeliverySending, api.DeliverySent}, states(d))
		require.Equal(t, "verification", d.Template)
		require.Equal(t, ada.email, d.Address)
		require.NotNil(t, d.SentAt)
		got := replay(d)
		require.Equal(t, http.StatusConflict, got.status)
		require.Equal(t, "delivery_sent", got.code(t))
	})

	t.Run("refused for a moment is tried again", func(t *testing.T) {
		refusals := 0
		w.smtp.Refuse(func(stage mailtest.Stage, _ int, m mailtest.Mail) error {
			if stage == mailtest.Address && m.EnvelopeTo == "grace@example.com" && refusals < 2 {
				refusals++
				return mailtest.Refusal(451)
			}
			return nil
		})
		defer w.smtp.Refuse(nil)
		d := w.only(svc.URL, w.signUp(t.Context(), "Grace"), api.DeliverySent)
		require.EqualValues(t, 3, d.Attempts)
		require.Equal(t, []api.DeliveryState{
			api.DeliveryQueued, api.DeliverySending, api.DeliveryFailing, api.DeliverySending, api.DeliveryFailing, api.DeliverySending, api.DeliverySent,
		}, states(d))
		require.Equal(t, "server_busy", d.History[2].Reason)
		require.Equal(t, "451 4.1.1", d.History[2].Detail)
		require.Empty(t, d.Reason)
	})

	t.Run("refused for good is dead, told, and replayed", func(t *testing.T) {
		w.smtp.Refuse(func(stage mailtest.Stage, _ int, m mailtest.Mail) error {
			if stage == mailtest.Address && m.EnvelopeTo == "edsger@example.com" {
				return mailtest.Refusal(550)
			}
			return nil
		})
		edsger := w.signUp(t.Context(), "Edsger")
		d := w.only(svc.URL, edsger, api.DeliveryDead)
		require.Equal(t, "address_refused", d.Reason)
		require.EqualValues(t, 1, d.Attempts)
		var told api.DeliveryFailedData
		require.NoError(t, json.Unmarshal((<-failures).Data, &told))
		require.Equal(t, d.ID, told.DeliveryID)
		require.Equal(t, edsger.id, told.RecipientID)
		require.Equal(t, "address_refused", told.Reason)

		w.smtp.Refuse(nil)
		require.Equal(t, http.StatusAccepted, replay(d).status)
		d = w.only(svc.URL, edsger, api.DeliverySent)
		require.Equal(t, []api.DeliveryState{
			api.DeliveryQueued, api.DeliverySending, api.DeliveryDead, api.DeliveryQueued, api.DeliverySending, api.DeliverySent,
		}, states(d))
		require.NotEmpty(t, d.History[3].Actor)
	})

	t.Run("what waits for its next attempt can be hurried", func(t *testing.T) {
		w.smtp.Refuse(func(stage mailtest.Stage, _ int, _ mailtest.Mail) error {
			if stage == mailtest.Sender {
				return mailtest.Refusal(421)
			}
			return nil
		})
		barbara := w.signUp(t.Context(), "Barbara")
		d := w.only(svc.URL, barbara, api.DeliveryFailing)
		_, err := w.db.Exec(t.Context(), "UPDATE river_job SET state = 'scheduled', scheduled_at = now() + interval '1 hour' WHERE args->>'delivery_id' = $1 AND state IN ('scheduled', 'available')", d.ID.String())
		require.NoError(t, err)
		w.smtp.Refuse(nil)
		w.eventually(func() bool {
			got := replay(d)
			return got.status == http.StatusAccepted || got.code(t) == "delivery_sent"
		}, "it is replayed")
		w.only(svc.URL, barbara, api.DeliverySent)
	})

	t.Run("auth is away, then is not", func(t *testing.T) {
		w.links.fail.Store(errs.New(errs.Unavailable, "unavailable", "Away."))
		frances := w.signUp(t.Context(), "Frances")
		d := w.only(svc.URL, frances, api.DeliveryFailing)
		require.Equal(t, "link_unavailable", d.Reason)
		w.links.fail.Store(nil)
		w.only(svc.URL, frances, api.DeliverySent)
	})

	t.Run("a link that is not needed any more", func(t *testing.T) {
		w.links.fail.Store(errs.New(errs.Conflict, "link_not_needed", "Done."))
		defer w.links.fail.Store(nil)
		d := w.only(svc.URL, w.signUp(t.Context(), "Radia"), api.DeliverySkipped)
		require.Equal(t, "not_needed", d.Reason)
	})

	t.Run("somebody who is kept out gets nothing", func(t *testing.T) {
		karen := w.known("Karen")[0]
		w.stands(t.Context(), karen.id, auth.StandingDisabled, 2)
		w.eventually(func() bool {
			return w.count("SELECT count(*) FROM recipients WHERE id = $1 AND NOT active", karen.id) == 1
		}, "the status has arrived")
		publish(t.Context(), t, w.auth, auth.PasswordResetRequested, karen.id, auth.AccountData{AccountID: karen.id})
		d := w.only(svc.URL, karen, api.DeliverySkipped)
		require.Equal(t, "recipient_inactive", d.Reason)
	})

	t.Run("filters", func(t *testing.T) {
		count := func(query string) int64 {
			var page api.DeliveryPage
			got := call(t, http.MethodGet, svc.URL+"/api/v1/deliveries?"+query, admin, nil)
			require.Equal(t, http.StatusOK, got.status, string(got.body))
			got.into(t, &page)
			require.EqualValues(t, page.Total, len(page.Items))
			return page.Total
		}
		require.EqualValues(t, 2, count("state=skipped"))
		require.EqualValues(t, 6, count("template=verification&channel=email&category=security"))
		require.EqualValues(t, 1, count("template=reset"))
		require.Zero(t, count("created_to=2020-01-01T00:00:00Z"))
		require.EqualValues(t, 7, count("created_from=2020-01-01T00:00:00Z"))
		require.Equal(t, http.StatusUnprocessableEntity, call(t, http.MethodGet, svc.URL+"/api/v1/deliveries?state=lost", admin, nil).status)
		require.Equal(t, http.StatusUnprocessableEntity, call(t, http.MethodGet, svc.URL+"/api/v1/deliveries?subject=x", admin, nil).status)
	})

	t.Run("pages by cursor", func(t *testing.T) {
		seen, cursor := map[string]bool{}, ""
		for range 10 {
			var page api.DeliveryPage
			call(t, http.MethodGet, svc.URL+"/api/v1/deliveries?page_size=3&cursor="+cursor, admin, nil).into(t, &page)
			for _, d := range page.Items {
				require.False(t, seen[d.ID.String()])
				seen[d.ID.String()] = true
			}
			if cursor = page.NextCursor; cursor == "" {
				break
			}
		}
		require.Len(t, seen, 7)
	})

	t.Run("one that does not exist", func(t *testing.T) {
		id := newID(t).String()
		for _, got := range []answer{
			call(t, http.MethodGet, svc.URL+"/api/v1/deliveries/"+id, admin, nil),
			call(t, http.MethodPost, svc.URL+"/api/v1/deliveries/"+id+"/replay", admin, nil),
		} {
			require.Equal(t, http.StatusNotFound, got.status)
			require.Equal(t, "delivery_not_found", got.code(t))
		}
	})
}

// TestReplayedEvents delivers an event again when even the inbox has forgotten it: nobody gets a second mail.
func TestReplayedEvents(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	svc := w.start()
	published := make(chan *nats.Msg, 1)
	sub, err := svc.NATS.ChanSubscribe("events.auth.account.registered.v1", published)
	require.NoError(t, err)
	require.NoError(t, svc.NATS.Flush())
	ada := w.signUp(t.Context(), "Ada")
	w.only(svc.URL, ada, api.DeliverySent)
	event := <-published
	require.NoError(t, sub.Unsubscribe())

	_, err = w.db.Exec(t.Context(), "DELETE FROM inbox")
	require.NoError(t, err)
	event.Header.Set(nats.MsgIdHdr, newID(t).String()) // JetStream would drop it otherwise
	require.NoError(t, svc.NATS.PublishMsg(&nats.Msg{Subject: event.Subject, Header: event.Header, Data: event.Data}))
	w.eventually(func() bool { return w.count("SELECT count(*) FROM inbox") == 1 }, "it is handled again")
	w.only(svc.URL, ada, api.DeliverySent)
	require.EqualValues(t, 1, w.count("SELECT count(*) FROM river_job WHERE kind = 'deliver'"))
	require.Len(t, w.smtp.Mails(), 1)
}

// TestWhomMailsReach follows a person through what auth and users tell of them. What users says of their status is not believed.
func TestWhomMailsReach(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	svc := w.start()
	ada := w.known("Ada")[0]
	version, mails := int64(1), 0
	reset := func(want string) {
		t.Helper()
		publish(t.Context(), t, w.auth, auth.PasswordResetRequested, ada.id, auth.AccountData{AccountID: ada.id})
		mails++
		w.eventually(func() bool {
			return w.count("SELECT count(*) FROM deliveries WHERE state IN ('sent', 'skipped')") == int64(mails)
		}, "the delivery is settled")
		var reason string
		require.NoError(t, w.db.QueryRow(t.Context(), "SELECT reason FROM deliveries ORDER BY id DESC LIMIT 1").Scan(&reason))
		require.Equal(t, want, reason)
	}
	status := func(active bool, publish func(version int64)) {
		t.Helper()
		version++
		publish(version)
		w.eventually(func() bool {
			return w.count("SELECT count(*) FROM recipients WHERE id = $1 AND active = $2 AND status_version = $3", ada.id, active, version) == 1
		}, "the status has arrived")
	}
	stands := func(is auth.Standing) {
		t.Helper()
		status(is == auth.StandingActive, func(v int64) { w.stands(t.Context(), ada.id, is, v) })
	}

	reset("")
	stands(auth.StandingDisabled)
	reset("recipient_inactive")
	stands(auth.StandingActive)
	reset("")
	stands(auth.StandingDeleted)
	reset("recipient_inactive")
	stands(auth.StandingDisabled) // restored, and kept out as before
	reset("recipient_inactive")
	stands(auth.StandingActive)
	reset("")

	publish(t.Context(), t, w.users, users.UserUpdated, ada.id, users.UserUpdatedData{UserID: ada.id, Version: version, Email: "eve@evil.example", Locale: "de-AT"})
	w.eventually(func() bool { return w.count("SELECT count(*) FROM recipients WHERE locale = 'de-AT'") == 1 }, "the profile has arrived")
	publish(t.Context(), t, w.users, users.UserDeactivated, ada.id, users.UserStatusData{UserID: ada.id, Version: version + 100})
	publish(t.Context(), t, w.users, users.UserErased, ada.id, users.UserErasedData{UserID: ada.id})
	reset("")
	sent := w.smtp.Mails()
	require.Equal(t, ada.email, sent[len(sent)-1].EnvelopeTo, "where mails go is auth's to say, not users'")
	require.Equal(t, "Wählen Sie ein neues Passwort", sent[len(sent)-1].Subject)
	require.Equal(t, "de", sent[len(sent)-1].Header.Get("Content-Language"))

	off := map[string]any{"categories": []any{map[string]any{"category": "account", "channels": map[string]any{"in_app": true, "email": false}}}}
	got := call(t, http.MethodPut, svc.URL+"/api/v1/notifications/preferences", w.issuer.SignUser(ada.id.String()), off)
	require.Equal(t, http.StatusOK, got.status)
	publish(t.Context(), t, w.auth, auth.AccountVerified, ada.id, auth.AccountVerifiedData{AccountID: ada.id})
	w.eventually(func() bool { return w.count("SELECT count(*) FROM deliveries WHERE reason = 'turned_off'") == 1 }, "the welcome is skipped")

	_, err := w.db.Exec(t.Context(), "UPDATE recipients SET email = ''") // as before the registration has arrived
	require.NoError(t, err)
	mails++
	reset("no_address")

	t.Run("an event of somebody unknown waits for a person", func(t *testing.T) {
		id := newID(t)
		publish(t.Context(), t, w.auth, auth.PasswordChanged, id, auth.PasswordChangedData{AccountID: id})
		publish(t.Context(), t, w.auth, auth.PasswordResetRequested, id, auth.AccountData{AccountID: id})
		w.eventually(func() bool { return w.count("SELECT count(*) FROM dead_letters") == 2 }, "they are dead letters")
		reset("no_address")
	})
}
