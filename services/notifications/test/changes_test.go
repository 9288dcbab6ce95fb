package test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/events"
	"github.com/atrium-mesh/atrium/pkg/mail/mailtest"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/notifications/api"
	users "github.com/atrium-mesh/atrium/services/users/api"
)

// mailTo is the mail that somebody was sent under a subject.
func (w *world) mailTo(p person, subject string) mailtest.Mail {
	w.t.Helper()
	var found mailtest.Mail
	w.eventually(func() bool {
		for _, m := range w.smtp.Mails() {
			if m.EnvelopeTo == p.email && m.Subject == subject {
				found = m
				return true
			}
		}
		return false
	}, "a mail with the subject "+subject)
	return found
}

// told is the text in the app of the notification with a title.
func (w *world) told(p person, title string) (body string) {
	w.t.Helper()
	require.NoError(w.t, w.db.QueryRow(w.t.Context(),
		"SELECT body FROM notifications WHERE recipient_id = $1 AND title = $2 AND category = 'security'", p.id, title).Scan(&body))
	return body
}

func (w *world) standing(ctx context.Context, p person, d auth.AccountStandingChangedData) {
	w.t.Helper()
	d.AccountID, d.At = p.id, time.Date(2026, 3, 2, 14, 4, 5, 0, time.UTC)
	publish(ctx, w.t, w.auth, auth.AccountStandingChanged, p.id, d)
}

// Whoever is kept out, or let in again, is told, by mail and in the app, also while nothing else reaches them.
func TestChanges_of_the_standing_are_told(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	ada := w.known("Ada")[0]
	admin, ctx := newID(t).String(), t.Context()
	w.standing(ctx, ada, auth.AccountStandingChangedData{
		Standing: auth.StandingDisabled,
		Version:  2,
		Cause:    auth.VerbDeactivate,
		By:       admin,
	})
	mail := w.mailTo(ada, "Your account was deactivated")
	require.Contains(t, mail.Text, "Done by: an administrator")
	require.Contains(t, mail.Text, "2 March 2026, 14:04 (UTC)")
	require.NotContains(t, mail.Text, admin)
	require.NotContains(t, mail.Text, "token=")
	require.Contains(t, w.told(ada, "Your account was deactivated"), "If you think that this is a mistake")

	w.standing(ctx, ada, auth.AccountStandingChangedData{
		Standing: auth.StandingActive,
		Version:  3,
		Cause:    auth.VerbActivate,
		By:       admin,
	})
	w.mailTo(ada, "Your account was activated")

	eraseAt := time.Date(2026, 4, 1, 14, 4, 5, 0, time.UTC)
	w.standing(ctx, ada, auth.AccountStandingChangedData{
		Standing: auth.StandingDeleted,
		Version:  4,
		Cause:    auth.VerbDelete,
		By:       ada.id.String(),
	})
	w.eventually(func() bool {
		return w.count("SELECT count(*) FROM deliveries WHERE recipient_id = $1 AND reason = 'facts_missing'", ada.id) == 1
	}, "the mail waits for the date")
	publish(ctx, t, w.users, users.UserDeleted, ada.id, users.UserDeletedData{
		UserID:  ada.id,
		Version: 4,
		At:      time.Now(),
		EraseAt: eraseAt,
	})
	mail = w.mailTo(ada, "Your account was deleted")
	require.Contains(t, mail.Text, "You have deleted your account")
	require.Contains(t, mail.Text, "after 1 April 2026, 14:04 (UTC)")

	w.standing(ctx, ada, auth.AccountStandingChangedData{
		Standing: auth.StandingDisabled,
		Version:  5,
		Cause:    auth.VerbRestore,
		By:       admin,
	})
	restored := w.mailTo(ada, "Your account was restored").Text
	require.Contains(t, restored, "still deactivated")
	require.NotContains(t, restored, "taken back until", "the date of the deletion means nothing any more")
	require.NotEmpty(t, w.told(ada, "Your account was restored"))
}

// After an erasure there is no mail, whatever was waiting.
func TestChanges_are_not_told_after_an_erasure(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.env["MAIL_RETRY_AFTER"] = "1h"
	w.start()
	ada := w.known("Ada")[0]
	w.standing(t.Context(), ada, auth.AccountStandingChangedData{
		Standing: auth.StandingDeleted,
		Version:  2,
		Cause:    auth.VerbDelete,
		By:       newID(t).String(),
	})
	w.eventually(func() bool {
		return w.count("SELECT count(*) FROM deliveries WHERE recipient_id = $1 AND reason = 'facts_missing'", ada.id) == 1
	}, "the mail waits for the date")
	w.standing(t.Context(), ada, auth.AccountStandingChangedData{
		Standing: auth.StandingErased,
		Version:  3,
		Cause:    auth.VerbErase,
		By:       "system",
	})
	w.eventually(func() bool {
		return w.count("SELECT count(*) FROM deliveries WHERE recipient_id = $1 AND state = 'skipped'", ada.id) == 1
	}, "the mail is stopped")
	require.Empty(t, w.smtp.Mails())
}

// Roles that were given or taken are told; an event from before it said which is not.
func TestChanges_of_roles_are_told(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	ada := w.known("Ada")[0]
	at := time.Date(2026, 3, 2, 14, 4, 5, 0, time.UTC)
	publish(t.Context(), t, w.auth, auth.RolesChanged, ada.id, auth.RolesChangedData{
		AccountID: ada.id,
		Roles:     []string{"user"},
		Version:   2,
		At:        at,
	})
	publish(t.Context(), t, w.auth, auth.RolesChanged, ada.id, auth.RolesChangedData{
		AccountID: ada.id,
		Roles:     []string{"admin"},
		Version:   3,
		Added:     []string{"admin"},
		Removed:   []string{"user"},
		By:        newID(t).String(),
		At:        at,
	})
	mail := w.mailTo(ada, "Your roles were changed")
	require.Contains(t, mail.Text, "Roles given: admin")
	require.Contains(t, mail.Text, "Roles taken: user")
	require.Contains(t, mail.Text, "Done by: an administrator")
	require.Contains(t, w.told(ada, "Your roles were changed"), "Given: admin. Taken: user.")
	require.EqualValues(t, 1, w.count("SELECT count(*) FROM deliveries WHERE recipient_id = $1", ada.id))
}

