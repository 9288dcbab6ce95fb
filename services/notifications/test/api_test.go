package test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/token/tokentest"
	"github.com/atrium-mesh/atrium/services/notifications/api"
)

// TestAuthorization tries every operation as nobody, as somebody, as the owner and as people with and without the permission.
//
//nolint:paralleltest // the steps of one story, in order
func TestAuthorization(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	svc := w.start()
	ada := w.known("Ada")[0]
	somebody := newID(t).String()
	for _, declared := range api.Operations() {
		m := declared.Meta()
		if m.Path == "" { // for services, over NATS
			continue
		}
		path := strings.NewReplacer("{id}", ada.id.String()).Replace(m.Path)
		body := bodyFor(m)
		try := func(token string) int { return call(t, m.Method, svc.URL+path, token, body).status }
		t.Run(m.ID, func(t *testing.T) {
			if m.Stream {
				require.Equal(t, http.StatusUnauthorized, try(""))
				return
			}
			if m.Allow.IsPublic() {
				require.NotEqual(t, http.StatusUnauthorized, try(""))
				return
			}
			require.Equal(t, http.StatusUnauthorized, try(""))
			for _, bad := range w.issuer.Bad(tokentest.Claims{Subject: ada.id.String()}) {
				if bad.Token != "" {
					require.Equal(t, http.StatusUnauthorized, try(bad.Token), bad.Name)
				}
			}
			refused := []int{http.StatusUnauthorized, http.StatusForbidden}
			permission := m.Allow.Permission()
			if permission == "" {
				require.NotContains(t, refused, try(w.issuer.SignUser(ada.id.String())))
				return
			}
			require.Equal(t, http.StatusForbidden, try(w.issuer.SignUser(somebody)))
			require.Equal(t, http.StatusForbidden, try(w.issuer.SignFor(somebody, "users:read", "audit:read")))
			require.NotContains(t, refused, try(w.issuer.SignFor(somebody, permission)))
			if m.Allow.Param() != "" {
				require.NotContains(t, refused, try(w.issuer.SignUser(ada.id.String())), "oneself")
			}
			support := []string{"notifications:read", "deliveries:read"}
			if strings.Contains(strings.Join(support, " "), permission) {
				require.NotContains(t, refused, try(w.issuer.SignSupport(somebody)))
			} else {
				require.Equal(t, http.StatusForbidden, try(w.issuer.SignSupport(somebody)))
			}
			require.NotContains(t, refused, try(w.issuer.SignAdmin(somebody)))
		})
	}
}

func bodyFor(m op.Meta) any {
	switch m.ID {
	case api.PutPreferences.OperationID:
		return api.NotificationPreferences{Categories: []api.CategoryPreference{}}
	case api.SendNotification.OperationID:
		return map[string]any{"to": map[string]any{"roles": []string{"nobody"}}, "category": "product", "title": "Hello", "body": "World"}
	default:
		return nil
	}
}

// send tells something to people in the app and waits until they have it.
func (w *world) send(url, title string, people ...person) {
	w.t.Helper()
	before := w.count("SELECT count(*) FROM notifications")
	got := call(w.t, http.MethodPost, url+"/api/v1/notifications", w.issuer.SignAdmin(newID(w.t).String()), map[string]any{
		"to": map[string]any{"user_ids": ids(people)}, "category": "product", "title": title, "body": "The text.", "channels": []string{"in_app"},
		"data": map[string]any{"path": "/" + title},
	})
	require.Equal(w.t, http.StatusAccepted, got.status, string(got.body))
	w.eventually(func() bool { return w.count("SELECT count(*) FROM notifications") == before+int64(len(people)) }, "notifications are made")
}

