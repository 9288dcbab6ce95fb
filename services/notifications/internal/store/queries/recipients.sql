-- name: RegisterRecipient :exec
INSERT INTO recipients (id, org_id, email, full_name, locale, roles, verified_at)
VALUES (@id, @org_id, @email, @full_name, @locale, @roles, sqlc.narg(verified_at))
ON CONFLICT (id) DO UPDATE SET
    email       = excluded.email,
    full_name   = CASE WHEN recipients.profile_version = 0 OR recipients.full_name = '' THEN excluded.full_name ELSE recipients.full_name END,
    locale      = CASE WHEN recipients.profile_version = 0 OR recipients.locale = '' THEN excluded.locale ELSE recipients.locale END,
    roles       = CASE WHEN recipients.roles_version = 0 THEN excluded.roles ELSE recipients.roles END,
    verified_at = coalesce(recipients.verified_at, excluded.verified_at),
    updated_at  = now()
WHERE recipients.erased_at IS NULL;

-- name: VerifyRecipient :exec
INSERT INTO recipients (id, org_id, verified_at) VALUES (@id, @org_id, @verified_at::timestamptz)
ON CONFLICT (id) DO UPDATE SET verified_at = excluded.verified_at, updated_at = now()
WHERE recipients.erased_at IS NULL AND recipients.verified_at IS NULL;

-- UpdateRecipientProfile leaves the address alone, which is auth's, and what the profile does not say.
-- name: UpdateRecipientProfile :exec
INSERT INTO recipients (id, org_id, full_name, locale, time_zone, profile_version)
VALUES (@id, @org_id, @full_name, @locale, @time_zone, @version)
ON CONFLICT (id) DO UPDATE SET
    full_name       = coalesce(nullif(excluded.full_name, ''), recipients.full_name),
    locale          = coalesce(nullif(excluded.locale, ''), recipients.locale),
    time_zone       = coalesce(nullif(excluded.time_zone, ''), recipients.time_zone),
    profile_version = excluded.profile_version,
    updated_at      = now()
WHERE recipients.erased_at IS NULL AND recipients.profile_version < excluded.profile_version;

-- name: UpdateRecipientStatus :exec
INSERT INTO recipients (id, org_id, active, status_version)
VALUES (@id, @org_id, @active, @version)
ON CONFLICT (id) DO UPDATE SET active = excluded.active, status_version = excluded.status_version, updated_at = now()
WHERE recipients.erased_at IS NULL AND recipients.status_version < excluded.status_version;

-- SetRecipientErasure makes no recipient: a deletion comes long after the registration, and of somebody unknown there is nobody to tell when.
-- name: SetRecipientErasure :exec
UPDATE recipients SET erase_at = @erase_at::timestamptz, updated_at = now() WHERE id = @id AND erased_at IS NULL;

-- PurgeUnregistered forgets people of whom nobody but users has told, for so long that no registration will come. A profile may come before
-- the registration, which is of another stream, so that it makes a recipient; whoever holds the credentials of users could make any number.
-- name: PurgeUnregistered :execrows
DELETE FROM recipients WHERE id IN (
    SELECT r.id FROM recipients r
    WHERE r.email = '' AND r.erased_at IS NULL AND r.updated_at < @before::timestamptz
      AND r.verified_at IS NULL AND r.status_version = 0 AND r.roles_version = 0
      AND NOT EXISTS (SELECT FROM preferences p WHERE p.recipient_id = r.id)
      AND NOT EXISTS (SELECT FROM notifications n WHERE n.recipient_id = r.id)
      AND NOT EXISTS (SELECT FROM deliveries d WHERE d.recipient_id = r.id)
    ORDER BY r.updated_at LIMIT @most);

-- name: UpdateRecipientRoles :exec
INSERT INTO recipients (id, org_id, roles, roles_version)
VALUES (@id, @org_id, @roles, @version)
ON CONFLICT (id) DO UPDATE SET roles = excluded.roles, roles_version = excluded.roles_version, updated_at = now()
WHERE recipients.erased_at IS NULL AND recipients.roles_version < excluded.roles_version;

