-- +goose Up
SET LOCAL lock_timeout = '5s';

-- When a dead letter is tried again by itself; null: only when somebody asks.
ALTER TABLE dead_letters ADD COLUMN retry_at timestamptz;
CREATE INDEX dead_letters_retry ON dead_letters (consumer, stream, retry_at) WHERE retry_at IS NOT NULL AND resolved_at IS NULL;
CREATE INDEX dead_letters_resolved ON dead_letters (resolved_at) WHERE resolved_at IS NOT NULL;

-- +goose Down
DROP INDEX dead_letters_resolved;
DROP INDEX dead_letters_retry;
ALTER TABLE dead_letters DROP COLUMN retry_at;
