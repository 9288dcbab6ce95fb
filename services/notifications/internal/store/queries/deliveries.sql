-- name: CreateDeliveries :many
INSERT INTO deliveries (id, org_id, recipient_id, channel, template, category, cause_id, data, created_at)
SELECT unnest(@ids::uuid[]), unnest(@org_ids::text[]), unnest(@recipient_ids::uuid[]), @channel, @template, @category, @cause_id, @data, @created_at
ON CONFLICT (cause_id, recipient_id, channel, template) DO NOTHING
RETURNING id;

-- name: AddSteps :exec
INSERT INTO delivery_steps (delivery_id, state, attempt, reason, detail, actor)
SELECT unnest(@ids::uuid[]), @state, @attempt, @reason, @detail, @actor;

-- name: StartAttempt :one
UPDATE deliveries SET state = 'sending', attempts = attempts + 1, next_attempt_at = NULL, updated_at = now()
WHERE id = $1 AND state IN ('queued', 'sending', 'failed')
RETURNING *;

-- name: FinishAttempt :execrows
UPDATE deliveries SET state = @state, reason = @reason, address = @address, locale = @locale,
    next_attempt_at = sqlc.narg(next_attempt_at), sent_at = sqlc.narg(sent_at), updated_at = now()
WHERE id = @id AND state = 'sending' AND attempts = @attempts;

-- name: GetDelivery :one
SELECT * FROM deliveries WHERE id = $1;

-- name: LockDelivery :one
SELECT * FROM deliveries WHERE id = $1 FOR UPDATE;

-- name: RequeueDelivery :exec
UPDATE deliveries SET state = 'queued', attempts = 0, round = @round, reason = '', next_attempt_at = NULL, updated_at = now() WHERE id = @id;

-- name: ListSteps :many
SELECT state, attempt, reason, detail, actor, at FROM delivery_steps WHERE delivery_id = $1 ORDER BY seq;

-- name: ListDeliveries :many
SELECT * FROM deliveries
WHERE id < @before
    AND (@state::text = '' OR state = @state) AND (@channel::text = '' OR channel = @channel)
    AND (@template::text = '' OR template = @template) AND (@category::text = '' OR category = @category)
    AND (sqlc.narg(recipient_id)::uuid IS NULL OR recipient_id = sqlc.narg(recipient_id))
    AND (sqlc.narg(created_from)::timestamptz IS NULL OR created_at >= sqlc.narg(created_from))
    AND (sqlc.narg(created_to)::timestamptz IS NULL OR created_at < sqlc.narg(created_to))
ORDER BY id DESC LIMIT @most OFFSET @skip::bigint;

-- name: CountDeliveries :one
SELECT count(*) FROM deliveries
WHERE (@state::text = '' OR state = @state) AND (@channel::text = '' OR channel = @channel)
    AND (@template::text = '' OR template = @template) AND (@category::text = '' OR category = @category)
    AND (sqlc.narg(recipient_id)::uuid IS NULL OR recipient_id = sqlc.narg(recipient_id))
    AND (sqlc.narg(created_from)::timestamptz IS NULL OR created_at >= sqlc.narg(created_from))
    AND (sqlc.narg(created_to)::timestamptz IS NULL OR created_at < sqlc.narg(created_to));

-- name: PurgeDeliveries :execrows
DELETE FROM deliveries WHERE id IN (
    SELECT d.id FROM deliveries d WHERE d.updated_at < @before AND d.state IN ('sent', 'dead', 'skipped') LIMIT @most);
