-- +goose Up
-- A signing key that is withdrawn voids what it has signed: its watermark has the UUID that token.KeyID makes of its kid.
SET LOCAL lock_timeout = '5s';
ALTER TABLE watermarks DROP CONSTRAINT watermarks_scope_check;
ALTER TABLE watermarks ADD CONSTRAINT watermarks_scope_check CHECK (scope IN ('user', 'session', 'key'));

-- +goose Down
DELETE FROM watermarks WHERE scope = 'key';
ALTER TABLE watermarks DROP CONSTRAINT watermarks_scope_check;
ALTER TABLE watermarks ADD CONSTRAINT watermarks_scope_check CHECK (scope IN ('user', 'session'));
