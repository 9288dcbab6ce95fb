-- name: GetSignInFailures :one
SELECT * FROM sign_in_failures WHERE scope = @scope AND key = @key;

-- LockSignInFailures makes the count when there is none, and holds it.
-- name: LockSignInFailures :one
INSERT INTO sign_in_failures AS f (scope, key, failures, first_at, last_at)
VALUES (@scope, @key, 0, @at, @at)
ON CONFLICT (scope, key) DO UPDATE SET key = f.key
RETURNING *;

-- name: SaveSignInFailures :exec
UPDATE sign_in_failures SET failures = @failures, last_at = @last_at, blocked_until = sqlc.narg('blocked_until')
WHERE scope = @scope AND key = @key;

-- TakeBackSignInFailure undoes one failure, and its block unless a later failure made another.
-- name: TakeBackSignInFailure :exec
UPDATE sign_in_failures
SET failures = greatest(0, failures - 1),
    blocked_until = CASE WHEN blocked_until = sqlc.narg('block')::timestamptz THEN NULL ELSE blocked_until END
WHERE scope = @scope AND key = @key;

-- TellSignInFailures marks a block as told of; there is no row when it is over, or was told of already.
-- name: TellSignInFailures :one
UPDATE sign_in_failures SET told_until = blocked_until
WHERE scope = @scope AND key = @key AND blocked_until > @now::timestamptz AND told_until IS DISTINCT FROM blocked_until
RETURNING scope;

-- name: ForgetSignInFailures :exec
DELETE FROM sign_in_failures WHERE scope = @scope AND key = @key;

-- name: DeleteOldSignInFailures :execrows
DELETE FROM sign_in_failures f WHERE (f.scope, f.key) IN (
    SELECT o.scope, o.key FROM sign_in_failures o WHERE o.last_at < @before LIMIT @row_limit);

-- name: IsKnownAddress :one
SELECT EXISTS (SELECT FROM known_addresses WHERE key = @key);

-- name: RememberAddress :exec
INSERT INTO known_addresses (key, last_seen_at) VALUES (@key, @at)
ON CONFLICT (key) DO UPDATE SET last_seen_at = greatest(known_addresses.last_seen_at, excluded.last_seen_at);

-- name: DeleteOldKnownAddresses :execrows
DELETE FROM known_addresses k WHERE k.key IN (SELECT o.key FROM known_addresses o WHERE o.last_seen_at < @before LIMIT @row_limit);
