-- name: SetPassword :exec
INSERT INTO passwords (account_id, hash, changed_at) VALUES (@account_id, @hash, @changed_at)
ON CONFLICT (account_id) DO UPDATE SET hash = excluded.hash, changed_at = excluded.changed_at;

-- name: GetPassword :one
SELECT * FROM passwords WHERE account_id = @account_id;

-- RehashPassword replaces a hash by a better one of the same password, unless the password was changed in the meantime.
-- name: RehashPassword :execrows
UPDATE passwords SET hash = @hash WHERE account_id = @account_id AND hash = @old_hash;

-- name: DeletePassword :exec
DELETE FROM passwords WHERE account_id = @account_id;
