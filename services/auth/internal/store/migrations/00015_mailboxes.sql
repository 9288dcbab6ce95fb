-- +goose Up

-- The mails that strangers can ask for, by the mailbox that they go to: when the last ones were asked for, at most as many as a day
-- allows. The key is a keyed hash. held_at is when the audit trail last said that mails are held back.
CREATE TABLE mailboxes (
    key     bytea PRIMARY KEY,
    mails   timestamptz[] NOT NULL,
    last_at timestamptz   NOT NULL,
    held_at timestamptz
);
CREATE INDEX mailboxes_last_at ON mailboxes (last_at);

-- +goose Down
DROP TABLE mailboxes;
