-- +goose Up

-- What a later version might bring: it expands only, so that the version before goes on with it.
ALTER TABLE users ADD COLUMN next_nickname text NOT NULL DEFAULT '';
UPDATE users SET next_nickname = full_name;

-- +goose Down
ALTER TABLE users DROP COLUMN next_nickname;
