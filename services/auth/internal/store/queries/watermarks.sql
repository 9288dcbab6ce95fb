-- RaiseUserWatermark puts not_before behind every access token of the account so far, whatever clock issued it.
-- name: RaiseUserWatermark :one
INSERT INTO watermarks AS w (scope, id, not_before, expires_at)
SELECT 'user', @account_id::uuid, i.at, i.at + make_interval(secs => @keep_seconds::double precision)
FROM (SELECT greatest(@now::timestamptz, max(s.issued_at) + interval '1 millisecond') AS at FROM sessions s WHERE s.account_id = @account_id) i
ON CONFLICT (scope, id) DO UPDATE
SET not_before = greatest(w.not_before, excluded.not_before), expires_at = greatest(w.expires_at, excluded.expires_at),
    seq = nextval('watermarks_seq'), updated_at = clock_timestamp()
RETURNING *;

-- RaiseSessionWatermark is the same for one session.
-- name: RaiseSessionWatermark :one
INSERT INTO watermarks AS w (scope, id, not_before, expires_at)
SELECT 'session', @session_id::uuid, i.at, i.at + make_interval(secs => @keep_seconds::double precision)
FROM (SELECT greatest(@now::timestamptz, max(s.issued_at) + interval '1 millisecond') AS at FROM sessions s WHERE s.id = @session_id) i
ON CONFLICT (scope, id) DO UPDATE
SET not_before = greatest(w.not_before, excluded.not_before), expires_at = greatest(w.expires_at, excluded.expires_at),
    seq = nextval('watermarks_seq'), updated_at = clock_timestamp()
RETURNING *;

-- LatestWatermark is what a new token of the account must not be older than.
-- name: LatestWatermark :one
SELECT coalesce(max(not_before), 'epoch'::timestamptz)::timestamptz AS not_before
FROM watermarks
WHERE (scope = 'user' AND id = @account_id) OR (scope = 'session' AND id = @session_id);

-- ListWatermarks lists those in force that changed after a sequence number.
-- name: ListWatermarks :many
SELECT * FROM watermarks WHERE seq > @after AND expires_at > @now ORDER BY seq LIMIT @row_limit;

-- name: DeleteExpiredWatermarks :execrows
DELETE FROM watermarks WHERE expires_at < @before;
