-- +goose Up

-- How many notices of new devices an account's owner was sent since a time. A day has a limit: whoever has the password must not be able to
-- fill the owner's mailbox.
CREATE TABLE device_notices (
    account_id uuid PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    since      timestamptz NOT NULL,
    told       integer     NOT NULL
);

-- What a known device is recognised by was its name alone ("Firefox on Linux"); it is a keyed hash now, of name and network or of a cookie.
-- The old rows match nothing any more and stay until newer ones displace them: they say that the account is not new, so that the first
-- sign-in after the upgrade is noticed.

-- +goose Down
DROP TABLE device_notices;
