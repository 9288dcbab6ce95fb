-- +goose Up

-- The block that the audit trail has told of, so that a flood of refused attempts is one entry and not many.
SET LOCAL lock_timeout = '5s';
ALTER TABLE sign_in_failures ADD COLUMN told_until timestamptz;

-- +goose Down
ALTER TABLE sign_in_failures DROP COLUMN told_until;