//nolint:paralleltest // the steps of one story, in order
func TestNotifications(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	svc := w.start()
	people := w.known("Ada", "Grace")
	ada, grace := people[0], people[1]
	token := w.issuer.SignUser(ada.id.String())
	for _, title := range []string{"one", "two", "three", "four", "five"} {
		w.send(svc.URL, title, ada)
	}
	w.send(svc.URL, "other", grace)
	list := func(t *testing.T, query string) api.NotificationPage {
		t.Helper()
		var page api.NotificationPage
		got := call(t, http.MethodGet, svc.URL+"/api/v1/notifications"+query, token, nil)
		require.Equal(t, http.StatusOK, got.status, string(got.body))
		got.into(t, &page)
		return page
	}
	titles := func(page api.NotificationPage) (out []string) {
		for _, n := range page.Items {
			out = append(out, n.Title)
		}
		return out
	}

	t.Run("newest first, by page and by cursor", func(t *testing.T) {
		first := list(t, "?page_size=2")
		require.Equal(t, []string{"five", "four"}, titles(first))
		require.EqualValues(t, 5, first.Total)
		require.Equal(t, 3, first.Pages)
		require.Equal(t, []string{"three", "two"}, titles(list(t, "?page_size=2&page=2")))
		second := list(t, "?page_size=2&cursor="+first.NextCursor)
		require.Equal(t, []string{"three", "two"}, titles(second))
		last := list(t, "?page_size=2&cursor="+second.NextCursor)
		require.Equal(t, []string{"one"}, titles(last))
		require.Empty(t, last.NextCursor)
		require.Equal(t, map[string]any{"path": "/one"}, last.Items[0].Data)
	})

	t.Run("a cursor of another list is refused", func(t *testing.T) {
		got := call(t, http.MethodGet, svc.URL+"/api/v1/notifications?unread=true&cursor="+list(t, "?page_size=2").NextCursor, token, nil)
		require.Equal(t, http.StatusBadRequest, got.status)
		require.Equal(t, "invalid_cursor", got.code(t))
	})

	t.Run("marking one as read happens once", func(t *testing.T) {
		id := list(t, "").Items[4].ID.String()
		var first, again api.Notification
		call(t, http.MethodPost, svc.URL+"/api/v1/notifications/"+id+"/read", token, nil).into(t, &first)
		require.NotNil(t, first.ReadAt)
		call(t, http.MethodPost, svc.URL+"/api/v1/notifications/"+id+"/read", token, nil).into(t, &again)
		require.Equal(t, first.ReadAt, again.ReadAt)
		require.Equal(t, []string{"five", "four", "three", "two"}, titles(list(t, "?unread=true")))
		require.Empty(t, titles(list(t, "?category=account")))
		require.Len(t, titles(list(t, "?category=product")), 5)
	})

	t.Run("somebody else's does not exist", func(t *testing.T) {
		id := list(t, "").Items[0].ID.String()
		for _, path := range []string{"/" + id + "/read", "/" + newID(t).String() + "/read"} {
			got := call(t, http.MethodPost, svc.URL+"/api/v1/notifications"+path, w.issuer.SignUser(grace.id.String()), nil)
			require.Equal(t, http.StatusNotFound, got.status)
			require.Equal(t, "notification_not_found", got.code(t))
		}
		got := call(t, http.MethodPost, svc.URL+"/api/v1/notifications/read-all", w.issuer.SignUser(grace.id.String()), map[string]any{"up_to": id})
		require.Equal(t, http.StatusNotFound, got.status)
	})

	t.Run("marking all as read leaves what was not seen", func(t *testing.T) {
		seen := list(t, "").Items[2].ID
		var got api.NotificationsRead
		call(t, http.MethodPost, svc.URL+"/api/v1/notifications/read-all", token, map[string]any{"up_to": seen}).into(t, &got)
		require.Equal(t, api.NotificationsRead{Read: 2, Unread: 2}, got)
		require.Equal(t, []string{"five", "four"}, titles(list(t, "?unread=true")))
		call(t, http.MethodPost, svc.URL+"/api/v1/notifications/read-all", token, nil).into(t, &got)
		require.Equal(t, api.NotificationsRead{Read: 2, Unread: 0}, got)
		var unread api.UnreadCount
		call(t, http.MethodGet, svc.URL+"/api/v1/notifications/unread-count", token, nil).into(t, &unread)
		require.Zero(t, unread.Unread)
	})

	t.Run("support reads a person's", func(t *testing.T) {
		support := w.issuer.SignSupport(newID(t).String())
		var page api.NotificationPage
		call(t, http.MethodGet, svc.URL+"/api/v1/users/"+grace.id.String()+"/notifications", support, nil).into(t, &page)
		require.Equal(t, []string{"other"}, titles(page))
		got := call(t, http.MethodGet, svc.URL+"/api/v1/users/"+newID(t).String()+"/notifications", support, nil)
		require.Equal(t, http.StatusNotFound, got.status)
		require.Equal(t, "recipient_not_found", got.code(t))
	})

	t.Run("somebody not known yet has an empty list", func(t *testing.T) {
		id := newID(t).String()
		for _, path := range []string{"/api/v1/notifications", "/api/v1/users/" + id + "/notifications"} {
			var page api.NotificationPage
			got := call(t, http.MethodGet, svc.URL+path, w.issuer.SignUser(id), nil)
			require.Equal(t, http.StatusOK, got.status)
			got.into(t, &page)
			require.Empty(t, page.Items)
		}
	})

	t.Run("an account of a further issuer has none", func(t *testing.T) {
		got := call(t, http.MethodGet, svc.URL+"/api/v1/notifications", w.issuer.SignUser("https://elsewhere.test|42"), nil)
		require.Equal(t, http.StatusForbidden, got.status)
		require.Equal(t, "no_account", got.code(t))
	})
}

