package users

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/page"
	"github.com/atrium-mesh/atrium/pkg/text"
	auth "github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/users/api"
)

// position is where a page ended, as a cursor carries it. The total goes along, so that a walk through a long list counts it once.
type position struct {
	Key   string    `json:"k"`
	ID    uuid.UUID `json:"i"`
	Total int64     `json:"t"`
}

// List lists users.
func (s *Service) List(ctx context.Context, in *api.ListUsersRequest) (*api.ListUsersResponse, error) {
	if err := checkFilter(in); err != nil {
		return nil, err
	}
	order, err := orderOf(in.Sort)
	if err != nil {
		return nil, err
	}
	filter := Filter{Text: in.Q, Status: in.Status, Role: in.Role, CreatedAfter: in.CreatedAfter, CreatedBefore: in.CreatedBefore}
	scope, err := scopeOf(filter, order)
	if err != nil {
		return nil, err
	}
	slice, total, err := s.slice(ctx, in.Query, filter, order, scope)
	if err != nil {
		return nil, err
	}
	rows, err := s.Store.List(ctx, filter, order, slice)
	if err != nil {
		return nil, err
	}
	next, err := s.nextCursor(scope, order, rows, in.Limit(), total)
	if err != nil {
		return nil, err
	}
	items := make([]api.User, 0, len(rows))
	for _, u := range rows[:min(len(rows), int(in.Limit()))] {
		items = append(items, view(u))
	}
	return &api.ListUsersResponse{Body: page.New(in.Query, items, total, next)}, nil
}

// checkFilter refuses filters that no user can match, before the database looks for them.
func checkFilter(in *api.ListUsersRequest) error {
	_, textErr := text.Optional("query.q", in.Q, maxSearch, text.Line)
	_, roleErr := text.Optional("query.role", in.Role, auth.MaxRoleName, text.Line)
	_, statusErr := text.Optional("query.status", in.Status, maxStatus, text.Line)
	return allOf(textErr, roleErr, statusErr)
}

func orderOf(sort string) (Order, error) {
	orders, err := page.ParseSort(sort, ByCreatedAt, ByFullName, ByEmail, ByLastSignInAt)
	if err != nil {
		return Order{}, err
	}
	switch len(orders) {
	case 0:
		return Order{By: ByCreatedAt, Desc: true}, nil
	case 1:
		return Order{By: orders[0].Field, Desc: orders[0].Desc}, nil
	default:
		return Order{}, errs.InvalidField("query.sort", "too_many", "must name one field")
	}
}

// scopeOf ties a cursor to the list that it was made for.
func scopeOf(f Filter, o Order) (string, error) {
	b, err := json.Marshal(struct {
		F Filter
		O Order
	}{f, o})
	if err != nil {
		return "", fmt.Errorf("list users: %w", err)
	}
	sum := sha256.Sum256(b)
	return "users:" + hex.EncodeToString(sum[:8]), nil
}

// slice is where to read, and how many there are in all. One more row than asked for tells whether there is a next page.
func (s *Service) slice(ctx context.Context, q page.Query, f Filter, o Order, scope string) (Slice, int64, error) {
	if q.Cursor == "" {
		total, err := s.Store.Count(ctx, f)
		return Slice{Limit: q.Limit() + 1, Offset: q.Offset()}, total, err
	}
	var at position
	if err := s.Cursors.Decode(scope, q.Cursor, &at); err != nil {
		return Slice{}, 0, err
	}
	key, err := keyOf(o, at.Key)
	if err != nil {
		return Slice{}, 0, err
	}
	return Slice{Limit: q.Limit() + 1, After: &Position{Key: key, ID: at.ID}}, at.Total, nil
}

func (s *Service) nextCursor(scope string, o Order, rows []User, limit int32, total int64) (string, error) {
	if len(rows) <= int(limit) {
		return "", nil
	}
	last := rows[limit-1]
	return s.Cursors.Encode(scope, position{Key: keyText(o, last), ID: last.ID, Total: total})
}

func keyText(o Order, u User) string {
	switch o.By {
	case ByFullName:
		return u.FullName
	case ByEmail:
		return u.Email
	case ByLastSignInAt:
		if u.LastSignInAt == nil {
			return Never
		}
		return u.LastSignInAt.UTC().Format(time.RFC3339Nano)
	default:
		return u.CreatedAt.UTC().Format(time.RFC3339Nano)
	}
}

func keyOf(o Order, key string) (any, error) {
	if o.By == ByFullName || o.By == ByEmail || key == Never {
		return key, nil
	}
	t, err := time.Parse(time.RFC3339Nano, key)
	if err != nil {
		return nil, errs.New(errs.Malformed, "invalid_cursor", "The cursor is not one of this list's.").WithCause(err)
	}
	return t, nil
}
