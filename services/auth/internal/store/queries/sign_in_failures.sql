-- name: GetSignInFailures :one
SELECT * FROM sign_in_failures WHERE scope = @scope AND key = @key;

-- CountSignInFailure counts one more; counting starts anew when the last one was before a time.
-- name: CountSignInFailure :one
INSERT INTO sign_in_failures AS f (scope, key, failures, first_at, last_at)
VALUES (@scope, @key, 1, @at, @at)
ON CONFLICT (scope, key) DO UPDATE
SET failures = CASE WHEN f.last_at < @forget_before THEN 1 ELSE f.failures + 1 END,
    first_at = CASE WHEN f.last_at < @forget_before THEN excluded.first_at ELSE f.first_at END,
    last_at = excluded.last_at
RETURNING *;

-- name: BlockSignIn :exec
UPDATE sign_in_failures SET blocked_until = @blocked_until::timestamptz WHERE scope = @scope AND key = @key;

-- name: ForgetSignInFailures :exec
DELETE FROM sign_in_failures WHERE scope = @scope AND key = @key;

-- name: DeleteOldSignInFailures :execrows
DELETE FROM sign_in_failures WHERE last_at < @before;
