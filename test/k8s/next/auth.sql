-- +goose Up

-- What a later version might bring: it expands only, so that the version before goes on with it.
ALTER TABLE accounts ADD COLUMN next_hint text NOT NULL DEFAULT '';
CREATE TABLE next_devices (id uuid PRIMARY KEY, account_id uuid NOT NULL REFERENCES accounts (id) ON DELETE CASCADE);

-- +goose Down
DROP TABLE next_devices;
ALTER TABLE accounts DROP COLUMN next_hint;
