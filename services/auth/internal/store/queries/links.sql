-- UpsertLink makes a link. The same delivery has it already: that is kept as it is, but its time begins when its mail goes out. A mail that had
-- to wait for its server would otherwise bring a link that has expired.
-- name: UpsertLink :one
INSERT INTO links (id, org_id, account_id, purpose, hash, delivery_id, created_at, expires_at)
VALUES (@id, @org_id, sqlc.narg('account_id'), @purpose, @hash, sqlc.narg('delivery_id'), @at, @expires_at)
ON CONFLICT (delivery_id, purpose) DO UPDATE SET hash = excluded.hash, expires_at =
    CASE WHEN links.sent_at IS NULL AND links.used_at IS NULL THEN greatest(links.expires_at, excluded.expires_at) ELSE links.expires_at END
RETURNING *;

-- name: LockLink :one
SELECT * FROM links WHERE hash = @hash FOR UPDATE;

-- name: GetLink :one
SELECT * FROM links WHERE hash = @hash;

-- name: UseLink :exec
UPDATE links SET used_at = @at::timestamptz WHERE id = @id AND used_at IS NULL;

-- MarkLinkSent remembers when the mail with a link was first accepted.
-- name: MarkLinkSent :exec
UPDATE links SET sent_at = @at::timestamptz WHERE id = @id AND sent_at IS NULL;

-- UseLinksOfAccount makes every open link of a purpose useless.
-- name: UseLinksOfAccount :exec
UPDATE links SET used_at = @at::timestamptz WHERE account_id = @account_id AND purpose = @purpose AND used_at IS NULL;

-- CloseLinksOfAccount makes every open link useless but those of the purposes that are kept.
-- name: CloseLinksOfAccount :exec
UPDATE links SET used_at = @at::timestamptz WHERE account_id = @account_id AND purpose <> ALL (@kept::text[]) AND used_at IS NULL;

-- UseLinksOfPurpose makes every open link of a purpose useless, whoever's it is.
-- name: UseLinksOfPurpose :exec
UPDATE links SET used_at = @at::timestamptz WHERE purpose = @purpose AND used_at IS NULL;

-- name: DeleteLinksOfAccount :exec
DELETE FROM links WHERE account_id = @account_id;

-- name: DeleteExpiredLinks :execrows
DELETE FROM links WHERE expires_at < @before;

-- AllowLink records something for which one mail may carry a link.
-- name: AllowLink :exec
INSERT INTO link_causes (id, account_id, purpose, created_at, expires_at) VALUES (@id, @account_id, @purpose, @at, @expires_at);

-- HasLinkCause reports whether a mail has taken a cause, and may still be tried again.
-- name: HasLinkCause :one
SELECT EXISTS (SELECT FROM link_causes
    WHERE delivery_id = @delivery_id::uuid AND purpose = @purpose AND account_id = @account_id AND expires_at > @now);

-- TakeLinkCause gives the oldest open cause to a mail, and keeps it as long as the link is good. Of two mails that want the same one, the second
-- waits, and finds it taken.
-- name: TakeLinkCause :execrows
UPDATE link_causes SET delivery_id = @delivery_id::uuid, expires_at = greatest(expires_at, @until::timestamptz) WHERE id = (
    SELECT c.id FROM link_causes c
    WHERE c.account_id = @account_id AND c.purpose = @purpose AND c.delivery_id IS NULL AND c.expires_at > @now
    ORDER BY c.created_at, c.id LIMIT 1 FOR UPDATE) AND delivery_id IS NULL;

-- CloseLinkCauses forgets what no mail has taken a link for yet, but for the purposes that are kept.
-- name: CloseLinkCauses :exec
DELETE FROM link_causes WHERE account_id = @account_id AND purpose <> ALL (@kept::text[]) AND delivery_id IS NULL;

-- name: DeleteLinkCausesOfAccount :exec
DELETE FROM link_causes WHERE account_id = @account_id;

-- name: DeleteExpiredLinkCauses :execrows
DELETE FROM link_causes c WHERE c.id IN (SELECT o.id FROM link_causes o WHERE o.expires_at < @before LIMIT @row_limit);
