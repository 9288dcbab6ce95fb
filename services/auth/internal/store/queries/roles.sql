-- name: ListRoles :many
SELECT * FROM roles WHERE org_id = @org_id AND name > @after::text ORDER BY name LIMIT @row_limit OFFSET @row_offset;

-- name: CountRoles :one
SELECT count(*) FROM roles WHERE org_id = @org_id;

-- name: GetRole :one
SELECT * FROM roles WHERE org_id = @org_id AND name = @name;

-- name: LockRole :one
SELECT * FROM roles WHERE org_id = @org_id AND name = @name FOR UPDATE;

-- name: InsertRole :one
INSERT INTO roles (org_id, name, description, permissions, created_at, updated_at)
VALUES (@org_id, @name, @description, @permissions, @at, @at)
RETURNING *;

-- name: UpdateRole :one
UPDATE roles SET description = @description, permissions = @permissions, version = version + 1, updated_at = @at
WHERE org_id = @org_id AND name = @name
RETURNING *;

-- name: DeleteRole :exec
DELETE FROM roles WHERE org_id = @org_id AND name = @name;

-- name: CountRoleMembers :one
SELECT count(*) FROM account_roles WHERE org_id = @org_id AND role = @role;

-- name: ListRoleMembers :many
SELECT account_id FROM account_roles WHERE org_id = @org_id AND role = @role ORDER BY account_id;

-- CountActiveMembers counts who has the role and can sign in.
-- name: CountActiveMembers :one
SELECT count(*) FROM account_roles r JOIN accounts a ON a.id = r.account_id
WHERE r.org_id = @org_id AND r.role = @role AND a.status = 'active';

-- name: GetRolesByName :many
SELECT * FROM roles WHERE org_id = @org_id AND name = ANY(@names::text[]) ORDER BY name;

-- name: ListAccountRoles :many
SELECT r.* FROM account_roles ar JOIN roles r ON r.org_id = ar.org_id AND r.name = ar.role
WHERE ar.account_id = @account_id ORDER BY r.name;

-- name: AddAccountRoles :exec
INSERT INTO account_roles (account_id, org_id, role, assigned_by, assigned_at)
SELECT @account_id, @org_id, unnest(@roles::text[]), @assigned_by, @at::timestamptz
ON CONFLICT DO NOTHING;

-- name: RemoveAccountRolesExcept :exec
DELETE FROM account_roles WHERE account_id = @account_id AND role <> ALL(@roles::text[]);

-- name: BumpRolesVersion :one
UPDATE accounts SET roles_version = roles_version + 1, updated_at = @at WHERE id = @id
RETURNING roles_version;