//nolint:paralleltest // the steps of one story, in order
func TestPreferences(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	svc := w.start()
	ada := w.known("Ada")[0]
	token, url := w.issuer.SignUser(ada.id.String()), svc.URL+"/api/v1/notifications/preferences"
	read := func(t *testing.T) (api.NotificationPreferences, string) {
		t.Helper()
		var p api.NotificationPreferences
		got := call(t, http.MethodGet, url, token, nil)
		got.into(t, &p)
		return p, got.header.Get("ETag")
	}

	before, etag := read(t)
	require.Len(t, before.Categories, len(api.Categories()))
	require.Equal(t, `"0"`, etag)
	require.Equal(t, api.CategoryPreference{Category: api.CategorySecurity, Locked: true, Channels: api.ChannelPreference{InApp: true, Email: true}}, before.Categories[0])
	require.Equal(t, api.CategoryPreference{Category: api.CategoryMarketing}, before.Categories[3])

	t.Run("what is locked stays on, and nothing changes", func(t *testing.T) {
		p, _ := read(t)
		p.Categories[0].Channels.Email = false
		p.Categories[2].Channels.Email = false
		got := call(t, http.MethodPut, url, token, p)
		require.Equal(t, http.StatusUnprocessableEntity, got.status)
		require.Contains(t, string(got.body), `"field":"body.categories[0].channels.email","code":"locked"`)
		after, _ := read(t)
		require.Equal(t, before, after)
	})

	t.Run("what the GET answers can be changed and sent back", func(t *testing.T) {
		p, tag := read(t)
		p.Categories[2].Channels.Email = false
		p.Categories[3].Channels.InApp = true
		got := call(t, http.MethodPut, url, token, p, "If-Match", tag)
		require.Equal(t, http.StatusOK, got.status, string(got.body))
		require.Equal(t, `"1"`, got.header.Get("ETag"))
		after, _ := read(t)
		require.Equal(t, p, after)

		stale := call(t, http.MethodPut, url, token, before, "If-Match", tag)
		require.Equal(t, http.StatusPreconditionFailed, stale.status)
		require.Equal(t, "version_conflict", stale.code(t))
	})

	t.Run("what is left out goes back to its default", func(t *testing.T) {
		got := call(t, http.MethodPut, url, token, map[string]any{"categories": []any{}})
		require.Equal(t, http.StatusOK, got.status)
		after, _ := read(t)
		require.Equal(t, before, after)
	})

	t.Run("nonsense is refused", func(t *testing.T) {
		channels := map[string]any{"in_app": true, "email": true}
		for _, body := range []any{
			map[string]any{"categories": []any{map[string]any{"category": "gossip", "channels": channels}}},
			map[string]any{"categories": []any{map[string]any{"category": "product", "channels": channels}, map[string]any{"category": "product", "channels": channels}}},
			map[string]any{"categories": []any{map[string]any{"category": "product"}}},
			map[string]any{},
		} {
			require.Equal(t, http.StatusUnprocessableEntity, call(t, http.MethodPut, url, token, body).status, body)
		}
	})

	t.Run("somebody who is not known yet can choose", func(t *testing.T) {
		id := newID(t)
		got := call(t, http.MethodPut, url, w.issuer.SignUser(id.String()), map[string]any{"categories": []any{
			map[string]any{"category": "product", "channels": map[string]any{"in_app": false, "email": false}},
		}})
		require.Equal(t, http.StatusOK, got.status, string(got.body))
	})
}

