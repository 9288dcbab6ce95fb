-- name: ListSigningKeys :many
SELECT * FROM signing_keys ORDER BY activates_at, kid;

-- LockSigningKeys lets one replica rotate at a time.
-- name: LockSigningKeys :exec
SELECT pg_advisory_xact_lock(hashtext('atrium.signing_keys'));

-- name: InsertSigningKey :exec
INSERT INTO signing_keys (kid, algorithm, public_jwk, private_key, created_at, activates_at)
VALUES (@kid, @algorithm, @public_jwk, @private_key, @created_at, @activates_at);

-- name: RetireSigningKey :exec
UPDATE signing_keys SET retires_at = @retires_at::timestamptz, removes_at = @removes_at::timestamptz WHERE kid = @kid;

-- name: DeleteRemovedSigningKeys :execrows
DELETE FROM signing_keys WHERE removes_at < @now::timestamptz;
