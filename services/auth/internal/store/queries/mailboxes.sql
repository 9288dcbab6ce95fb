-- LockMailbox makes the row of a mailbox when there is none, and holds it.
-- name: LockMailbox :one
INSERT INTO mailboxes AS m (key, mails, last_at) VALUES (@key, '{}', @at)
ON CONFLICT (key) DO UPDATE SET key = m.key
RETURNING *;

-- name: SaveMailbox :exec
UPDATE mailboxes SET mails = @mails, last_at = @at, held_at = sqlc.narg('held_at') WHERE key = @key;

-- name: DeleteOldMailboxes :execrows
DELETE FROM mailboxes m WHERE m.key IN (SELECT o.key FROM mailboxes o WHERE o.last_at < @before LIMIT @row_limit);

-- name: CountMailboxes :one
SELECT count(*) FROM mailboxes;
