package test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/notifications/api"
	users "github.com/atrium-mesh/atrium/services/users/api"
)

//nolint:paralleltest // the steps of one story, in order
func TestSends(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	svc := w.start()
	admin := w.issuer.SignAdmin(newID(t).String())
	people := w.known("Ada", "Grace", "Edsger", "Barbara")
	ada, grace, edsger, barbara := people[0], people[1], people[2], people[3]
	publish(t.Context(), t, w.auth, auth.RolesChanged, grace.id, auth.RolesChangedData{AccountID: grace.id, Roles: []string{"support"}, Version: 1})
	publish(t.Context(), t, w.auth, auth.RolesChanged, ada.id, auth.RolesChangedData{AccountID: ada.id, Roles: []string{"admin", "support"}, Version: 1})
	w.stands(t.Context(), barbara.id, auth.StandingDisabled, 2)
	w.eventually(func() bool {
		return w.count("SELECT count(*) FROM recipients WHERE 'support' = ANY(roles)") == 2 && w.count("SELECT count(*) FROM recipients WHERE NOT active") == 1
	}, "roles and status have arrived")
	send := func(t *testing.T, to map[string]any, more ...func(map[string]any)) api.NotificationSend {
		t.Helper()
		body := map[string]any{"to": to, "category": "product", "title": "News", "body": "All is well."}
		for _, f := range more {
			f(body)
		}
		var accepted api.NotificationSend
		got := call(t, http.MethodPost, svc.URL+"/api/v1/notifications", admin, body)
		require.Equal(t, http.StatusAccepted, got.status, string(got.body))
		got.into(t, &accepted)
		require.Equal(t, "/api/v1/notifications/sends/"+accepted.ID.String(), got.header.Get("Location"))
		return accepted
	}
	told := func(t *testing.T, s api.NotificationSend) (out []uuid.UUID) {
		t.Helper()
		rows, err := w.db.Query(t.Context(), "SELECT recipient_id FROM notifications WHERE cause_id = $1 ORDER BY recipient_id", s.ID)
		require.NoError(t, err)
		defer rows.Close()
		for rows.Next() {
			var id uuid.UUID
			require.NoError(t, rows.Scan(&id))
			out = append(out, id)
		}
		return out
	}

	t.Run("to users, unknown and inactive ones are counted", func(t *testing.T) {
		s := send(t, map[string]any{"user_ids": []any{ada.id, ada.id, barbara.id, newID(t)}})
		require.EqualValues(t, 2, s.Counts.Unknown)
		done := w.finished(svc.URL, admin, s.ID.String())
		require.Equal(t, api.SendCounts{Recipients: 1, Notified: 1, Mailed: 1, Unknown: 2}, done.Counts)
		require.Equal(t, []uuid.UUID{ada.id}, told(t, s))
		require.Equal(t, api.SendSent, done.State)
	})

	t.Run("to a role", func(t *testing.T) {
		s := send(t, map[string]any{"roles": []string{"support"}})
		w.finished(svc.URL, admin, s.ID.String())
		require.Equal(t, []uuid.UUID{ada.id, grace.id}, told(t, s))
	})

	t.Run("to everyone who is active", func(t *testing.T) {
		s := send(t, map[string]any{"everyone": true})
		w.finished(svc.URL, admin, s.ID.String())
		require.Equal(t, []uuid.UUID{ada.id, grace.id, edsger.id}, told(t, s))
	})

	t.Run("what is off unless chosen reaches nobody", func(t *testing.T) {
		s := send(t, map[string]any{"everyone": true}, func(b map[string]any) { b["category"] = "marketing" })
		done := w.finished(svc.URL, admin, s.ID.String())
		require.Equal(t, api.SendCounts{Recipients: 3, Skipped: 3}, done.Counts)
	})

	t.Run("the same key again is the same send", func(t *testing.T) {
		body := map[string]any{"to": map[string]any{"everyone": true}, "category": "product", "title": "Once", "body": "Only once.", "channels": []string{"in_app"}}
		var first, again api.NotificationSend
		call(t, http.MethodPost, svc.URL+"/api/v1/notifications", admin, body, "Idempotency-Key", "k1").into(t, &first)
		call(t, http.MethodPost, svc.URL+"/api/v1/notifications", admin, body, "Idempotency-Key", "k1").into(t, &again)
		require.Equal(t, first, again)
		body["title"] = "Twice"
		got := call(t, http.MethodPost, svc.URL+"/api/v1/notifications", admin, body, "Idempotency-Key", "k1")
		require.Equal(t, http.StatusUnprocessableEntity, got.status)
		require.Equal(t, "idempotency_key_reused", got.code(t))
		other := w.issuer.SignAdmin(newID(t).String())
		require.Equal(t, http.StatusAccepted, call(t, http.MethodPost, svc.URL+"/api/v1/notifications", other, body, "Idempotency-Key", "k1").status, "keys are each sender's own")
	})

	t.Run("for later, and canceled", func(t *testing.T) {
		later := time.Now().Add(time.Hour)
		s := send(t, map[string]any{"everyone": true}, func(b map[string]any) { b["send_at"] = later })
		require.Equal(t, api.SendScheduled, s.State)
		require.WithinDuration(t, later, s.SendAt, time.Millisecond)
		url := svc.URL + "/api/v1/notifications/sends/" + s.ID.String()
		for range 2 {
			var canceled api.NotificationSend
			call(t, http.MethodDelete, url, admin, nil).into(t, &canceled)
			require.Equal(t, api.SendCanceled, canceled.State)
		}
		require.Empty(t, told(t, s))
	})

	t.Run("one that is finished cannot be canceled", func(t *testing.T) {
		s := send(t, map[string]any{"user_ids": []any{ada.id}})
		w.finished(svc.URL, admin, s.ID.String())
		got := call(t, http.MethodDelete, svc.URL+"/api/v1/notifications/sends/"+s.ID.String(), admin, nil)
		require.Equal(t, http.StatusConflict, got.status)
		require.Equal(t, "send_finished", got.code(t))
		for _, method := range []string{http.MethodGet, http.MethodDelete} {
			got := call(t, method, svc.URL+"/api/v1/notifications/sends/"+newID(t).String(), admin, nil)
			require.Equal(t, http.StatusNotFound, got.status)
			require.Equal(t, "send_not_found", got.code(t))
		}
	})

	t.Run("bad requests change nothing", func(t *testing.T) {
		before := w.count("SELECT count(*) FROM sends")
		for name, change := range map[string]func(map[string]any){
			"nobody":            func(b map[string]any) { b["to"] = map[string]any{} },
			"everyone is false": func(b map[string]any) { b["to"] = map[string]any{"everyone": false} },
			"two audiences":     func(b map[string]any) { b["to"] = map[string]any{"everyone": true, "roles": []string{"user"}} },
			"no such id":        func(b map[string]any) { b["to"] = map[string]any{"user_ids": []string{"nobody"}} },
			"too many":          func(b map[string]any) { b["to"] = map[string]any{"user_ids": many(1001)} },
			"locked category":   func(b map[string]any) { b["category"] = "security" },
			"no title":          func(b map[string]any) { b["title"] = "" },
			"blank title":       func(b map[string]any) { b["title"] = "  " },
			"two lines":         func(b map[string]any) { b["title"] = "Hello\r\nBcc: eve@example.com" },
			"long title":        func(b map[string]any) { b["title"] = strings.Repeat("x", 201) },
			"long body":         func(b map[string]any) { b["body"] = strings.Repeat("x", 10001) },
			"much data":         func(b map[string]any) { b["data"] = map[string]any{"x": strings.Repeat("x", 9000)} },
			"a long number":     func(b map[string]any) { b["data"] = map[string]any{"x": json.Number("1e130000")} },
			"an exponent":       func(b map[string]any) { b["data"] = map[string]any{"x": []any{json.Number("1E+2")}} },
			"minus zero":        func(b map[string]any) { b["data"] = map[string]any{"x": json.Number("-0")} },
			"no such channel":   func(b map[string]any) { b["channels"] = []string{"pigeon"} },
			"the same twice":    func(b map[string]any) { b["channels"] = []string{"email", "email"} },
			"in the past":       func(b map[string]any) { b["send_at"] = time.Now().Add(-time.Hour) },
			"far away":          func(b map[string]any) { b["send_at"] = time.Now().Add(400 * 24 * time.Hour) },
			"unknown field":     func(b map[string]any) { b["urgent"] = true },
		} {
			body := map[string]any{"to": map[string]any{"everyone": true}, "category": "product", "title": "News", "body": "All is well."}
			change(body)
			got := call(t, http.MethodPost, svc.URL+"/api/v1/notifications", admin, body)
			require.Equal(t, http.StatusUnprocessableEntity, got.status, "%s: %s", name, got.body)
			require.NotContains(t, string(got.body), "eve@example.com", "no value comes back")
		}
		require.Equal(t, before, w.count("SELECT count(*) FROM sends"))
	})

	t.Run("text in a mail is text", func(t *testing.T) {
		s := send(t, map[string]any{"user_ids": []any{edsger.id}}, func(b map[string]any) {
			b["title"], b["body"], b["channels"] = "<b>Bold</b>", "First <script>alert(1)</script>\n\nSecond", []string{"email"}
		})
		w.finished(svc.URL, admin, s.ID.String())
		w.eventually(func() bool {
			for _, m := range w.smtp.Mails() {
				if m.Subject == "<b>Bold</b>" {
					return !strings.Contains(m.HTML, "<script>") && strings.Contains(m.Text, "\n\nSecond\n")
				}
			}
			return false
		}, "the mail arrives")
	})
}

