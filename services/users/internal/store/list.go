package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/services/users/internal/store/db"
	"github.com/atrium-mesh/atrium/services/users/internal/users"
)

// columns are the orders that a list can have: each has an index. Their texts go into SQL, so they are written here only.
var columns = map[string]struct{ expression, cast string }{
	users.ByCreatedAt:    {"created_at", "timestamptz"},
	users.ByFullName:     {"full_name", "text"},
	users.ByEmail:        {"email", "text"},
	users.ByLastSignInAt: {"coalesce(last_sign_in_at, '-infinity'::timestamptz)", "timestamptz"},
}

// List is one slice of the users that the filter leaves.
func (s *Store) List(ctx context.Context, f users.Filter, o users.Order, part users.Slice) ([]users.User, error) {
	column, ok := columns[o.By]
	if !ok {
		return nil, fmt.Errorf("list users: no order by %q", o.By)
	}
	condition, args := where(f)
	direction, beyond := "ASC", ">"
	if o.Desc {
		direction, beyond = "DESC", "<"
	}
	if part.After != nil {
		args = append(args, part.After.Key, part.After.ID)
		condition += fmt.Sprintf(" AND (%s, id) %s ($%d::%s, $%d)", column.expression, beyond, len(args)-1, column.cast, len(args))
	}
	args = append(args, part.Limit, part.Offset)
	sql := fmt.Sprintf("SELECT * FROM users WHERE %s ORDER BY %s %s, id %s LIMIT $%d OFFSET $%d",
		condition, column.expression, direction, direction, len(args)-1, len(args))
	rows, err := s.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("list users: %w", pg.Err(err))
	}
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (users.User, error) {
		u, err := pgx.RowToStructByName[db.User](row)
		return userOf(u), err
	})
	if err != nil {
		return nil, fmt.Errorf("list users: %w", pg.Err(err))
	}
	return found, nil
}

// Count is how many users the filter leaves. A large number may be a few seconds old.
func (s *Store) Count(ctx context.Context, f users.Filter) (int64, error) {
	if n, ok := s.totals.get(f, time.Now()); ok {
		return n, nil
	}
	condition, args := where(f)
	var n int64
	if err := s.pool.QueryRow(ctx, "SELECT count(*) FROM users WHERE "+condition, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count users: %w", pg.Err(err))
	}
	s.totals.put(f, n, time.Now())
	return n, nil
}

// where is the filter as a condition. Values are arguments, never text of the statement.
func where(f users.Filter) (string, []any) {
	var terms []string
	var args []any
	add := func(term string, arg any) {
		args = append(args, arg)
		terms = append(terms, fmt.Sprintf(term, len(args)))
	}
	if f.Status != "" {
		add("status = $%d", f.Status)
	} else {
		terms = append(terms, "status <> 'deleted'")
	}
	if f.Text != "" {
		add("search LIKE $%d", "%"+escapeLike(strings.ToLower(f.Text))+"%")
	}
	if f.Role != "" {
		add("roles @> ARRAY[$%d::text]", f.Role)
	}
	if !f.CreatedAfter.IsZero() {
		add("created_at >= $%d", f.CreatedAfter)
	}
	if !f.CreatedBefore.IsZero() {
		add("created_at < $%d", f.CreatedBefore)
	}
	return strings.Join(terms, " AND "), args
}

// escapeLike makes the text stand for itself in a LIKE pattern.
func escapeLike(s string) string {
	return strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`).Replace(s)
}
