-- name: CreateSend :one
INSERT INTO sends (id, org_id, created_by, category, title, body, data, channels, to_user_ids, to_roles, to_everyone, send_at, unknown, created_at)
VALUES (@id, @org_id, @created_by, @category, @title, @body, @data, @channels, @to_user_ids, @to_roles, @to_everyone, @send_at, @unknown, @created_at)
RETURNING *;

-- name: GetSend :one
SELECT * FROM sends WHERE id = $1;

-- name: LockSend :one
SELECT * FROM sends WHERE id = $1 FOR NO KEY UPDATE;

-- name: AdvanceSend :exec
UPDATE sends SET state = @state, cursor = @cursor, recipients = @recipients, notified = @notified, mailed = @mailed,
    skipped = @skipped, unknown = @unknown, finished_at = sqlc.narg(finished_at)
WHERE id = @id;

-- name: PurgeSends :execrows
DELETE FROM sends WHERE id IN (SELECT s.id FROM sends s WHERE s.finished_at < @before::timestamptz LIMIT @most);
