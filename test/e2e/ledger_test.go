package e2e_test

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
	"github.com/stretchr/testify/require"

	authapi "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/test/e2e/client"
	"github.com/atrium-mesh/atrium/test/e2e/mesh"
)

// ledger counts in the databases and in JetStream what the kills may have cost. It is the only part of the tests that looks behind the
// gateway.
type ledger struct {
	t    *testing.T
	ctx  context.Context
	db   map[string]*pgx.Conn // by service
	js   jetstream.JetStream
	asks []subscription
}

// subscription is a consumer of a stream with what it handles.
type subscription struct {
	producer, consumer string
	types              []string
	handle             jetstream.Consumer
}

func openLedger(t *testing.T, m *mesh.Mesh) *ledger {
	t.Helper()
	l := &ledger{t: t, ctx: context.WithoutCancel(t.Context()), db: map[string]*pgx.Conn{}}
	for _, service := range []string{"auth", "users", "notifications"} {
		l.db[service] = m.Postgres.Connect(service)
	}
	conn, err := nats.Connect(m.NATS.URL())
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	l.js, err = jetstream.New(conn)
	require.NoError(t, err)
	for _, producer := range []string{"auth", "users", "notifications"} {
		stream, err := l.js.Stream(l.ctx, strings.ToUpper(producer))
		require.NoError(t, err)
		for info := range stream.ListConsumers(l.ctx).Info() {
			s := subscription{producer: producer, consumer: info.Name}
			for _, subject := range info.Config.FilterSubjects {
				s.types = append(s.types, strings.TrimPrefix(subject, "events."))
			}
			slices.Sort(s.types)
			s.handle, err = stream.Consumer(l.ctx, info.Name)
			require.NoError(t, err)
			l.asks = append(l.asks, s)
		}
	}
	require.GreaterOrEqual(t, len(l.asks), 4, "users and notifications hear auth; auth and notifications hear users")
	return l
}

// waitQuiet returns when everything that was committed has been published, handled and sent.
func (l *ledger) waitQuiet() {
	l.t.Helper()
	deadline, busy := time.Now().Add(quietWithin), ""
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	for busy = l.busy(); busy != ""; busy = l.busy() {
		require.True(l.t, time.Now().Before(deadline), "not quiet after %v: %s", quietWithin, busy)
		<-ticker.C
	}
}

// busy says what is still to be done, "" when nothing is.
func (l *ledger) busy() string {
	for service := range l.db {
		if l.count(service, "SELECT count(*) FROM outbox WHERE published_at IS NULL") > 0 {
			return service + " has events to publish"
		}
	}
	for _, s := range l.asks {
		info, err := s.handle.Info(l.ctx)
		require.NoError(l.t, err)
		if info.NumPending > 0 || info.NumAckPending > 0 {
			return s.consumer + " has events of " + s.producer + " to handle"
		}
	}
	if l.count("notifications", "SELECT count(*) FROM deliveries WHERE state IN ('queued', 'sending', 'failed')") > 0 {
		return "notifications has mails to send"
	}
	return ""
}

func (l *ledger) count(service, query string, args ...any) int {
	l.t.Helper()
	var n int
	require.NoError(l.t, l.db[service].QueryRow(l.ctx, query, args...).Scan(&n), "%s: %s", service, query)
	return n
}

// texts are the rows of a query with one or two columns of text.
func (l *ledger) texts(service, query string, args ...any) map[string]string {
	l.t.Helper()
	rows, err := l.db[service].Query(l.ctx, query, args...)
	require.NoError(l.t, err, query)
	defer rows.Close()
	found := map[string]string{}
	for rows.Next() {
		var key, value string
		require.NoError(l.t, rows.Scan(&key, &value), query)
		require.NotContains(l.t, found, key, "%s: twice in %s", service, query)
		found[key] = value
	}
	require.NoError(l.t, rows.Err(), query)
	return found
}

// everybodyIsThere: one account, one profile, one recipient and one verification mail for each person, with the newest name.
func (l *ledger) everybodyIsThere(people []client.Person) {
	l.t.Helper()
	accounts := l.texts("auth", "SELECT email, id::text FROM accounts")
	names := l.texts("users", "SELECT id::text, full_name FROM users")
	recipients := l.texts("notifications", "SELECT id::text, full_name FROM recipients")
	addresses := l.texts("notifications", "SELECT id::text, email FROM recipients")
	mails := l.texts("notifications", "SELECT recipient_id::text, state || ' ' || reason FROM deliveries WHERE template = 'verification'")
	verified := l.texts("auth", "SELECT email, verified_at::text FROM accounts WHERE verified_at IS NOT NULL")
	links := l.texts("auth", "SELECT account_id::text, id::text FROM links WHERE purpose = 'verify_email'")
	for _, p := range people {
		require.Equal(l.t, p.ID, accounts[p.Email], p.Email)
		require.Equal(l.t, p.FullName, names[p.ID], "profile of %s", p.Email)
		require.Equal(l.t, p.FullName, recipients[p.ID], "recipient %s", p.Email)
		require.Equal(l.t, p.Email, addresses[p.ID])
		// Somebody may have used the link of a mail whose sender was killed before it wrote that it was sent: there is no second one then.
		if mails[p.ID] != "skipped not_needed" || verified[p.Email] == "" {
			require.Equal(l.t, "sent ", mails[p.ID], "verification mail of %s", p.Email)
		}
		require.Contains(l.t, links, p.ID, "link of %s", p.Email)
	}
	everybody := len(people) + 1 // the administrator, who verifies nothing
	for what, n := range map[string]int{"accounts": len(accounts), "profiles": len(names), "recipients": len(recipients)} {
		require.Equal(l.t, everybody, n, what)
	}
	require.Len(l.t, mails, len(people))
	require.Len(l.t, links, len(people))
	require.Equal(l.t, everybody, l.count("auth", "SELECT count(*) FROM outbox WHERE type = $1", authapi.AccountRegistered.Name))
	l.t.Logf("%d accounts, %d profiles, %d recipients, %d verification mails, all sent", len(accounts), len(names), len(recipients), len(mails))
}

// noEventIsMissing: every event of an outbox is in the inbox of every consumer that handles its type, and none is a dead letter.
func (l *ledger) noEventIsMissing() {
	l.t.Helper()
	for service := range l.db {
		require.Zero(l.t, l.count(service, "SELECT count(*) FROM dead_letters"), "dead letters of %s", service)
	}
	for _, s := range l.asks {
		committed := l.texts(s.producer, "SELECT id::text, type FROM outbox WHERE type = ANY($1)", s.types)
		handled := l.texts(s.consumer, "SELECT event_id::text, type FROM inbox WHERE consumer = $1", s.consumer)
		missing := 0
		for id, kind := range committed {
			if handled[id] != kind {
				missing++
				l.t.Errorf("%s has not handled %s %s", s.consumer, kind, id)
			}
		}
		l.t.Logf("%-13s → %-13s %5d events of %2d types, %d missing", s.producer, s.consumer, len(committed), len(s.types), missing)
	}
}
