-- +goose NO TRANSACTION
-- +goose Up

-- What a later version might bring: it expands only, so that the version before goes on with it. The index is built while rows are written.
ALTER TABLE notifications ADD COLUMN next_snoozed_until timestamptz;
CREATE INDEX CONCURRENTLY next_notifications_snoozed ON notifications (next_snoozed_until);

-- +goose Down
DROP INDEX next_notifications_snoozed;
ALTER TABLE notifications DROP COLUMN next_snoozed_until;
