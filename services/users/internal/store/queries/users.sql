-- name: GetUser :one
SELECT * FROM users WHERE id = @id;

-- name: LockUser :one
SELECT * FROM users WHERE id = @id FOR UPDATE;

-- A profile is made by whoever comes first, the event of the account or the request that made it; the other finds it there. One that was
-- erased is not made again by an event that comes late.
-- name: EnsureUser :exec
INSERT INTO users (id, org_id, email, email_verified, full_name, locale, time_zone, status, roles, roles_version, created_at, updated_at)
SELECT @id::uuid, 'default', @email::text, @email_verified::boolean, @full_name::text, @locale::text, @time_zone::text, @status::text, @roles::text[], @roles_version::bigint,
       @created_at::timestamptz, @created_at::timestamptz
WHERE NOT EXISTS (SELECT FROM erased_users WHERE id = @id::uuid)
ON CONFLICT (id) DO NOTHING;

-- name: SetProfile :one
UPDATE users SET full_name = @full_name, locale = @locale, time_zone = @time_zone, version = version + 1, updated_at = @now::timestamptz
WHERE id = @id RETURNING *;

-- SetStanding copies how the account stands, as of auth's version of that.
-- name: SetStanding :one
UPDATE users
SET status = @status, standing_version = @standing_version, deleted_at = sqlc.narg('deleted_at'), erase_at = sqlc.narg('erase_at'),
    version = version + 1, updated_at = @now::timestamptz
WHERE id = @id RETURNING *;

-- NoteStanding keeps the version of a standing that changes nothing here, so that an older one is known to be older.
-- name: NoteStanding :exec
UPDATE users SET standing_version = @standing_version WHERE id = @id;

-- name: MarkVerified :exec
UPDATE users SET email = @email, email_verified = true, full_name = coalesce(nullif(@full_name::text, ''), full_name), version = version + 1, updated_at = @now::timestamptz,
       status = CASE WHEN status = 'pending' THEN 'active' ELSE status END
WHERE id = @id;

-- name: SetRoles :exec
UPDATE users SET roles = @roles, roles_version = @roles_version, version = version + 1, updated_at = @now::timestamptz
WHERE id = @id AND roles_version < @roles_version;

-- name: SetLastSignIn :exec
UPDATE users SET last_sign_in_at = greatest(last_sign_in_at, @at::timestamptz) WHERE id = @id;

-- DueForErasure is those after one in the order of their time, but for whom somebody holds, who may be restoring them.
-- name: DueForErasure :many
SELECT id, erase_at FROM users
WHERE status = 'deleted' AND erase_at <= @now::timestamptz AND (erase_at, id) > (@after_at::timestamptz, @after_id::uuid)
ORDER BY erase_at, id LIMIT @most FOR UPDATE SKIP LOCKED;

-- name: EraseUser :exec
DELETE FROM users WHERE id = @id;

-- name: EntombUser :exec
INSERT INTO erased_users (id, erased_at) VALUES (@id, @at) ON CONFLICT DO NOTHING;

-- name: IsErased :one
SELECT EXISTS (SELECT FROM erased_users WHERE id = @id);

-- name: InsertAudit :exec
INSERT INTO audit_log (id, user_id, actor, action, detail, ip, request_id, created_at)
VALUES (@id, @user_id, @actor, @action, @detail, @ip, @request_id, @now);

-- name: DeleteOldAudit :execrows
DELETE FROM audit_log a WHERE a.id IN (
    SELECT o.id FROM audit_log o WHERE o.created_at < @before::timestamptz ORDER BY o.created_at LIMIT @row_limit);

-- name: ForgetAuditDetail :exec
UPDATE audit_log SET detail = '{}' WHERE user_id = @user_id;

-- name: ForgetAuditAddress :exec
UPDATE audit_log SET ip = '' WHERE actor = (@user_id::uuid)::text AND ip <> '';

-- name: Audited :one
SELECT EXISTS (SELECT FROM audit_log WHERE user_id = @user_id AND action = @action);
