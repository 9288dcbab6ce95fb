package watermarks_test

import (
	"context"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/atrium-mesh/atrium/pkg/authz"
	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/token"
	"github.com/atrium-mesh/atrium/services/auth/api"
	"github.com/atrium-mesh/atrium/services/auth/internal/authtest"
	"github.com/atrium-mesh/atrium/services/auth/internal/store"
	"github.com/atrium-mesh/atrium/services/auth/internal/watermarks"
)

type bundle struct {
	*authtest.Bundle
	list *watermarks.List
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := authtest.New(t)
	return &bundle{Bundle: b, list: watermarks.NewList(b.Store, b.Cursors, b.Clock.Now)}
}

func (b *bundle) begin(t *testing.T) pgx.Tx {
	t.Helper()
	tx, err := b.Pool.Begin(t.Context())
	require.NoError(t, err)
	t.Cleanup(func() { _ = tx.Rollback(context.WithoutCancel(t.Context())) })
	return tx
}

func raise(t *testing.T, b *bundle, tx pgx.Tx, account uuid.UUID) {
	t.Helper()
	require.NoError(t, store.WithTx(tx).RaiseUser(t.Context(), account, b.Clock.Now(), authtest.Keep))
}

func (b *bundle) raise(t *testing.T, account uuid.UUID) {
	t.Helper()
	tx := b.begin(t)
	raise(t, b, tx, account)
	require.NoError(t, tx.Commit(t.Context()))
}

// follow polls as a verifier does: on, as long as it learns something new.
func (b *bundle) follow(t *testing.T, known *token.Watermarks, cursor string) string {
	t.Helper()
	for range 100 {
		marks, next, err := b.list.Poll(t.Context(), cursor)
		require.NoError(t, err)
		learned := false
		for _, m := range marks {
			learned = known.Raise(m) || learned
		}
		if !learned || next == cursor {
			return next
		}
		cursor = next
	}
	t.Fatal("the list does not end")
	return ""
}

func id() uuid.UUID { return uuid.Must(uuid.NewV7()) }

func TestList(t *testing.T) {
	t.Parallel()
	b := setup(t)
	empty, err := b.list.List(t.Context(), &api.ListWatermarksRequest{})
	require.NoError(t, err)
	require.Empty(t, empty.Items)
	require.NotNil(t, empty.Items)

	ada, grace := id(), id()
	b.raise(t, ada)
	out, err := b.list.List(t.Context(), &api.ListWatermarksRequest{Cursor: empty.Next})
	require.NoError(t, err)
	now := b.Clock.Now()
	require.Equal(t, []token.Watermark{{Scope: token.ScopeUser, ID: ada.String(), NotBefore: now, ExpiresAt: now.Add(authtest.Keep)}}, out.Items)

	b.Clock.Advance(time.Second)
	b.raise(t, grace)
	b.raise(t, ada)
	out, err = b.list.List(t.Context(), &api.ListWatermarksRequest{Cursor: out.Next})
	require.NoError(t, err)
	require.Equal(t, grace.String(), out.Items[len(out.Items)-2].ID)
	require.Equal(t, ada.String(), out.Items[len(out.Items)-1].ID)
	require.Equal(t, now.Add(time.Second), out.Items[len(out.Items)-1].NotBefore)

	b.Clock.Advance(authtest.Keep)
	out, err = b.list.List(t.Context(), &api.ListWatermarksRequest{})
	require.NoError(t, err)
	require.Empty(t, out.Items, "what has expired is not told")
}

// A watermark whose transaction began first and commits last is told to a verifier that has polled everything in between.
func TestList_a_slow_transaction_is_not_missed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	known := token.NewWatermarks(b.Clock.Now)
	slow := b.begin(t)
	late := id()
	raise(t, b, slow, late)

	cursor := ""
	for range 5 {
		b.Clock.Advance(time.Minute)
		b.raise(t, id())
		cursor = b.follow(t, known, cursor)
	}
	require.Equal(t, 5, known.Len())
	require.NoError(t, slow.Commit(t.Context()))
	b.follow(t, known, cursor)
	require.Equal(t, 6, known.Len())
	require.True(t, known.Revoked(&authz.Principal{Subject: late.String(), IssuedAt: b.Clock.Now().Add(-time.Hour)}))
}

