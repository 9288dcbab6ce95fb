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
	"github.com/atrium-mesh/atrium/services/users/api"
	"github.com/atrium-mesh/atrium/services/users/internal/store"
	"github.com/atrium-mesh/atrium/services/users/internal/store/db"
)

// position is where a page ended, as a cursor carries it. The total goes along, so that a walk through a long list counts it once.
type position struct {
	Key   string    `json:"k"`
	ID    uuid.UUID `json:"i"`
	Total int64     `json:"t"`
}

// List lists users.
func (s *Service) List(ctx context.Context, in *api.ListUsersRequest) (*api.ListUsersResponse, error) {
	order, err := orderOf(in.Sort)
	if err != nil {
		return nil, err
	}
	filter := store.Filter{Text: in.Q, Status: in.Status, Role: in.Role, CreatedAfter: in.CreatedAfter, CreatedBefore: in.CreatedBefore}
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

func orderOf(sort string) (store.Order, error) {
	orders, err := page.ParseSort(sort, "created_at", "full_name", "email", "last_sign_in_at")
	if err != nil {
		return store.Order{}, err
	}
	switch len(orders) {
	case 0:
		return store.Order{By: "created_at", Desc: true}, nil
	case 1:
		return store.Order{By: orders[0].Field, Desc: orders[0].Desc}, nil
	default:
		return store.Order{}, errs.InvalidField("query.sort", "too_many", "must name one field")
	}
}

// scopeOf ties a cursor to the list that it was made for.
func scopeOf(f store.Filter, o store.Order) (string, error) {
	b, err := json.Marshal(struct {
		F store.Filter
		O store.Order
	}{f, o})
	if err != nil {
		return "", fmt.Errorf("list users: %w", err)
	}
	sum := sha256.Sum256(b)
	return "users:" + hex.EncodeToString(sum[:8]), nil
}

// slice is where to read, and how many there are in all. One more row than asked for tells whether there is a next page.
func (s *Service) slice(ctx context.Context, q page.Query, f store.Filter, o store.Order, scope string) (store.Slice, int64, error) {
	if q.Cursor == "" {
		total, err := s.Store.Count(ctx, f)
		return store.Slice{Limit: q.Limit() + 1, Offset: q.Offset()}, total, err
	}
	var at position
	if err := s.Cursors.Decode(scope, q.Cursor, &at); err != nil {
		return store.Slice{}, 0, err
	}
	key, err := keyOf(o, at.Key)
	if err != nil {
		return store.Slice{}, 0, err
	}
	return store.Slice{Limit: q.Limit() + 1, After: &store.Position{Key: key, ID: at.ID}}, at.Total, nil
}

func (s *Service) nextCursor(scope string, o store.Order, rows []db.User, limit int32, total int64) (string, error) {
	if len(rows) <= int(limit) {
		return "", nil
	}
	last := rows[limit-1]
	return s.Cursors.Encode(scope, position{Key: keyText(o, last), ID: last.ID, Total: total})
}

// never is where those who never signed in stand in the order of last sign-ins.
const never = "-infinity"

func keyText(o store.Order, u db.User) string {
	switch o.By {
	case "full_name":
		return u.FullName
	case "email":
		return u.Email
	case "last_sign_in_at":
		if u.LastSignInAt == nil {
			return never
		}
		return u.LastSignInAt.UTC().Format(time.RFC3339Nano)
	default:
		return u.CreatedAt.UTC().Format(time.RFC3339Nano)
	}
}

func keyOf(o store.Order, key string) (any, error) {
	if o.By == "full_name" || o.By == "email" || key == never {
		return key, nil
	}
	t, err := time.Parse(time.RFC3339Nano, key)
	if err != nil {
		return nil, errs.New(errs.Malformed, "invalid_cursor", "The cursor is not one of this list's.").WithCause(err)
	}
	return t, nil
}