//nolint:paralleltest // the steps of one story, in order
func TestUnsubscribe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	svc := w.start()
	ada := w.known("Ada")[0]
	admin := w.issuer.SignAdmin(newID(t).String())
	news := map[string]any{"to": map[string]any{"everyone": true}, "category": "product", "title": "News", "body": "All is well.", "channels": []string{"email"}}
	require.Equal(t, http.StatusAccepted, call(t, http.MethodPost, svc.URL+"/api/v1/notifications", admin, news).status)
	mail := w.smtp.Wait(1, soon)[0]
	require.Equal(t, "List-Unsubscribe=One-Click", mail.Header.Get("List-Unsubscribe-Post"))
	link := strings.Trim(mail.Header.Get("List-Unsubscribe"), "<>")
	require.Contains(t, mail.Text, link)
	url := svc.URL + strings.TrimPrefix(link, "https://app.atrium.test")

	t.Run("opening the link only asks", func(t *testing.T) {
		got := call(t, http.MethodGet, url, "", nil, "Accept-Language", "de-AT, en;q=0.5")
		require.Equal(t, http.StatusOK, got.status)
		require.Contains(t, string(got.body), "E-Mails abbestellen?")
		require.Contains(t, got.header.Get("Content-Security-Policy"), "default-src 'none'")
		require.Zero(t, w.count("SELECT count(*) FROM preferences"))
	})

	t.Run("one click turns the category off, more than once", func(t *testing.T) {
		for range 2 {
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader("List-Unsubscribe=One-Click"))
			require.NoError(t, err)
			req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			res, err := (&http.Client{Timeout: soon}).Do(req)
			require.NoError(t, err)
			require.NoError(t, res.Body.Close())
			require.Equal(t, http.StatusOK, res.StatusCode)
		}
		require.EqualValues(t, 1, w.count("SELECT count(*) FROM preferences WHERE recipient_id = $1 AND category = 'product' AND channel = 'email' AND NOT enabled", ada.id))
	})

	t.Run("then nothing of it is sent", func(t *testing.T) {
		var send api.NotificationSend
		call(t, http.MethodPost, svc.URL+"/api/v1/notifications", admin, news).into(t, &send)
		send = w.finished(svc.URL, admin, send.ID.String())
		require.Equal(t, api.SendCounts{Recipients: 1, Skipped: 1}, send.Counts)
		require.Len(t, w.smtp.Mails(), 1)
	})

	t.Run("a token that is not ours is refused", func(t *testing.T) {
		for _, token := range []string{"nonsense", "AAAA", strings.Repeat("A", 200), url[strings.Index(url, "=")+1:] + "A"} {
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				got := call(t, method, svc.URL+"/api/v1/notifications/unsubscribe?token="+token, "", nil)
				require.Equal(t, http.StatusBadRequest, got.status)
				require.Equal(t, "invalid_unsubscribe_token", got.code(t))
			}
		}
	})
}

// finished waits until a send is.
func (w *world) finished(url, token, id string) api.NotificationSend {
	w.t.Helper()
	var send api.NotificationSend
	w.eventually(func() bool {
		call(w.t, http.MethodGet, url+"/api/v1/notifications/sends/"+id, token, nil).into(w.t, &send)
		return send.FinishedAt != nil
	}, "the send is finished")
	return send
}
