-- +goose Up

-- How often everything that opens the account was closed. A mail is asked for under a generation; its link is made when the mail is
-- rendered, perhaps much later, and is refused when the account has been closed since. It is a count and no time, so that no two clocks
-- are compared.
SET LOCAL lock_timeout = '5s';
ALTER TABLE accounts ADD COLUMN generation bigint NOT NULL DEFAULT 0;

-- +goose Down
ALTER TABLE accounts DROP COLUMN generation;
