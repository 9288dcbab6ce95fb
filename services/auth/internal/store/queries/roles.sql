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

-- HasOtherMember reports whether somebody else has the role who can sign in: is active, has a password and, where that is asked for, has
-- proved the address.
-- name: HasOtherMember :one
SELECT EXISTS (
    SELECT FROM account_roles r JOIN accounts a ON a.id = r.account_id
    WHERE r.org_id = @org_id AND r.role = @role AND r.account_id <> @other_than AND a.status = 'active'
      AND (a.verified_at IS NOT NULL OR NOT @verified_only::boolean)
      AND EXISTS (SELECT FROM passwords p WHERE p.account_id = a.id));

-- HasStrongerMember reports whether somebody with the role has another role that allows what is not held.
-- name: HasStrongerMember :one
SELECT EXISTS (
    SELECT FROM account_roles m
    JOIN account_roles o ON o.account_id = m.account_id
    JOIN roles r ON r.org_id = o.org_id AND r.name = o.role
    WHERE m.org_id = @org_id AND m.role = @role AND NOT r.permissions <@ @held::text[]);

-- ShareRoles holds roles that are about to be given as they are: nobody changes what they allow between the check and the gift.
-- name: ShareRoles :many
SELECT * FROM roles WHERE org_id = @org_id AND name = ANY(@names::text[]) ORDER BY name FOR SHARE;

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