func many(n int) (out []string) {
	for range n {
		out = append(out, uuid.Must(uuid.NewV7()).String())
	}
	return out
}

func TestErasure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	svc := w.start()
	people := w.known("Ada", "Grace")
	ada := people[0]
	w.send(svc.URL, "private", ada)
	publish(t.Context(), t, w.auth, auth.PasswordChanged, ada.id, auth.PasswordChangedData{AccountID: ada.id, Device: "Firefox", IP: "203.0.113.7", At: time.Now()})
	w.smtp.Wait(1, soon)
	w.eventually(func() bool { return w.count("SELECT count(*) FROM deliveries WHERE address <> ''") == 1 }, "the delivery is settled")

	w.stands(t.Context(), ada.id, auth.StandingErased, 3)
	w.eventually(func() bool { return w.count("SELECT count(*) FROM recipients WHERE erased_at IS NOT NULL") == 1 }, "the recipient is erased")
	publish(t.Context(), t, w.users, users.UserUpdated, ada.id, users.UserUpdatedData{UserID: ada.id, Version: 9, Email: ada.email, FullName: "Ada"})
	publish(t.Context(), t, w.auth, auth.PasswordChanged, ada.id, auth.PasswordChangedData{AccountID: ada.id, Device: "Firefox", At: time.Now()})
	publish(t.Context(), t, w.users, users.UserUpdated, people[1].id, users.UserUpdatedData{UserID: people[1].id, Version: 9, FullName: "Grace Hopper"})
	w.eventually(func() bool {
		return w.count("SELECT count(*) FROM recipients WHERE full_name = 'Grace Hopper'") == 1
	}, "what came later is handled")
	w.eventually(func() bool { return w.count("SELECT count(*) FROM inbox WHERE type = 'auth.password.changed.v1'") == 2 }, "what came later is handled")

	for _, table := range []string{"recipients", "notifications", "deliveries", "delivery_steps", "sends", "preferences", "river_job"} {
		var all string
		require.NoError(t, w.db.QueryRow(t.Context(), fmt.Sprintf("SELECT coalesce(string_agg(t::text, ' '), '') FROM %s t", table)).Scan(&all))
		for _, personal := range []string{ada.email, "Firefox", "203.0.113.7", "/private", "The text."} {
			require.NotContains(t, all, personal, table)
		}
	}
	got := call(t, http.MethodGet, svc.URL+"/api/v1/users/"+ada.id.String()+"/notifications", w.issuer.SignSupport(newID(t).String()), nil)
	require.Equal(t, http.StatusNotFound, got.status)
	require.Len(t, w.smtp.Mails(), 1, "nobody writes to somebody erased")
}