// A name that somebody else changed is told; one's own change, and a change of something else, are not.
func TestChanges_of_the_name_are_told(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	ada := w.known("Ada")[0]
	updated := func(by string, version int64, name, zone string) {
		ctx := events.WithActor(t.Context(), "default", by)
		publish(ctx, t, w.users, users.UserUpdated, ada.id, users.UserUpdatedData{
			UserID:   ada.id,
			Version:  version,
			Email:    ada.email,
			FullName: name,
			Locale:   "en",
			TimeZone: zone,
		})
	}
	admin := newID(t).String()
	updated(ada.id.String(), 2, "Augusta", "")
	updated(admin, 3, "Augusta", "Europe/Berlin")
	updated("system", 4, "Augusta Ada", "Europe/Berlin")
	updated(admin, 5, "Somebody Else", "Europe/Berlin")
	mail := w.mailTo(ada, "Your name was changed")
	require.Contains(t, mail.Text, "Done by: an administrator")
	require.NotEmpty(t, w.told(ada, "Your name was changed"))
	require.EqualValues(t, 1, w.count("SELECT count(*) FROM deliveries WHERE recipient_id = $1", ada.id))
}

// Of too many sign-ins from new places no more is told, and the last one says so.
func TestChanges_new_devices_are_told_until_auth_says_that_it_is_enough(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	ada := w.known("Ada")[0]
	for _, d := range []auth.SessionStartedData{{NewDevice: true, Quiet: true}, {NewDevice: true, LastNotice: true}} {
		d.AccountID, d.SessionID, d.At = ada.id, newID(t), time.Now()
		publish(t.Context(), t, w.auth, auth.SessionStarted, ada.id, d)
	}
	require.Contains(t, w.mailTo(ada, "New sign-in to your account").Text, "the last one within a day")
	require.Contains(t, w.told(ada, "New sign-in to your account"), "the last one within a day")
	require.EqualValues(t, 1, w.count("SELECT count(*) FROM deliveries WHERE recipient_id = $1", ada.id))
}

// A warning that comes too late for its link, or whose link another mail has, is still true: it goes out without. A mail that is about its
// link is nothing without it, and its delivery says why.
func TestChanges_a_warning_goes_out_without_its_link(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	svc := w.start()
	w.links.fail.Store(errs.New(errs.Conflict, "link_not_asked_for", "Nothing has happened that this link would be for."))
	ada := w.known("Ada")[0]
	publish(t.Context(), t, w.auth, auth.PasswordChanged, ada.id, auth.PasswordChangedData{AccountID: ada.id, Device: "Firefox on Linux", At: time.Now()})
	mail := w.mailTo(ada, "Your password was changed")
	require.Contains(t, mail.Text, "Firefox on Linux")
	require.NotContains(t, mail.Text, "token=")
	require.NotContains(t, mail.Text, "link")

	grace := w.known("Grace")[0]
	publish(t.Context(), t, w.auth, auth.PasswordResetRequested, grace.id, auth.AccountData{AccountID: grace.id, At: time.Now()})
	require.Equal(t, "link_not_asked_for", w.only(svc.URL, grace, api.DeliverySkipped).Reason)

	w.links.unsent.Store(w.links.fail.Swap(nil)) // its time was over between the two
	edsger := w.known("Edsger")[0]
	publish(t.Context(), t, w.auth, auth.SessionCompromised, edsger.id, auth.SessionCompromisedData{AccountID: edsger.id, Device: "Firefox on Linux", At: time.Now()})
	mail = w.mailTo(edsger, "We have ended a session of yours")
	require.NotContains(t, mail.Text, "token=")
	require.NotContains(t, mail.Text, "link")

	w.links.unsent.Store(errs.New(errs.Conflict, "link_not_needed", "The account has no use for this link any more."))
	barbara := w.known("Barbara")[0]
	publish(t.Context(), t, w.auth, auth.PasswordChanged, barbara.id, auth.PasswordChangedData{AccountID: barbara.id, At: time.Now()})
	require.Equal(t, "not_needed", w.only(svc.URL, barbara, api.DeliverySkipped).Reason, "the account was closed, and its holder told of that")
}

// The owner of an account that cannot be used learns that somebody signed up with its address, which is only told to those who are kept out.
func TestChanges_who_is_kept_out_is_told_of_a_sign_up(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	for name, is := range map[string]auth.Standing{"Ada": auth.StandingDisabled, "Grace": auth.StandingDeleted} {
		out := w.known(name)[0]
		w.stands(t.Context(), out.id, is, 2)
		w.eventually(func() bool {
			return w.count("SELECT count(*) FROM recipients WHERE id = $1 AND NOT active", out.id) == 1
		}, "the standing has arrived")
		publish(t.Context(), t, w.auth, auth.RegistrationAttempted, out.id, auth.RegistrationAttemptedData{AccountID: out.id, At: time.Now(), Closed: true})
		mail := w.mailTo(out, "You have an account that cannot be used")
		require.Contains(t, mail.Text, "ask those who run Atrium")
		require.NotContains(t, mail.Text, "token=")
	}
}
