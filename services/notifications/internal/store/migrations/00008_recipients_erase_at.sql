-- +goose Up

-- When a recipient who was deleted will be erased, as users says; null: it is not known. The mail about a deletion tells it.
SET LOCAL lock_timeout = '5s';
ALTER TABLE recipients ADD COLUMN erase_at timestamptz;

-- +goose Down
ALTER TABLE recipients DROP COLUMN erase_at;
