-- +goose Up

-- Auth owns the standing of accounts; status_version counts its changes from here on. Before, it was the version of the user whose events
-- were believed: it goes on from there, so that copies that compare versions see only newer ones.
SET LOCAL lock_timeout = '5s';
ALTER TABLE accounts DROP CONSTRAINT accounts_status_check;
-- NOT VALID reads no rows while the table is locked. What is there already fits: the constraint before allowed less.
ALTER TABLE accounts ADD CONSTRAINT accounts_status_check CHECK (status IN ('active', 'disabled', 'deleted', 'erased')) NOT VALID;
ALTER TABLE accounts ADD COLUMN status_before text; -- of a deleted account: what a restore goes back to
ALTER TABLE accounts ADD COLUMN profile_version bigint NOT NULL DEFAULT 0; -- of the user whose name and locale were copied last

-- +goose Down
UPDATE accounts SET status = 'disabled' WHERE status = 'deleted';
ALTER TABLE accounts DROP COLUMN profile_version;
ALTER TABLE accounts DROP COLUMN status_before;
ALTER TABLE accounts DROP CONSTRAINT accounts_status_check;
ALTER TABLE accounts ADD CONSTRAINT accounts_status_check CHECK (status IN ('active', 'disabled', 'erased'));
