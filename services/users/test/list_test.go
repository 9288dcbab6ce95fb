package test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/op"
	"github.com/atrium-mesh/atrium/pkg/page"
	"github.com/atrium-mesh/atrium/services/users/api"
)

func TestList(t *testing.T) {
	t.Parallel()
	m := setup(t)
	_, err := m.db.Exec(t.Context(), `INSERT INTO users (id, email, full_name, status, roles, created_at, last_sign_in_at)
		SELECT gen_random_uuid(), 'person' || lpad(i::text, 3, '0') || '@example.com', CASE WHEN i % 2 = 0 THEN 'Even ' ELSE 'Odd_100%\ ' END || i,
		(ARRAY['active','pending','deactivated','deleted'])[1 + i % 4], CASE WHEN i % 5 = 0 THEN ARRAY['support'] ELSE ARRAY['user'] END,
		'2026-01-01'::timestamptz + (i / 3) * interval '1 hour', CASE WHEN i % 3 = 0 THEN '2026-02-01'::timestamptz + i * interval '1 minute' END
		FROM generate_series(1, 200) i`)
	require.NoError(t, err)
	list := func(in api.ListUsersRequest) (api.UserPage, error) {
		out, err := op.HTTPClient(m.http, api.ListUsers)(m.support(), &in)
		if err != nil {
			return api.UserPage{}, err
		}
		return out.Body, nil
	}

	t.Run("pages", func(t *testing.T) {
		t.Parallel()
		p, err := list(api.ListUsersRequest{Query: page.Query{Page: 3, PageSize: 40}})
		require.NoError(t, err)
		require.EqualValues(t, 150, p.Total, "deleted users are left out")
		require.Equal(t, 4, p.Pages)
		require.Len(t, p.Items, 40)
	})
	for _, sort := range []string{"created_at", "-created_at", "full_name", "-email", "last_sign_in_at", "-last_sign_in_at"} {
		t.Run("cursor walks every user once by "+sort, func(t *testing.T) {
			t.Parallel()
			seen, in := map[string]bool{}, api.ListUsersRequest{Query: page.Query{PageSize: 17}, Sort: sort}
			for {
				p, err := list(in)
				require.NoError(t, err)
				require.EqualValues(t, 150, p.Total)
				for _, u := range p.Items {
					require.False(t, seen[u.ID], "twice")
					seen[u.ID] = true
				}
				if p.NextCursor == "" {
					break
				}
				in.Cursor = p.NextCursor
			}
			require.Len(t, seen, 150)
		})
	}
	for name, c := range map[string]struct {
		in    api.ListUsersRequest
		total int64
	}{
		"status":             {api.ListUsersRequest{Status: "deleted"}, 50},
		"role":               {api.ListUsersRequest{Role: "support"}, 30},
		"text":               {api.ListUsersRequest{Q: "EVEN"}, 100},
		"wildcards are text": {api.ListUsersRequest{Q: `_100%\`}, 50},
		"no such text":       {api.ListUsersRequest{Q: "%%"}, 0},
		"address":            {api.ListUsersRequest{Q: "person00"}, 7},
		"created":            {api.ListUsersRequest{CreatedAfter: time.Date(2026, 1, 1, 1, 0, 0, 0, time.UTC), CreatedBefore: time.Date(2026, 1, 1, 2, 0, 0, 0, time.UTC)}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := list(c.in)
			require.NoError(t, err)
			require.Equal(t, c.total, p.Total)
		})
	}
	t.Run("refuses", func(t *testing.T) {
		t.Parallel()
		first, err := list(api.ListUsersRequest{})
		require.NoError(t, err)
		_, err = list(api.ListUsersRequest{Query: page.Query{Cursor: first.NextCursor}, Status: "active"})
		require.Equal(t, "invalid_cursor", errs.From(err).Code, "a cursor belongs to its list")
		_, err = list(api.ListUsersRequest{Query: page.Query{Cursor: "AAAA"}})
		require.Equal(t, "invalid_cursor", errs.From(err).Code)
		_, err = list(api.ListUsersRequest{Sort: "password"})
		require.ErrorIs(t, err, errs.Invalid)
		_, err = list(api.ListUsersRequest{Sort: "email,full_name"})
		require.ErrorIs(t, err, errs.Invalid)
		status, _, _ := m.raw(http.MethodGet, "/api/v1/users?page_size=1000", "", nil)
		require.Equal(t, http.StatusUnprocessableEntity, status)
		status, _, _ = m.raw(http.MethodGet, "/api/v1/users?colour=red", "", nil)
		require.Equal(t, http.StatusUnprocessableEntity, status)
	})
}
