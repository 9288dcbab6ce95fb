// Package page owns how lists are asked for and answered: pages, signed cursors for deep lists, and sorting by an allow-list.
package page

// Query is embedded in the request of an operation that lists.
type Query struct {
	Page     int    `query:"page" minimum:"1" maximum:"1000000" default:"1" doc:"Page, from 1. Not used with a cursor." example:"1"`
	PageSize int    `query:"page_size" minimum:"1" maximum:"100" default:"20" doc:"Items on a page." example:"20"`
	Cursor   string `query:"cursor" maxLength:"2048" doc:"next_cursor of the page before; opaque. It is quicker than page in deep lists." example:""`
}

// Page is the answer of an operation that lists.
type Page[T any] struct {
	Items      []T    `json:"items" nullable:"false" doc:"The items of this page."`
	Total      int64  `json:"total" doc:"How many there are in all pages." example:"42"`
	Page       int    `json:"page" doc:"This page, from 1." example:"1"`
	PageSize   int    `json:"page_size" doc:"Items on a page." example:"20"`
	Pages      int    `json:"pages" doc:"How many pages there are." example:"3"`
	NextCursor string `json:"next_cursor,omitempty" doc:"Cursor of the next page; absent on the last." example:"eyJ2IjpbIjAxOTAiXX0"`
}

// The limits of Query, for callers that do not come through its validation.
const (
	DefaultSize = 20
	MaxSize     = 100
)

// Normalize returns q with defaults for what is not set and within limits.
func (q Query) Normalize() Query {
	if q.Page < 1 {
		q.Page = 1
	}
	if q.PageSize < 1 {
		q.PageSize = DefaultSize
	}
	q.PageSize = min(q.PageSize, MaxSize)
	return q
}

// Limit is how many rows to read.
func (q Query) Limit() int32 { return int32(q.Normalize().PageSize) } //nolint:gosec // at most MaxSize

// Offset is how many rows to skip; 0 with a cursor.
func (q Query) Offset() int64 {
	if q.Cursor != "" {
		return 0
	}
	n := q.Normalize()
	return int64(n.Page-1) * int64(n.PageSize)
}

// New makes the answer to q. Items may be nil; nextCursor is "" on the last page.
func New[T any](q Query, items []T, total int64, nextCursor string) Page[T] {
	q = q.Normalize()
	if items == nil {
		items = []T{}
	}
	size := int64(q.PageSize)
	return Page[T]{
		Items: items, Total: total, Page: q.Page, PageSize: q.PageSize,
		Pages: int((total + size - 1) / size), NextCursor: nextCursor,
	}
}

// Map returns p with every item converted.
func Map[A, B any](p Page[A], f func(A) B) Page[B] {
	items := make([]B, len(p.Items))
	for i, item := range p.Items {
		items[i] = f(item)
	}
	return Page[B]{Items: items, Total: p.Total, Page: p.Page, PageSize: p.PageSize, Pages: p.Pages, NextCursor: p.NextCursor}
}
