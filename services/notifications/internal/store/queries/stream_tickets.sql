-- name: LockStreamTickets :exec
SELECT pg_advisory_xact_lock(hashtextextended('atrium.stream_tickets.' || (@recipient_id::uuid)::text, 0));

-- name: DropExpiredStreamTickets :execrows
DELETE FROM stream_tickets WHERE recipient_id = @recipient_id AND expires_at <= now();

-- name: CountStreamTickets :one
SELECT count(*) FROM stream_tickets WHERE recipient_id = @recipient_id;

-- name: AddStreamTicket :one
INSERT INTO stream_tickets (hash, recipient_id, sealed, expires_at)
VALUES (@hash, @recipient_id, @sealed, LEAST(now() + make_interval(secs => @seconds::float8), @not_after::timestamptz))
RETURNING expires_at;

-- name: TakeStreamTicket :one
DELETE FROM stream_tickets WHERE hash = @hash RETURNING sealed, (expires_at > now())::boolean AS fresh;

-- name: PurgeStreamTickets :execrows
DELETE FROM stream_tickets WHERE hash IN (SELECT t.hash FROM stream_tickets t WHERE t.expires_at <= now() ORDER BY t.expires_at LIMIT @most);

-- name: CountAllStreamTickets :one
SELECT count(*) FROM stream_tickets;