-- name: EraseRecipient :exec
INSERT INTO recipients (id, org_id, active, erased_at)
VALUES (@id, @org_id, false, now())
ON CONFLICT (id) DO UPDATE SET
    email = '', full_name = '', locale = '', time_zone = '', roles = '{}', active = false, verified_at = NULL,
    erased_at = coalesce(recipients.erased_at, now()), updated_at = now();

-- name: ErasePreferences :exec
DELETE FROM preferences WHERE recipient_id = $1;

-- name: EraseSends :exec
UPDATE sends SET title = '', body = '', data = '{}', state = CASE WHEN state = 'sent' THEN 'sent' ELSE 'canceled' END,
    finished_at = coalesce(finished_at, now())
WHERE to_user_ids = ARRAY[@recipient_id::uuid];

-- name: EraseNotifications :exec
DELETE FROM notifications WHERE recipient_id = $1;

-- name: StopDeliveries :many
UPDATE deliveries SET state = 'skipped', reason = 'recipient_erased', next_attempt_at = NULL, updated_at = now()
WHERE recipient_id = $1 AND state IN ('queued', 'failed', 'sending')
RETURNING id;

-- name: ScrubDeliveries :exec
UPDATE deliveries SET address = '', data = '{}' WHERE recipient_id = $1;

-- name: GetRecipient :one
SELECT * FROM recipients WHERE id = $1;

-- name: EnsureRecipient :exec
INSERT INTO recipients (id, org_id) VALUES (@id, @org_id) ON CONFLICT (id) DO NOTHING;

-- name: LockRecipient :one
SELECT * FROM recipients WHERE id = $1 FOR NO KEY UPDATE;

-- name: CountActiveRecipients :one
SELECT count(*) FROM recipients WHERE org_id = @org_id AND id = ANY(@ids::uuid[]) AND active AND erased_at IS NULL;

-- name: AudienceOfUsers :many
SELECT r.id, r.org_id, (r.email <> '')::boolean AS has_address, (r.verified_at IS NOT NULL)::boolean AS verified, i.enabled AS in_app, e.enabled AS email
FROM recipients r
LEFT JOIN preferences i ON i.recipient_id = r.id AND i.category = @category AND i.channel = 'in_app'
LEFT JOIN preferences e ON e.recipient_id = r.id AND e.category = @category AND e.channel = 'email'
WHERE r.org_id = @org_id AND r.id > @after AND r.active AND r.erased_at IS NULL AND r.id = ANY(@ids::uuid[])
ORDER BY r.id LIMIT @most FOR NO KEY UPDATE OF r;

-- name: AudienceOfRoles :many
SELECT r.id, r.org_id, (r.email <> '')::boolean AS has_address, (r.verified_at IS NOT NULL)::boolean AS verified, i.enabled AS in_app, e.enabled AS email
FROM recipients r
LEFT JOIN preferences i ON i.recipient_id = r.id AND i.category = @category AND i.channel = 'in_app'
LEFT JOIN preferences e ON e.recipient_id = r.id AND e.category = @category AND e.channel = 'email'
WHERE r.org_id = @org_id AND r.id > @after AND r.active AND r.erased_at IS NULL AND r.roles && @roles::text[]
ORDER BY r.id LIMIT @most FOR NO KEY UPDATE OF r;

-- name: AudienceOfEveryone :many
SELECT r.id, r.org_id, (r.email <> '')::boolean AS has_address, (r.verified_at IS NOT NULL)::boolean AS verified, i.enabled AS in_app, e.enabled AS email
FROM recipients r
LEFT JOIN preferences i ON i.recipient_id = r.id AND i.category = @category AND i.channel = 'in_app'
LEFT JOIN preferences e ON e.recipient_id = r.id AND e.category = @category AND e.channel = 'email'
WHERE r.org_id = @org_id AND r.id > @after AND r.active AND r.erased_at IS NULL
ORDER BY r.id LIMIT @most FOR NO KEY UPDATE OF r;
