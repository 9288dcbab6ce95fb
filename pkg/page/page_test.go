package page_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/page"
)

func TestQuery(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		in     page.Query
		limit  int32
		offset int64
	}{
		{page.Query{}, 20, 0},
		{page.Query{Page: 3, PageSize: 10}, 10, 20},
		{page.Query{Page: -1, PageSize: 1000}, 100, 0},
		{page.Query{Page: 3, PageSize: 10, Cursor: "c"}, 10, 0},
		{page.Query{Page: 1_000_000, PageSize: 100}, 100, 99_999_900},
	} {
		require.Equal(t, tc.limit, tc.in.Limit())
		require.Equal(t, tc.offset, tc.in.Offset())
	}
}

func TestNew(t *testing.T) {
	t.Parallel()

	t.Run("an empty list is a list", func(t *testing.T) {
		t.Parallel()
		b, err := json.Marshal(page.New[string](page.Query{}, nil, 0, ""))
		require.NoError(t, err)
		require.JSONEq(t, `{"items": [], "total": 0, "page": 1, "page_size": 20, "pages": 0}`, string(b))
	})

	t.Run("pages hold every item and no more", func(t *testing.T) {
		t.Parallel()
		rapid.Check(t, func(t *rapid.T) {
			total := rapid.Int64Range(0, 1_000_000).Draw(t, "total")
			size := rapid.IntRange(1, 100).Draw(t, "size")
			p := page.New[int](page.Query{PageSize: size}, nil, total, "")
			if int64(p.Pages*size) < total || int64((p.Pages-1)*size) >= max(total, 1) {
				t.Fatalf("%d pages of %d for %d", p.Pages, size, total)
			}
		})
	})

	t.Run("map keeps the rest", func(t *testing.T) {
		t.Parallel()
		p := page.Map(page.New(page.Query{Page: 2}, []int{1, 2}, 22, "next"), func(n int) string { return strings.Repeat("x", n) })
		require.Equal(t, page.Page[string]{Items: []string{"x", "xx"}, Total: 22, Page: 2, PageSize: 20, Pages: 2, NextCursor: "next"}, p)
	})
}

type position struct {
	At string `json:"at"`
	ID int    `json:"id"`
}

func TestCursors(t *testing.T) {
	t.Parallel()
	cursors := page.NewCursors([]byte("0123456789abcdef"))
	cursor, err := cursors.Encode("users?sort=-created_at", position{At: "2026", ID: 7})
	require.NoError(t, err)

	t.Run("comes back", func(t *testing.T) {
		t.Parallel()
		var got position
		require.NoError(t, cursors.Decode("users?sort=-created_at", cursor, &got))
		require.Equal(t, position{At: "2026", ID: 7}, got)
	})

	t.Run("anything else is refused", func(t *testing.T) {
		t.Parallel()
		other, err := page.NewCursors([]byte("another key of 16")).Encode("users?sort=-created_at", position{})
		require.NoError(t, err)
		list, err := cursors.Encode("users?sort=-created_at", []int{1})
		require.NoError(t, err)
		for name, bad := range map[string]string{
			"empty": "", "short": "AAAA", "not base64": "%%%", "another key": other, "another shape": list, "cut": cursor[:len(cursor)-2],
			"padded": cursor + "=", "longer": cursor + "AAAA", "huge": strings.Repeat("A", 10_000),
		} {
			var got position
			err := cursors.Decode("users?sort=-created_at", bad, &got)
			require.ErrorIs(t, err, errs.Malformed, name)
			require.Equal(t, "invalid_cursor", errs.From(err).Code)
		}
		var got position
		require.ErrorIs(t, cursors.Decode("users?sort=email", cursor, &got), errs.Malformed, "another scope")
	})

	t.Run("no single changed character goes through", func(t *testing.T) {
		t.Parallel()
		const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
		for i := range cursor {
			for _, c := range alphabet {
				if changed := cursor[:i] + string(c) + cursor[i+1:]; changed != cursor {
					var got position
					require.Error(t, cursors.Decode("users?sort=-created_at", changed, &got), changed)
				}
			}
		}
	})

	t.Run("a short key is a mistake", func(t *testing.T) {
		t.Parallel()
		require.Panics(t, func() { page.NewCursors([]byte("short")) })
	})
}

func FuzzCursor(f *testing.F) {
	cursors := page.NewCursors([]byte("0123456789abcdef"))
	good, err := cursors.Encode("s", position{ID: 1})
	require.NoError(f, err)
	for _, seed := range []string{good, "", "AAAA", strings.Repeat("A", 100), good + "="} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		var got position
		err := cursors.Decode("s", text, &got)
		if err == nil && text != good {
			t.Fatalf("%q was accepted", text)
		}
		if err != nil && errs.KindOf(err) != errs.Malformed {
			t.Fatalf("%q: %v", text, err)
		}
	})
}

func TestParseSort(t *testing.T) {
	t.Parallel()
	got, err := page.ParseSort("-created_at,email", "email", "created_at")
	require.NoError(t, err)
	require.Equal(t, []page.Order{{Field: "created_at", Desc: true}, {Field: "email"}}, got)
	require.Equal(t, "-created_at", got[0].String())
	require.Equal(t, "email", got[1].String())
	got, err = page.ParseSort("", "email")
	require.NoError(t, err)
	require.Empty(t, got)
	for _, bad := range []string{"name", "-", ",", "email,", "email,email", "email,-email", "--email", "email;drop", " email", "EMAIL"} {
		_, err := page.ParseSort(bad, "email", "created_at")
		require.ErrorIs(t, err, errs.Invalid, bad)
		require.Equal(t, "query.sort", errs.From(err).Fields[0].Field)
		require.NotContains(t, errs.From(err).Message+errs.From(err).Fields[0].Message, "drop", "the value is not echoed")
	}
}
