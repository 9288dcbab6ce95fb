-- name: InsertSession :exec
INSERT INTO sessions (id, org_id, account_id, device, ip, user_agent, created_at, last_seen_at, issued_at, expires_at)
VALUES (@id, @org_id, @account_id, @device, @ip, @user_agent, @created_at, @last_seen_at, @issued_at, @expires_at);

-- name: GetSession :one
SELECT * FROM sessions WHERE id = @id;

-- name: LockSession :one
SELECT * FROM sessions WHERE id = @id FOR NO KEY UPDATE;

-- name: TouchSession :exec
UPDATE sessions
SET last_seen_at = @last_seen_at, issued_at = greatest(issued_at, @issued_at::timestamptz), expires_at = @expires_at, device = @device,
    ip = @ip, user_agent = @user_agent
WHERE id = @id;

-- ProveSession notes that the person of an open session has just proved to be there.
-- name: ProveSession :execrows
UPDATE sessions SET authenticated_at = @at::timestamptz
WHERE id = @id AND account_id = @account_id AND revoked_at IS NULL AND expires_at > @at;

-- name: CountOpenSessions :one
SELECT count(*) FROM sessions WHERE account_id = @account_id AND revoked_at IS NULL AND expires_at > @now AND created_at > @since;

-- name: ListOpenSessions :many
SELECT * FROM sessions
WHERE account_id = @account_id AND revoked_at IS NULL AND expires_at > @now AND created_at > @since
ORDER BY last_seen_at DESC, id DESC
LIMIT @row_limit OFFSET @row_offset;

-- ListOpenSessionsAfter is the page after the session that was last seen at a time.
-- name: ListOpenSessionsAfter :many
SELECT * FROM sessions
WHERE account_id = @account_id AND revoked_at IS NULL AND expires_at > @now AND created_at > @since
  AND (last_seen_at, id) < (@last_seen_at::timestamptz, @id::uuid)
ORDER BY last_seen_at DESC, id DESC
LIMIT @row_limit;

-- RevokeSession ends an open session of an account. No row: there is none.
-- name: RevokeSession :one
UPDATE sessions SET revoked_at = @at::timestamptz, revoke_reason = @reason::text
WHERE id = @id AND account_id = @account_id AND revoked_at IS NULL
RETURNING *;

-- RevokeSessions ends every open session of an account, but the one that is kept, whatever it returns: up to most of those that have issued
-- an access token since a time.
-- name: RevokeSessions :many
WITH ended AS (
    UPDATE sessions s SET revoked_at = @at::timestamptz, revoke_reason = @reason::text
    WHERE s.account_id = @account_id AND s.revoked_at IS NULL AND s.id IS DISTINCT FROM sqlc.narg('keep')::uuid
    RETURNING s.id, s.issued_at)
SELECT e.id FROM ended e WHERE e.issued_at > @since::timestamptz LIMIT @most;

-- RevokeSessionsBeyond ends up to most of the open sessions of an account that are more than it may have, beside the one that is kept: those
-- that were used longest ago. One that somebody holds is left for the next time, so that two sign-ins do not wait for each other.
-- name: RevokeSessionsBeyond :many
WITH beyond AS MATERIALIZED (
    SELECT o.id FROM sessions o
    WHERE o.account_id = @account_id AND o.revoked_at IS NULL AND o.expires_at > @at::timestamptz AND o.id <> @keep::uuid
    ORDER BY o.last_seen_at DESC, o.id OFFSET @others LIMIT @most),
held AS MATERIALIZED (
    SELECT h.id FROM sessions h WHERE h.id IN (SELECT b.id FROM beyond b) AND h.revoked_at IS NULL FOR NO KEY UPDATE SKIP LOCKED)
UPDATE sessions s SET revoked_at = @at::timestamptz, revoke_reason = @reason::text
FROM held WHERE s.id = held.id
RETURNING s.id;

-- name: DeleteSessionsOfAccount :exec
DELETE FROM sessions WHERE account_id = @account_id;

