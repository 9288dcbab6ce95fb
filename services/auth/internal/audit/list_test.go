package audit_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/page"
	"github.com/atrium-mesh/atrium/pkg/request"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/audit"
	"github.com/atrium-mesh/atrium/services/auth/internal/authtest"
	"github.com/atrium-mesh/atrium/services/auth/internal/identity"
)

type bundle struct {
	*authtest.Bundle
	*audit.Trail
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := authtest.New(t)
	return &bundle{b, audit.NewTrail(b.Store, b.Cursors)}
}

func (b *bundle) write(t *testing.T, ctx context.Context, action, subject string, change func(audit.Entry) audit.Entry) audit.Entry {
	t.Helper()
	b.Clock.Advance(time.Second)
	entry, err := audit.New(ctx, b.Clock.Now(), action, subject)
	require.NoError(t, err)
	if change != nil {
		entry = change(entry)
	}
	require.NoError(t, b.Store.InTx(ctx, func(tx identity.Tx) error { return tx.WriteAudit(ctx, entry) }))
	return entry
}

func (b *bundle) actions(t *testing.T, in *api.ListAuditRequest) []string {
	t.Helper()
	out, err := b.List(t.Context(), in)
	require.NoError(t, err)
	require.EqualValues(t, len(out.Body.Items), out.Body.Total)
	names := []string{}
	for _, e := range out.Body.Items {
		names = append(names, e.Action)
	}
	return names
}

func TestList(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ada, grace := uuid.Must(uuid.NewV7()), uuid.Must(uuid.NewV7())
	ctx := request.With(t.Context(), request.Request{ID: "req-1", ClientIP: "203.0.113.7", UserAgent: "curl/8.14.1"})
	start := b.Clock.Now()
	b.write(t, ctx, audit.AccountRegistered, ada.String(), func(e audit.Entry) audit.Entry { return e.By(ada.String()) })
	b.write(t, authtest.As(ctx, grace), audit.RolesAssigned, ada.String(), func(e audit.Entry) audit.Entry {
		return e.With("before", []string{"user"}).With("after", []string{"admin"})
	})
	b.write(t, t.Context(), audit.SessionStarted, grace.String(), audit.Entry.Failed)

	out, err := b.List(t.Context(), &api.ListAuditRequest{})
	require.NoError(t, err)
	require.EqualValues(t, 3, out.Body.Total)
	require.Equal(t, audit.SessionStarted, out.Body.Items[0].Action, "the latest first")
	require.Equal(t, audit.System, out.Body.Items[0].Actor)
	require.Equal(t, audit.Failure, out.Body.Items[0].Outcome)
	require.Empty(t, out.Body.Items[0].Device)
	require.Empty(t, out.Body.Items[0].Details)
	assigned := out.Body.Items[1]
	require.Equal(t, grace.String(), assigned.Actor)
	require.Equal(t, map[string]any{"before": []any{"user"}, "after": []any{"admin"}}, assigned.Details)
	require.Equal(t, []string{"203.0.113.7", "curl", "req-1", "success"}, []string{assigned.IP, assigned.Device, assigned.RequestID, assigned.Outcome})
	require.Equal(t, start.Add(2*time.Second), assigned.At)

	for name, c := range map[string]struct {
		in   api.ListAuditRequest
		want []string
	}{
		"action":           {api.ListAuditRequest{Action: audit.RolesAssigned}, []string{audit.RolesAssigned}},
		"actor":            {api.ListAuditRequest{Actor: ada.String()}, []string{audit.AccountRegistered}},
		"subject":          {api.ListAuditRequest{Subject: ada.String()}, []string{audit.RolesAssigned, audit.AccountRegistered}},
		"outcome":          {api.ListAuditRequest{Outcome: audit.Failure}, []string{audit.SessionStarted}},
		"from is included": {api.ListAuditRequest{From: start.Add(2 * time.Second)}, []string{audit.SessionStarted, audit.RolesAssigned}},
		"to is not":        {api.ListAuditRequest{To: start.Add(2 * time.Second)}, []string{audit.AccountRegistered}},
		"together":         {api.ListAuditRequest{Subject: ada.String(), Outcome: audit.Failure}, []string{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, c.want, b.actions(t, &c.in))
		})
	}
}

func TestList_pages_and_cursors(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i := range 7 {
		b.write(t, t.Context(), audit.RoleCreated, fmt.Sprint("role-", i), nil)
	}
	in := &api.ListAuditRequest{Action: audit.RoleCreated}
	in.PageSize = 3
	var subjects []string
	for {
		out, err := b.List(t.Context(), in)
		require.NoError(t, err)
		require.EqualValues(t, 7, out.Body.Total)
		for _, e := range out.Body.Items {
			subjects = append(subjects, e.Subject)
		}
		if out.Body.NextCursor == "" {
			break
		}
		in.Cursor = out.Body.NextCursor
	}
	require.Equal(t, []string{"role-6", "role-5", "role-4", "role-3", "role-2", "role-1", "role-0"}, subjects)

	other := *in
	other.Action = ""
	_, err := b.List(t.Context(), &other)
	require.ErrorIs(t, err, errs.Malformed, "a cursor is of one list only")

	in = &api.ListAuditRequest{}
	in.Page, in.PageSize = 3, 3
	out, err := b.List(t.Context(), in)
	require.NoError(t, err)
	require.Equal(t, "role-0", out.Body.Items[0].Subject)
}

func TestList_refuses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	now := b.Clock.Now()
	_, err := b.List(t.Context(), &api.ListAuditRequest{From: now, To: now})
	require.ErrorIs(t, err, errs.Invalid)
	require.Equal(t, "query.to", errs.From(err).Fields[0].Field)
	for _, in := range []api.ListAuditRequest{
		{Action: strings.Repeat("a", 1<<20)}, {Actor: strings.Repeat("a", 101)}, {Subject: "a\x00"}, {Outcome: "\u202e"},
	} {
		_, err := b.List(t.Context(), &in)
		require.ErrorIs(t, err, errs.Invalid)
	}
	b.Pool.Close()
	_, err = b.List(t.Context(), &api.ListAuditRequest{})
	require.ErrorIs(t, err, errs.Unavailable)
}

// Whoever looks at the first page does not have millions of entries counted; what is beyond the count can be read all the same.
func TestList_counts_no_further(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.Pool.Exec(t.Context(), `INSERT INTO audit_log (id, at, action, actor, subject, outcome, ip, device, details)
		SELECT gen_random_uuid(), $1::timestamptz + i * interval '1 ms', CASE WHEN i <= 3 THEN 'first' ELSE 'then' END, 'system', 'x', 'success', '', '', '{}'
		FROM generate_series(1, 50003) i`, b.Clock.Now())
	require.NoError(t, err)
	read := func(in *api.ListAuditRequest) api.AuditResponse {
		out, err := b.List(t.Context(), in)
		require.NoError(t, err)
		return *out
	}
	all := read(&api.ListAuditRequest{}).Body
	require.EqualValues(t, 50_000, all.Total)
	require.NotEmpty(t, all.NextCursor)
	require.EqualValues(t, 3, read(&api.ListAuditRequest{Action: "first"}).Body.Total)
	last := read(&api.ListAuditRequest{Query: page.Query{Page: 2501}}).Body
	require.Len(t, last.Items, 3)
	require.Equal(t, "first", last.Items[0].Action)
}
