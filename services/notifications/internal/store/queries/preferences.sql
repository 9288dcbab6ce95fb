-- name: ListPreferences :many
SELECT category, channel, enabled FROM preferences WHERE recipient_id = $1;

-- name: ClearPreferences :exec
DELETE FROM preferences WHERE recipient_id = $1;

-- name: SetPreference :exec
INSERT INTO preferences (recipient_id, category, channel, enabled) VALUES (@recipient_id, @category, @channel, @enabled)
ON CONFLICT (recipient_id, category, channel) DO UPDATE SET enabled = excluded.enabled;

-- name: BumpPreferencesVersion :one
UPDATE recipients SET preferences_version = preferences_version + 1, updated_at = now() WHERE id = $1
RETURNING preferences_version;
