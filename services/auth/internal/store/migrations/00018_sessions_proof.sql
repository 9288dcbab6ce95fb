-- +goose Up

-- When the person of a session last proved to be there, with the password; null: when it began. Deleting oneself asks for a fresh proof.
SET LOCAL lock_timeout = '5s';
ALTER TABLE sessions ADD COLUMN authenticated_at timestamptz;

-- +goose Down
ALTER TABLE sessions DROP COLUMN authenticated_at;
