-- name: ListNotifications :many
SELECT * FROM notifications
WHERE recipient_id = @recipient_id AND seq < @before AND (NOT @unread::boolean OR read_at IS NULL)
    AND (@category::text = '' OR category = @category)
ORDER BY seq DESC LIMIT @most OFFSET @skip::bigint;

-- name: CountNotifications :one
SELECT count(*) FROM notifications
WHERE recipient_id = @recipient_id AND (NOT @unread::boolean OR read_at IS NULL) AND (@category::text = '' OR category = @category);

-- name: CountUnread :one
SELECT count(*) FROM notifications WHERE recipient_id = $1 AND read_at IS NULL;

-- name: ReadNotification :one
UPDATE notifications SET read_at = coalesce(read_at, now()) WHERE id = @id AND recipient_id = @recipient_id
RETURNING *;

-- name: ReadNotificationsUpTo :execrows
UPDATE notifications SET read_at = now() WHERE recipient_id = @recipient_id AND read_at IS NULL AND seq <= @seq;

-- name: SeqOf :one
SELECT seq FROM notifications WHERE id = @id AND recipient_id = @recipient_id;

-- name: LastSeqBefore :one
SELECT coalesce(max(seq), 0)::bigint FROM notifications WHERE recipient_id = @recipient_id AND id <= @id;

-- name: LastSeq :one
SELECT last_seq FROM recipients WHERE id = $1;

-- name: NotificationsSince :many
SELECT * FROM notifications
WHERE recipient_id = @recipient_id AND seq > @seq ORDER BY seq LIMIT @most;

-- Recipients are locked in the order of their ids, so that two of these never wait for each other.
-- name: CreateNotifications :many
WITH new AS (
    SELECT unnest(@ids::uuid[]) AS id, unnest(@recipient_ids::uuid[]) AS recipient_id
), locked AS MATERIALIZED (
    SELECT l.id FROM recipients l WHERE l.id = ANY(@recipient_ids::uuid[]) AND l.erased_at IS NULL ORDER BY l.id FOR NO KEY UPDATE
), counted AS (
    UPDATE recipients r SET last_seq = r.last_seq + 1
    FROM new, locked
    WHERE r.id = new.recipient_id AND r.id = locked.id
        AND NOT EXISTS (SELECT FROM notifications n WHERE n.recipient_id = r.id AND n.cause_id = @cause_id)
    RETURNING new.id, r.id AS recipient_id, r.org_id, r.last_seq
)
INSERT INTO notifications (id, org_id, recipient_id, seq, cause_id, category, title, body, data, created_at)
SELECT id, org_id, recipient_id, last_seq, @cause_id, @category, @title, @body, @data, @created_at FROM counted
RETURNING id, recipient_id;

-- name: PurgeNotifications :execrows
DELETE FROM notifications WHERE id IN (SELECT n.id FROM notifications n WHERE n.created_at < @before LIMIT @most);
