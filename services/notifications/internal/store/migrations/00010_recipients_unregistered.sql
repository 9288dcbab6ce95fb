-- +goose NO TRANSACTION

-- +goose Up

-- Recipients whose registration has not arrived: few, and found without a look at all the others.
CREATE INDEX CONCURRENTLY IF NOT EXISTS recipients_unregistered ON recipients (updated_at) WHERE email = '' AND erased_at IS NULL;

-- +goose Down
DROP INDEX IF EXISTS recipients_unregistered;
