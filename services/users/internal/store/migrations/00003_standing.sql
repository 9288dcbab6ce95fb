-- +goose Up
-- The status is a copy of the standing of the account, which auth owns, under auth's version of it: an older event never wins. What a deleted
-- user goes back to is auth's to say; status_before is read no more, and goes one release later.
SET LOCAL lock_timeout = '5s';
ALTER TABLE users ADD COLUMN standing_version bigint NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE users DROP COLUMN standing_version;
