-- UseAssertion makes an assertion count once; no row is changed when it was used before.
-- name: UseAssertion :execrows
INSERT INTO service_assertions (hash, expires_at) VALUES (@hash, @expires_at) ON CONFLICT DO NOTHING;

-- name: DeleteExpiredAssertions :execrows
DELETE FROM service_assertions a WHERE a.hash IN (SELECT o.hash FROM service_assertions o WHERE o.expires_at < @before LIMIT @row_limit);
