-- +goose NO TRANSACTION

-- +goose Up

-- By this the entries that are older than AUDIT_RETENTION are found.
CREATE INDEX CONCURRENTLY IF NOT EXISTS audit_log_created_at ON audit_log (created_at);

-- +goose Down
DROP INDEX IF EXISTS audit_log_created_at;