func TestList_a_transaction_that_is_rolled_back_holds_nothing_up(t *testing.T) {
	t.Parallel()
	b := setup(t)
	known := token.NewWatermarks(b.Clock.Now)
	slow := b.begin(t)
	raise(t, b, slow, id())
	b.raise(t, id())
	cursor := b.follow(t, known, "")
	require.NoError(t, slow.Rollback(t.Context()))
	cursor = b.follow(t, known, cursor)
	b.follow(t, known, cursor)
	require.Equal(t, 1, known.Len())
}

func TestList_pages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.list = watermarks.NewSmallList(b.Store, b.Cursors, b.Clock.Now, 3)
	tx := b.begin(t) // many of one transaction, as when a role is changed
	for range 8 {
		raise(t, b, tx, id())
	}
	require.NoError(t, tx.Commit(t.Context()))
	known := token.NewWatermarks(b.Clock.Now)
	cursor := b.follow(t, known, "")
	require.Equal(t, 8, known.Len())

	slow := b.begin(t)
	raise(t, b, slow, id())
	for range 7 {
		b.raise(t, id())
	}
	for range 3 {
		cursor = b.follow(t, known, cursor)
	}
	require.Equal(t, 15, known.Len())
	require.NoError(t, slow.Commit(t.Context()))
	for range 6 { // what overlaps fills pages, which cost a poll each
		cursor = b.follow(t, known, cursor)
	}
	require.Equal(t, 16, known.Len())
}

// Writers commit in any order while a verifier polls: it learns of all of them.
func TestList_writers_at_the_same_time(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.list = watermarks.NewSmallList(b.Store, b.Cursors, b.Clock.Now, 5)
	known := token.NewWatermarks(b.Clock.Now)
	var writers sync.WaitGroup
	const each, all = 15, 4
	for range all {
		writers.Go(func() {
			for range each {
				tx, err := b.Pool.Begin(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				if err := store.WithTx(tx).RaiseUser(t.Context(), id(), b.Clock.Now(), authtest.Keep); err != nil {
					t.Error(err)
				}
				for range rand.IntN(3) {
					_, _ = tx.Exec(t.Context(), "SELECT 1")
				}
				if err := tx.Commit(t.Context()); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { writers.Wait(); close(done) }()
	cursor := ""
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
		}
		cursor = b.follow(t, known, cursor)
	}
	for range each * all {
		cursor = b.follow(t, known, cursor)
	}
	require.Equal(t, each*all, known.Len())
}

// After the database was restored, its transactions are numbered anew; a cursor of before starts over.
func TestList_a_cursor_of_another_server(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.raise(t, id())
	ahead, err := b.Cursors.Encode("watermarks", map[string]any{"b": int64(1) << 60, "a": map[string]any{"x": int64(1)<<60 - 1, "s": int64(1<<63 - 1)}})
	require.NoError(t, err)
	out, err := b.list.List(t.Context(), &api.ListWatermarksRequest{Cursor: ahead})
	require.NoError(t, err)
	require.Len(t, out.Items, 1)
}

func TestList_refuses(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.list.List(t.Context(), &api.ListWatermarksRequest{Cursor: "forged"})
	require.ErrorIs(t, err, errs.Malformed)
	_, next, err := b.list.Poll(t.Context(), "forged")
	require.ErrorIs(t, err, errs.Malformed)
	require.Equal(t, "forged", next)
	b.Pool.Close()
	_, err = b.list.List(t.Context(), &api.ListWatermarksRequest{})
	require.ErrorIs(t, err, errs.Unavailable)
	require.NotNil(t, watermarks.NewList(b.Store, b.Cursors, nil))
}
