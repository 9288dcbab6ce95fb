-- name: DeleteRolesOfAccount :exec
DELETE FROM account_roles WHERE account_id = @account_id;