-- DeleteEndedSessions forgets sessions that ended before a time, a batch at a time.
-- name: DeleteEndedSessions :execrows
DELETE FROM sessions WHERE id IN (
    SELECT s.id FROM sessions s WHERE s.expires_at < @before OR s.revoked_at < @before LIMIT @row_limit);

-- name: InsertRefreshToken :exec
INSERT INTO refresh_tokens (id, session_id, hash, parent_id, created_at, expires_at)
VALUES (@id, @session_id, @hash, sqlc.narg('parent_id'), @created_at, @expires_at);

-- FindRefreshToken finds a token with its session and account, and locks nothing.
-- name: FindRefreshToken :one
SELECT t.id, t.session_id, s.account_id
FROM refresh_tokens t JOIN sessions s ON s.id = t.session_id
WHERE t.hash = @hash;

-- GetRefreshToken reads a token whose session is locked.
-- name: GetRefreshToken :one
SELECT * FROM refresh_tokens WHERE id = @id;

-- name: UseRefreshToken :exec
UPDATE refresh_tokens SET used_at = @at::timestamptz, child_id = @child_id::uuid WHERE id = @id;

-- DeleteExpiredRefreshTokens forgets tokens that expired before a time, a batch at a time.
-- name: DeleteExpiredRefreshTokens :execrows
DELETE FROM refresh_tokens WHERE id IN (
    SELECT t.id FROM refresh_tokens t WHERE t.expires_at < @before LIMIT @row_limit);

-- name: CountKnownDevices :one
SELECT count(*) FROM known_devices WHERE account_id = @account_id;

-- SeeDevice reports whether the device was not known before.
-- name: SeeDevice :one
INSERT INTO known_devices (account_id, fingerprint, device, first_seen_at, last_seen_at)
VALUES (@account_id, @fingerprint, @device, @at, @at)
ON CONFLICT (account_id, fingerprint) DO UPDATE SET last_seen_at = excluded.last_seen_at, device = excluded.device
RETURNING (xmax = 0)::boolean AS is_new;

-- name: ForgetDevices :exec
WITH notices AS (DELETE FROM device_notices n WHERE n.account_id = @account_id)
DELETE FROM known_devices k WHERE k.account_id = @account_id;

-- MarkDevices remembers that the account had devices, after all of them were forgotten: its next sign-in is not its first.
-- name: MarkDevices :exec
INSERT INTO known_devices (account_id, fingerprint, device, first_seen_at, last_seen_at)
VALUES (@account_id, ''::bytea, '', @at, @at) ON CONFLICT (account_id, fingerprint) DO NOTHING;

-- ForgetOldDevices keeps those that were seen last.
-- name: ForgetOldDevices :exec
DELETE FROM known_devices k WHERE k.account_id = @account_id AND k.fingerprint NOT IN (
    SELECT n.fingerprint FROM known_devices n WHERE n.account_id = @account_id
    ORDER BY n.last_seen_at DESC, n.first_seen_at DESC, n.fingerprint LIMIT @keep);

-- CountDeviceNotice is which notice of a day this is.
-- name: CountDeviceNotice :one
INSERT INTO device_notices AS n (account_id, since, told) VALUES (@account_id, @at, 1)
ON CONFLICT (account_id) DO UPDATE SET
    told  = CASE WHEN n.since <= @day_ago::timestamptz THEN 1 ELSE n.told + 1 END,
    since = CASE WHEN n.since <= @day_ago::timestamptz THEN excluded.since ELSE n.since END
RETURNING told;

-- DeleteOldDeviceNotices reads the whole table, which holds the accounts of one day.
-- name: DeleteOldDeviceNotices :execrows
DELETE FROM device_notices n WHERE n.account_id IN (
    SELECT o.account_id FROM device_notices o WHERE o.since < @before::timestamptz LIMIT @row_limit);

-- name: CountDeviceNotices :one
SELECT count(*) FROM device_notices;
