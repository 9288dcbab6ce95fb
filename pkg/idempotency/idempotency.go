package idempotency

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/atrium-mesh/atrium/pkg/errs"
	"github.com/atrium-mesh/atrium/pkg/pg"
	"github.com/atrium-mesh/atrium/pkg/strictjson"
)

const (
	// Retention is how long a key is remembered.
	Retention = 24 * time.Hour
	// MaxKeyLength bounds the client's key, in bytes.
	MaxKeyLength = 255

	lockNotAvailable = "55P03"
	waitForFirst     = "5s"
	retryAfter       = time.Second
)

// Key identifies a request.
type Key struct {
	Scope string // the operation and who calls it, so that keys of different callers never meet: "create-user:0190…"
	Key   string // what the client sent
	Hash  []byte // of the request, see HashOf
}

// HashOf is the fingerprint of a request: of its JSON.
func HashOf(request any) ([]byte, error) {
	b, err := json.Marshal(request)
	if err != nil {
		return nil, fmt.Errorf("hash the request: %w", err)
	}
	sum := sha256.Sum256(b)
	return sum[:], nil
}

// Do runs fn once for each key, in tx, and stores its answer as JSON with it: a later call with the same key and hash returns that
// answer and true. An error of fn is returned and nothing is stored, since the caller rolls tx back. The same key with another hash is
// errs.Invalid "idempotency_key_reused". While the first is not committed the second waits for it, and after five seconds is
// errs.Conflict "idempotency_in_progress"; tx cannot be used after an error. With an empty Key fn simply runs.
func Do[T any](ctx context.Context, tx pgx.Tx, key Key, fn func() (T, error)) (out T, replayed bool, err error) {
	if key.Key == "" {
		out, err = fn()
		return out, false, err
	}
	if err := check(key.Key); err != nil {
		return out, false, err
	}
	first, err := claim(ctx, tx, key)
	if err != nil {
		return out, false, err
	}
	if !first {
		err = recall(ctx, tx, key, &out)
		return out, err == nil, err
	}
	if out, err = fn(); err != nil {
		return out, false, err
	}
	return out, false, store(ctx, tx, key, out)
}

// Cleanup forgets keys that are older than Retention, and returns how many there were.
func Cleanup(ctx context.Context, db pg.DBTX) (int64, error) {
	tag, err := db.Exec(ctx, "DELETE FROM idempotency_keys WHERE created_at < now() - $1::interval", Retention)
	if err != nil {
		return 0, fmt.Errorf("forget old idempotency keys: %w", pg.Err(err))
	}
	return tag.RowsAffected(), nil
}

func check(key string) error {
	ok := len(key) <= MaxKeyLength
	for i := 0; ok && i < len(key); i++ {
		ok = key[i] >= 0x20 && key[i] < 0x7f
	}
	if !ok {
		return errs.New(errs.Invalid, "idempotency_key_invalid", "The Idempotency-Key must be 1 to 255 printable ASCII characters.").
			WithFields(errs.Field{Field: "header.Idempotency-Key", Code: "format", Message: "must be 1 to 255 printable ASCII characters"})
	}
	return nil
}

// claim inserts the key and reports whether this call is the first. An insert by a transaction that is still open makes it wait.
func claim(ctx context.Context, tx pgx.Tx, key Key) (bool, error) {
	const insert = `
INSERT INTO idempotency_keys AS k (scope, key, hash) VALUES ($1, $2, $3)
ON CONFLICT (scope, key) DO UPDATE SET hash = excluded.hash, answer = NULL, created_at = now()
WHERE k.created_at < now() - $4::interval`
	var before string
	if err := tx.QueryRow(ctx, "SELECT current_setting('lock_timeout')").Scan(&before); err != nil {
		return false, fmt.Errorf("read lock_timeout: %w", pg.Err(err))
	}
	if err := lockTimeout(ctx, tx, waitForFirst); err != nil {
		return false, err
	}
	tag, err := tx.Exec(ctx, insert, key.Scope, key.Key, key.Hash, Retention)
	if pe, ok := errors.AsType[*pgconn.PgError](err); ok && pe.Code == lockNotAvailable {
		return false, errs.New(errs.Conflict, "idempotency_in_progress", "The first request with this Idempotency-Key is still being handled.").
			WithRetryAfter(retryAfter).WithCause(err)
	}
	if err != nil {
		return false, fmt.Errorf("claim an idempotency key: %w", pg.Err(err))
	}
	return tag.RowsAffected() == 1, lockTimeout(ctx, tx, before)
}

func lockTimeout(ctx context.Context, tx pgx.Tx, value string) error {
	if _, err := tx.Exec(ctx, "SELECT set_config('lock_timeout', $1, true)", value); err != nil {
		return fmt.Errorf("set lock_timeout: %w", pg.Err(err))
	}
	return nil
}

func recall[T any](ctx context.Context, tx pgx.Tx, key Key, out *T) error {
	var hash, answer []byte
	err := tx.QueryRow(ctx, "SELECT hash, answer FROM idempotency_keys WHERE scope = $1 AND key = $2", key.Scope, key.Key).Scan(&hash, &answer)
	if err != nil {
		return fmt.Errorf("look up an idempotency key: %w", pg.Err(err))
	}
	if !bytes.Equal(hash, key.Hash) {
		return errs.New(errs.Invalid, "idempotency_key_reused", "This Idempotency-Key was used with another request.").
			WithFields(errs.Field{Field: "header.Idempotency-Key", Code: "reused", Message: "was used with another request"})
	}
	if err := strictjson.Unmarshal(answer, out); err != nil {
		return fmt.Errorf("decode a stored answer: %w", err)
	}
	return nil
}

func store(ctx context.Context, tx pgx.Tx, key Key, answer any) error {
	b, err := json.Marshal(answer)
	if err != nil {
		return fmt.Errorf("encode an answer: %w", err)
	}
	_, err = tx.Exec(ctx, "UPDATE idempotency_keys SET answer = $3 WHERE scope = $1 AND key = $2", key.Scope, key.Key, b)
	if err != nil {
		return fmt.Errorf("store an answer: %w", pg.Err(err))
	}
	return nil
}
