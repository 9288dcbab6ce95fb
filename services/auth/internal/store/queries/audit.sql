-- name: InsertAudit :exec
INSERT INTO audit_log (id, org_id, at, action, actor, subject, outcome, ip, device, request_id, details)
VALUES (@id, @org_id, @at, @action, @actor, @subject, @outcome, @ip, @device, @request_id, @details);

-- CountAudit counts no further than most.
-- name: CountAudit :one
SELECT count(*) FROM (SELECT FROM audit_log
WHERE org_id = @org_id
  AND (sqlc.narg('action')::text IS NULL OR action = sqlc.narg('action'))
  AND (sqlc.narg('actor')::text IS NULL OR actor = sqlc.narg('actor'))
  AND (sqlc.narg('subject')::text IS NULL OR subject = sqlc.narg('subject'))
  AND (sqlc.narg('outcome')::text IS NULL OR outcome = sqlc.narg('outcome'))
  AND (sqlc.narg('from_at')::timestamptz IS NULL OR at >= sqlc.narg('from_at'))
  AND (sqlc.narg('to_at')::timestamptz IS NULL OR at < sqlc.narg('to_at'))
LIMIT @most) e;

-- ListAudit is newest first; before_at and before_id are the last row of the page before.
-- name: ListAudit :many
SELECT * FROM audit_log
WHERE org_id = @org_id
  AND (sqlc.narg('action')::text IS NULL OR action = sqlc.narg('action'))
  AND (sqlc.narg('actor')::text IS NULL OR actor = sqlc.narg('actor'))
  AND (sqlc.narg('subject')::text IS NULL OR subject = sqlc.narg('subject'))
  AND (sqlc.narg('outcome')::text IS NULL OR outcome = sqlc.narg('outcome'))
  AND (sqlc.narg('from_at')::timestamptz IS NULL OR at >= sqlc.narg('from_at'))
  AND (sqlc.narg('to_at')::timestamptz IS NULL OR at < sqlc.narg('to_at'))
  AND (sqlc.narg('before_at')::timestamptz IS NULL OR (at, id) < (sqlc.narg('before_at')::timestamptz, sqlc.narg('before_id')::uuid))
ORDER BY at DESC, id DESC
LIMIT @row_limit OFFSET @row_offset;

-- EraseAudit removes from the trail what is about a person: where and on what they did things, and the details of what was done to them.
-- What they did to others stays whole, and so does where somebody else was who did something to them. An entry of the system about a person
-- counts as theirs: nobody else is known to have asked. It does so for some that have any of that, and says for how many.
-- name: EraseAudit :execrows
UPDATE audit_log
SET ip      = CASE WHEN actor IN (@account_id::text, 'system') THEN '' ELSE ip END,
    device  = CASE WHEN actor IN (@account_id::text, 'system') THEN '' ELSE device END,
    details = CASE WHEN subject = @account_id::text THEN '{}' ELSE details END
WHERE id IN (
    SELECT a.id FROM audit_log a
    WHERE a.actor = @account_id::text AND (a.ip <> '' OR a.device <> '')
       OR a.subject = @account_id::text AND (a.details <> '{}' OR a.actor = 'system' AND (a.ip <> '' OR a.device <> ''))
    LIMIT @row_limit);

-- name: EraseAuditLater :exec
INSERT INTO audit_erasures (account_id, asked_at) VALUES (@account_id, @at) ON CONFLICT DO NOTHING;

-- NextAuditErasure is an account with entries to empty, which nobody else is working on.
-- name: NextAuditErasure :one
SELECT e.account_id FROM audit_erasures e ORDER BY e.asked_at LIMIT 1 FOR UPDATE SKIP LOCKED;

-- name: EndAuditErasure :exec
DELETE FROM audit_erasures WHERE account_id = @account_id;

-- name: DeleteOldAudit :execrows
DELETE FROM audit_log WHERE id IN (SELECT a.id FROM audit_log a WHERE a.at < @before::timestamptz ORDER BY a.at LIMIT @row_limit);
