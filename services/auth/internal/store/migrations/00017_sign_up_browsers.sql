-- +goose Up

-- The browser that signed up: the hash of the secret in its cookie. Whoever opens the link of the verification mail in that browser chose
-- the password of the account.
CREATE TABLE sign_up_browsers (
    account_id uuid PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    hash       bytea       NOT NULL, -- SHA-256
    expires_at timestamptz NOT NULL
);
CREATE INDEX sign_up_browsers_expires_at ON sign_up_browsers (expires_at);

-- +goose Down
DROP TABLE sign_up_browsers;
