-- +goose Up
UPDATE roles SET permissions = array_append(permissions, 'keys:rotate'), version = version + 1, updated_at = now()
WHERE name = 'admin' AND built_in AND NOT 'keys:rotate' = ANY (permissions);

-- +goose Down
UPDATE roles SET permissions = array_remove(permissions, 'keys:rotate'), version = version + 1, updated_at = now()
WHERE name = 'admin' AND built_in;
