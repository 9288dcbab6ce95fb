package test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/mail/mailtest"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/notifications/api"
)

// TestUnprovedAddresses sends to people of whom nobody knows whether the address is theirs.
//
//nolint:paralleltest // the steps of one story, in order
func TestUnprovedAddresses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	svc := w.start()
	admin := w.issuer.SignAdmin(newID(t).String())
	ada, barbara := w.signUp(t.Context(), "Ada"), w.known("Barbara")[0]
	grace := person{id: newID(t), email: "grace@example.com"}
	publish(t.Context(), t, w.auth, auth.AccountRegistered, grace.id, auth.AccountRegisteredData{
		AccountID: grace.id, Email: grace.email, FullName: "Grace", Locale: "en", Origin: auth.OriginInvitation, Roles: []string{"user"}, At: time.Now(),
	})
	sendTo := func(to map[string]any, title string, channels ...api.Channel) api.SendCounts {
		t.Helper()
		var accepted api.NotificationSend
		got := call(t, http.MethodPost, svc.URL+"/api/v1/notifications", admin, map[string]any{
			"to": to, "category": "product", "title": title, "body": "All is well.", "channels": channels,
		})
		require.Equal(t, http.StatusAccepted, got.status, string(got.body))
		got.into(t, &accepted)
		return w.finished(svc.URL, admin, accepted.ID.String()).Counts
	}
	send := func(title string, channels ...api.Channel) api.SendCounts {
		t.Helper()
		return sendTo(map[string]any{"everyone": true}, title, channels...)
	}
	subjects := func(p person) (out []string) {
		for _, m := range w.smtp.Mails() {
			if m.EnvelopeTo == p.email {
				out = append(out, m.Subject)
			}
		}
		return out
	}
	settled := func() bool {
		return w.count("SELECT count(*) FROM deliveries WHERE state NOT IN ('sent', 'skipped')") == 0
	}

	t.Run("what proves the address goes to it", func(t *testing.T) {
		w.eventually(func() bool { return len(subjects(ada)) == 1 && len(subjects(grace)) == 1 }, "both are written to")
		require.Equal(t, []string{"Confirm your e-mail address"}, subjects(ada))
		require.Equal(t, []string{"You are invited to Atrium"}, subjects(grace))
		publish(t.Context(), t, w.auth, auth.PasswordResetRequested, ada.id, auth.AccountData{AccountID: ada.id})
		w.eventually(func() bool { return len(subjects(ada)) == 2 }, "security is for everybody")
	})

	t.Run("news goes to the app only", func(t *testing.T) {
		require.Equal(t, api.SendCounts{Recipients: 3, Notified: 3, Mailed: 1}, send("In the app", api.ChannelInApp, api.ChannelEmail))
		require.Equal(t, api.SendCounts{Recipients: 3, Mailed: 1, Skipped: 2}, send("By mail only", api.ChannelEmail))
		w.eventually(settled, "everything is settled")
		require.Len(t, subjects(ada), 2)
		require.Len(t, subjects(grace), 1)
		require.ElementsMatch(t, []string{"In the app", "By mail only"}, subjects(barbara))
	})

	t.Run("who verifies or accepts is written to from then on", func(t *testing.T) {
		for _, p := range []person{ada, grace} {
			publish(t.Context(), t, w.auth, auth.AccountVerified, p.id, auth.AccountVerifiedData{AccountID: p.id, Email: p.email, At: time.Now()})
			w.eventually(func() bool { s := subjects(p); return s[len(s)-1] == "Welcome to Atrium" }, "the welcome arrives")
		}
		require.Equal(t, api.SendCounts{Recipients: 3, Notified: 3, Mailed: 3}, send("At last", api.ChannelInApp, api.ChannelEmail))
		w.eventually(func() bool {
			a, g := subjects(ada), subjects(grace)
			return a[len(a)-1] == "At last" && g[len(g)-1] == "At last"
		}, "the news arrives")
	})

	t.Run("what was queued is skipped, says why, and can be replayed", func(t *testing.T) {
		busy := func(stage mailtest.Stage, _ int, _ mailtest.Mail) error {
			if stage == mailtest.Sender {
				return mailtest.Refusal(421)
			}
			return nil
		}
		w.smtp.Refuse(busy)
		defer w.smtp.Refuse(nil)
		frances := w.known("Frances")[0]
		sendTo(map[string]any{"user_ids": ids([]person{frances})}, "Waits", api.ChannelEmail)
		w.only(svc.URL, frances, api.DeliveryFailing)
		_, err := w.db.Exec(t.Context(), "UPDATE recipients SET verified_at = NULL WHERE id = $1", frances.id) // as if a version before had queued it
		require.NoError(t, err)
		w.smtp.Refuse(nil)
		d := w.only(svc.URL, frances, api.DeliverySkipped)
		require.Equal(t, "address_unverified", d.Reason)
		require.Equal(t, "address_unverified", d.History[len(d.History)-1].Reason)
		require.Empty(t, subjects(frances))

		_, err = w.db.Exec(t.Context(), "UPDATE recipients SET verified_at = now() WHERE id = $1", frances.id)
		require.NoError(t, err)
		require.Equal(t, http.StatusAccepted, call(t, http.MethodPost, svc.URL+"/api/v1/deliveries/"+d.ID.String()+"/replay", admin, nil).status)
		w.only(svc.URL, frances, api.DeliverySent)
		require.Equal(t, []string{"Waits"}, subjects(frances))
	})
}
