package test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	auth "github.com/atrium-mesh/atrium/services/auth/api"
)

// The request for a link carries the generation that the mail was asked for under, so that auth can tell that the account was closed
// since. A sign-up whose mailbox has had enough gets no mail.
func TestLinksAreAskedForUnderTheirGeneration(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.start()
	id, at := newID(t), time.Date(2026, 3, 2, 14, 4, 5, 0, time.UTC)
	publish(t.Context(), t, w.auth, auth.AccountRegistered, id, auth.AccountRegisteredData{
		AccountID: id, Email: "ada@example.com", FullName: "Ada", Origin: auth.OriginSignUp, Unmailed: true, At: at,
	})
	publish(t.Context(), t, w.auth, auth.VerificationRequested, id, auth.AccountData{AccountID: id, At: at, Generation: 3})
	publish(t.Context(), t, w.auth, auth.PasswordResetRequested, id, auth.AccountData{AccountID: id, At: at, Generation: 4})
	publish(t.Context(), t, w.auth, auth.RegistrationAttempted, id, auth.RegistrationAttemptedData{AccountID: id, At: at, Generation: 5})
	w.eventually(func() bool {
		return w.count("SELECT count(*) FROM deliveries WHERE recipient_id = $1 AND state = 'sent'", id) == 3
	}, "the mails are sent")
	require.ElementsMatch(t, []int64{3, 4, 5}, w.links.generations(id))
}
