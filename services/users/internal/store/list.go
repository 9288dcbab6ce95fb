package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/services/users/internal/store/db"
)

// Filter says which users a list holds. Zero fields do not filter; deleted users are there only when asked for by status.
type Filter struct {
	Text          string // part of the name or address, in any case
	Status        string
	Role          string
	CreatedAfter  time.Time // inclusive
	CreatedBefore time.Time // exclusive
}

// Order is how a list is sorted, with the id for those that are equal.
type Order struct {
	By   string // a key of columns
	Desc bool
}

// Position is the last row of a page: the next one begins after it. Key is the value of the column that the list is sorted by.
type Position struct {
	Key any
	ID  uuid.UUID
}

// Slice is which rows of the list: Limit rows after After, or after Offset rows when After is nil.
type Slice struct {
	Limit  int32
	Offset int64
	After  *Position
}

// columns are the orders that a list can have: each has an index. Their texts go into SQL, so they are written here only.
var columns = map[string]struct{ expression, cast string }{
	"created_at":      {"created_at", "timestamptz"},
	"full_name":       {"full_name", "text"},
	"email":           {"email", "text"},
	"last_sign_in_at": {"coalesce(last_sign_in_at, '-infinity'::timestamptz)", "timestamptz"},
}

// List is one slice of the users that the filter leaves.
func (s *Store) List(ctx context.Context, f Filter, o Order, part Slice) ([]db.User, error) {
	column, ok := columns[o.By]
	if !ok {
		return nil, fmt.Errorf("list users: no order by %q", o.By)
	}
	where, args := f.where()
	direction, beyond := "ASC", ">"
	if o.Desc {
		direction, beyond = "DESC", "<"
	}
	if part.After != nil {
		args = append(args, part.After.Key, part.After.ID)
		where += fmt.Sprintf(" AND (%s, id) %s ($%d::%s, $%d)", column.expression, beyond, len(args)-1, column.cast, len(args))
	}
	args = append(args, part.Limit, part.Offset)
	sql := fmt.Sprintf("SELECT * FROM users WHERE %s ORDER BY %s %s, id %s LIMIT $%d OFFSET $%d",
		where, column.expression, direction, direction, len(args)-1, len(args))
	rows, err := s.pool.Query(ctx, sql, args...)
	if err != nil {
		return nil, fmt.Errorf("list users: %w", pg.Err(err))
	}
	users, err := pgx.CollectRows(rows, pgx.RowToStructByName[db.User])
	if err != nil {
		return nil, fmt.Errorf("list users: %w", pg.Err(err))
	}
	return users, nil
}

// Count is how many users the filter leaves.
func (s *Store) Count(ctx context.Context, f Filter) (int64, error) {
	where, args := f.where()
	var n int64
	if err := s.pool.QueryRow(ctx, "SELECT count(*) FROM users WHERE "+where, args...).Scan(&n); err != nil {
		return 0, fmt.Errorf("count users: %w", pg.Err(err))
	}
	return n, nil
}

// where is the filter as a condition. Values are arguments, never text of the statement.
func (f Filter) where() (string, []any) {
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
