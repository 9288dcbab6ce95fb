-- +goose Up

-- One-time tokens of links. Only their hash is here.
CREATE TABLE links (
    id          uuid PRIMARY KEY,
    org_id      text        NOT NULL DEFAULT 'default',
    account_id  uuid        REFERENCES accounts ON DELETE CASCADE, -- null: the setup link
    purpose     text        NOT NULL CHECK (purpose IN ('verify_email', 'reset_password', 'invitation', 'not_me', 'setup')),
    hash        bytea       NOT NULL UNIQUE, -- SHA-256
    delivery_id uuid,                        -- the mail it is in
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz,
    UNIQUE (delivery_id, purpose)
);
CREATE INDEX links_account ON links (account_id, purpose) WHERE used_at IS NULL;
CREATE INDEX links_expires_at ON links (expires_at);

-- How often signing in failed, by what is counted: an account, an address. The key is a keyed hash, not the thing itself.
CREATE TABLE sign_in_failures (
    scope         text        NOT NULL,
    key           bytea       NOT NULL,
    failures      integer     NOT NULL,
    first_at      timestamptz NOT NULL,
    last_at       timestamptz NOT NULL,
    blocked_until timestamptz,
    PRIMARY KEY (scope, key)
);
CREATE INDEX sign_in_failures_last_at ON sign_in_failures (last_at);

-- +goose Down
DROP TABLE sign_in_failures;
DROP TABLE links;
