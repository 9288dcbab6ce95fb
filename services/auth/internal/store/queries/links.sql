-- UpsertLink makes a link; the same delivery has it already, which is kept as it is.
-- name: UpsertLink :one
INSERT INTO links (id, org_id, account_id, purpose, hash, delivery_id, created_at, expires_at)
VALUES (@id, @org_id, sqlc.narg('account_id'), @purpose, @hash, sqlc.narg('delivery_id'), @at, @expires_at)
ON CONFLICT (delivery_id, purpose) DO UPDATE SET hash = excluded.hash
RETURNING *;

-- name: LockLink :one
SELECT * FROM links WHERE hash = @hash FOR UPDATE;

-- name: GetLink :one
SELECT * FROM links WHERE hash = @hash;

-- name: UseLink :exec
UPDATE links SET used_at = @at::timestamptz WHERE id = @id AND used_at IS NULL;

-- UseLinksOfAccount makes every open link of a purpose useless.
-- name: UseLinksOfAccount :exec
UPDATE links SET used_at = @at::timestamptz WHERE account_id = @account_id AND purpose = @purpose AND used_at IS NULL;

-- UseLinksOfPurpose makes every open link of a purpose useless, whoever's it is.
-- name: UseLinksOfPurpose :exec
UPDATE links SET used_at = @at::timestamptz WHERE purpose = @purpose AND used_at IS NULL;

-- name: DeleteLinksOfAccount :exec
DELETE FROM links WHERE account_id = @account_id;

-- name: DeleteExpiredLinks :execrows
DELETE FROM links WHERE expires_at < @before;
