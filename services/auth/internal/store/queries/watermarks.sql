-- RaiseUserWatermark puts not_before behind every access token of the account so far, whatever clock issued it.
-- name: RaiseUserWatermark :one
INSERT INTO watermarks AS w (scope, id, not_before, expires_at)
SELECT 'user', @account_id::uuid, i.at, i.at + make_interval(secs => @keep_seconds::double precision)
FROM (SELECT greatest(@now::timestamptz, max(s.issued_at) + interval '1 millisecond') AS at FROM sessions s WHERE s.account_id = @account_id) i
ON CONFLICT (scope, id) DO UPDATE
SET not_before = greatest(w.not_before, excluded.not_before), expires_at = greatest(w.expires_at, excluded.expires_at),
    seq = nextval('watermarks_seq'), updated_at = clock_timestamp()
RETURNING *;

-- RaiseSessionWatermarks is the same for several sessions.
-- name: RaiseSessionWatermarks :many
INSERT INTO watermarks AS w (scope, id, not_before, expires_at)
SELECT 'session', i.id, i.at, i.at + make_interval(secs => @keep_seconds::double precision)
FROM (SELECT s.id, greatest(@now::timestamptz, s.issued_at + interval '1 millisecond') AS at
      FROM sessions s WHERE s.id = ANY (@session_ids::uuid[]) ORDER BY s.id) i
ON CONFLICT (scope, id) DO UPDATE
SET not_before = greatest(w.not_before, excluded.not_before), expires_at = greatest(w.expires_at, excluded.expires_at),
    seq = nextval('watermarks_seq'), updated_at = clock_timestamp()
RETURNING *;

-- RaiseKeyWatermark voids whatever a key has signed and will sign.
-- name: RaiseKeyWatermark :one
INSERT INTO watermarks AS w (scope, id, not_before, expires_at)
VALUES ('key', @key_id::uuid, @expires_at, @expires_at)
ON CONFLICT (scope, id) DO UPDATE
SET not_before = greatest(w.not_before, excluded.not_before), expires_at = greatest(w.expires_at, excluded.expires_at),
    seq = nextval('watermarks_seq'), updated_at = clock_timestamp()
RETURNING *;

-- LatestWatermark is what a new token of the account must not be older than.
-- name: LatestWatermark :one
SELECT coalesce(max(not_before), 'epoch'::timestamptz)::timestamptz AS not_before
FROM watermarks
WHERE (scope = 'user' AND id = @account_id) OR (scope = 'session' AND id = @session_id);

-- ListWatermarks lists those in force that were changed by a transaction, or after it in the list.
-- name: ListWatermarks :many
SELECT * FROM watermarks WHERE (xact, seq) > (@xact::bigint, @seq::bigint) AND expires_at > @now ORDER BY xact, seq LIMIT @row_limit;

-- OldestTransaction is the oldest one that has not ended: whatever is older can be seen now, if ever.
-- name: OldestTransaction :one
SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint;

-- name: DeleteExpiredWatermarks :execrows
DELETE FROM watermarks w WHERE (w.scope, w.id) IN (SELECT o.scope, o.id FROM watermarks o WHERE o.expires_at < @before LIMIT @row_limit);
