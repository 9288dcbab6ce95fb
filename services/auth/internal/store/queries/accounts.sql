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

-- UpdateAccountProfile copies what the user's events say of name and locale, unless a later version of it was copied already. What they do not
-- say stays.
-- name: UpdateAccountProfile :exec
UPDATE accounts
SET full_name = coalesce(nullif(@full_name::text, ''), full_name), locale = coalesce(nullif(@locale::text, ''), locale), profile_version = @profile_version, updated_at = @at
WHERE id = @id AND status <> 'erased' AND profile_version < @profile_version;

-- EraseAccount removes everything personal and keeps the id.
-- name: EraseAccount :one
UPDATE accounts
SET email = '', email_key = 'erased:' || id::text, full_name = '', locale = '', status = 'erased', status_before = NULL,
    status_version = status_version + 1, verified_at = NULL, version = version + 1, updated_at = @at
WHERE id = @id AND status <> 'erased'
RETURNING *;

-- NextGeneration makes links of mails that were asked for until now worth nothing, also those that are not made yet.
-- name: NextGeneration :one
UPDATE accounts SET generation = generation + 1 WHERE id = @id RETURNING generation;

-- KeepSignUpBrowser keeps the hash of the cookie that the browser got that signed up.
-- name: KeepSignUpBrowser :exec
INSERT INTO sign_up_browsers (account_id, hash, expires_at) VALUES (@account_id, @hash, @expires_at);

-- name: IsSignUpBrowser :one
SELECT EXISTS (SELECT FROM sign_up_browsers WHERE account_id = @account_id AND hash = @hash AND expires_at > @now);

-- name: ForgetSignUpBrowser :exec
DELETE FROM sign_up_browsers WHERE account_id = @account_id;

-- name: DeleteExpiredSignUpBrowsers :execrows
DELETE FROM sign_up_browsers b WHERE b.account_id IN (SELECT o.account_id FROM sign_up_browsers o WHERE o.expires_at < @before LIMIT @row_limit);

-- name: CountSignUpBrowsers :one
SELECT count(*) FROM sign_up_browsers;
