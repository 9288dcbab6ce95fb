-- +goose Up

-- When a deleted recipient will be erased, as users says; null: is not deleted, or it is not known yet. The mail about a deletion tells it.
ALTER TABLE recipients ADD COLUMN erase_at timestamptz;

-- +goose Down
ALTER TABLE recipients DROP COLUMN erase_at;
