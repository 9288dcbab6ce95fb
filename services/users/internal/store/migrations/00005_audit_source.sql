-- +goose NO TRANSACTION

-- +goose Up

-- From where a change was asked for, and by which request: whoever looks into one finds the lines that the gateway and the services logged
-- of it. Both are '' for what no client asked for, and for what was written before.
SET lock_timeout = '5s';
ALTER TABLE audit_log ADD COLUMN IF NOT EXISTS ip text NOT NULL DEFAULT '', ADD COLUMN IF NOT EXISTS request_id text NOT NULL DEFAULT '';
RESET lock_timeout;

-- An address is personal: when somebody is erased, it goes from what they did to others as well.
CREATE INDEX CONCURRENTLY IF NOT EXISTS audit_log_actor ON audit_log (actor) WHERE ip <> '';

-- +goose Down
DROP INDEX IF EXISTS audit_log_actor;
ALTER TABLE audit_log DROP COLUMN IF EXISTS ip, DROP COLUMN IF EXISTS request_id;
