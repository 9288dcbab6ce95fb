-- name: InsertAccount :one
INSERT INTO accounts (id, org_id, email, email_key, full_name, locale, origin, verified_at, verification_requested_at, created_at, updated_at)
VALUES (@id, @org_id, @email, @email_key, @full_name, @locale, @origin, sqlc.narg('verified_at'), sqlc.narg('verification_requested_at'), @created_at, @created_at)
RETURNING *;

-- name: GetAccount :one
SELECT * FROM accounts WHERE id = @id;

-- name: GetAccountByEmailKey :one
SELECT * FROM accounts WHERE email_key = @email_key;

-- LockAccount is taken first by whatever changes what an account may do, so that no token is issued from what is about to change.
-- name: LockAccount :one
SELECT * FROM accounts WHERE id = @id FOR NO KEY UPDATE;

-- ShareAccount is taken first by whatever issues a token.
-- name: ShareAccount :one
SELECT * FROM accounts WHERE id = @id FOR SHARE;

-- name: MarkAccountVerified :exec
UPDATE accounts SET verified_at = coalesce(verified_at, @at::timestamptz), version = version + 1, updated_at = @at
WHERE id = @id;

-- name: SetAccountName :exec
UPDATE accounts SET full_name = @full_name, version = version + 1, updated_at = @at WHERE id = @id;

-- ClaimVerificationMail is false (no row) when one was asked for a moment ago.
-- name: ClaimVerificationMail :one
UPDATE accounts SET verification_requested_at = @at::timestamptz
WHERE id = @id AND (verification_requested_at IS NULL OR verification_requested_at <= @before)
RETURNING id;

-- ClaimResetMail is false (no row) when one was asked for a moment ago.
-- name: ClaimResetMail :one
UPDATE accounts SET reset_requested_at = @at::timestamptz
WHERE id = @id AND (reset_requested_at IS NULL OR reset_requested_at <= @before)
RETURNING id;

-- SetAccountStanding gives an account another standing, which makes a new version of it. No row: it was erased.
-- name: SetAccountStanding :one
UPDATE accounts
SET status = @status, status_before = sqlc.narg('status_before'), status_version = status_version + 1, version = version + 1, updated_at = @at
WHERE id = @id AND status <> 'erased'
RETURNING *;

-- UpdateAccountProfile copies what the user's events say of name and locale, unless a later version of it was copied already.
-- name: UpdateAccountProfile :exec
UPDATE accounts SET full_name = @full_name, locale = @locale, profile_version = @profile_version, updated_at = @at
WHERE id = @id AND status <> 'erased' AND profile_version < @profile_version;

-- EraseAccount removes everything personal and keeps the id.
-- name: EraseAccount :one
UPDATE accounts
SET email = '', email_key = 'erased:' || id::text, full_name = '', locale = '', status = 'erased', status_before = NULL,
    status_version = status_version + 1, verified_at = NULL, version = version + 1, updated_at = @at
WHERE id = @id AND status <> 'erased'
RETURNING *;
