package test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/request"
	"github.com/atrium-mesh/atrium/pkg/token/tokentest"
	"github.com/atrium-mesh/atrium/services/notifications/api"
)

const ticketPath = "/api/v1/notifications/stream/ticket"

//nolint:paralleltest // the steps of one story, in order
func TestTickets(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one, two := w.start(), w.start()
	ada := w.known("Ada")[0]
	bearer := w.issuer.SignUser(ada.id.String())
	tel := w.recorder.Telemetry("gateway")
	redeemAs := func(identity op.Identity) func(context.Context, *api.RedeemStreamTicketRequest) (*api.RedeemStreamTicketResponse, error) {
		return op.NATSClient(op.NewNATSCaller(w.nats.Connect(t), tel.Tracer, tel.Propagator, identity), api.RedeemStreamTicket)
	}
	redeem := redeemAs(w.issuer.Identity("gateway"))
	ticket := func(t *testing.T, bearer string) api.StreamTicket {
		t.Helper()
		got := call(t, http.MethodPost, one.URL+ticketPath, bearer, nil)
		require.Equal(t, http.StatusCreated, got.status, string(got.body))
		require.Equal(t, "no-store", got.header.Get("Cache-Control"))
		var out api.StreamTicket
		got.into(t, &out)
		return out
	}
	refused := func(t *testing.T, text string) {
		t.Helper()
		_, err := redeem(t.Context(), &api.RedeemStreamTicketRequest{Ticket: text})
		require.ErrorIs(t, err, errs.Unauthenticated)
		require.Equal(t, "ticket_invalid", errs.From(err).Code)
	}

	t.Run("works once, at any replica", func(t *testing.T) {
		got := ticket(t, bearer)
		require.WithinDuration(t, time.Now().Add(30*time.Second), got.ExpiresAt, 10*time.Second)
		out, err := redeem(t.Context(), &api.RedeemStreamTicketRequest{Ticket: got.Ticket})
		require.NoError(t, err)
		require.Equal(t, bearer, out.AccessToken)
		refused(t, got.Ticket)
		require.Zero(t, w.count("SELECT count(*) FROM stream_tickets"))
	})

	t.Run("the table tells nothing", func(t *testing.T) {
		got := ticket(t, bearer)
		var row string
		require.NoError(t, w.db.QueryRow(t.Context(), "SELECT encode(hash, 'escape') || encode(sealed, 'escape') || row_to_json(s)::text FROM stream_tickets s").Scan(&row))
		for _, secret := range []string{got.Ticket, bearer, strings.Split(bearer, ".")[1]} {
			require.NotContains(t, row, secret)
		}
		other := ticket(t, bearer)
		_, err := w.db.Exec(t.Context(), "UPDATE stream_tickets a SET sealed = b.sealed FROM stream_tickets b WHERE a.hash <> b.hash")
		require.NoError(t, err)
		for _, text := range []string{got.Ticket, other.Ticket} { // a row that was exchanged opens nothing
			_, err = redeem(t.Context(), &api.RedeemStreamTicketRequest{Ticket: text})
			require.ErrorIs(t, err, errs.Internal)
		}
	})

	t.Run("not too late", func(t *testing.T) {
		got := ticket(t, bearer)
		_, err := w.db.Exec(t.Context(), "UPDATE stream_tickets SET expires_at = now() - interval '1 millisecond'")
		require.NoError(t, err)
		refused(t, got.Ticket)
		require.Zero(t, w.count("SELECT count(*) FROM stream_tickets"), "and is gone")
	})

	t.Run("not made up", func(t *testing.T) {
		got := ticket(t, bearer).Ticket
		for _, text := range []string{"", "x", got[1:], got + "=", got + "A", strings.Repeat("A", 43), strings.Repeat("/", 43), got[:42] + "\n"} {
			refused(t, text)
		}
		_, err := redeem(t.Context(), &api.RedeemStreamTicketRequest{Ticket: got})
		require.NoError(t, err)
	})

	t.Run("not longer than its token", func(t *testing.T) {
		expiry := time.Now().Add(10 * time.Second)
		got := ticket(t, w.issuer.Sign(tokentest.Claims{Subject: ada.id.String(), ExpiresAt: expiry}))
		require.False(t, got.ExpiresAt.After(expiry), "%s after %s", got.ExpiresAt, expiry)
		_, err := redeem(t.Context(), &api.RedeemStreamTicketRequest{Ticket: got.Ticket})
		require.NoError(t, err)
	})

	t.Run("so many for a person", func(t *testing.T) {
		grace := w.known("Grace")[0]
		hers := w.issuer.SignUser(grace.id.String())
		answers := make(chan answer, 40)
		for i := range 40 {
			at := []string{one.URL, two.URL}[i%2]
			go func() { answers <- call(t, http.MethodPost, at+ticketPath, hers, nil) }()
		}
		made := 0
		for range 40 {
			switch got := <-answers; got.status {
			case http.StatusCreated:
				made++
			default:
				require.Equal(t, "too_many_tickets", got.code(t))
				require.NotEmpty(t, got.header.Get("Retry-After"))
			}
		}
		require.Equal(t, 20, made, "also when all come at once")
		ticket(t, bearer)
		_, err := w.db.Exec(t.Context(), "UPDATE stream_tickets SET expires_at = now() WHERE recipient_id = $1", grace.id)
		require.NoError(t, err)
		ticket(t, hers)
		require.EqualValues(t, 1, w.count("SELECT count(*) FROM stream_tickets WHERE recipient_id = $1", grace.id), "expired ones make room")
	})

	t.Run("redeemed by the gateway alone", func(t *testing.T) {
		got := ticket(t, bearer).Ticket
		for name, identity := range map[string]op.Identity{"users": w.issuer.Identity("users"), "auth": w.issuer.Identity("auth"), "nobody": nil} {
			_, err := redeemAs(identity)(t.Context(), &api.RedeemStreamTicketRequest{Ticket: got})
			require.Error(t, err, name)
			_, err = redeemAs(identity)(request.WithToken(t.Context(), bearer), &api.RedeemStreamTicketRequest{Ticket: got})
			require.Error(t, err, name)
		}
		_, err := redeem(t.Context(), &api.RedeemStreamTicketRequest{Ticket: got})
		require.NoError(t, err)
	})

	t.Run("only for those who are signed in", func(t *testing.T) {
		require.Equal(t, http.StatusUnauthorized, call(t, http.MethodPost, one.URL+ticketPath, "", nil).status)
	})
}
