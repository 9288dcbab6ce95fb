-- +goose Up

-- Assertions by which a service showed who it is, each of which counts once. What is here is their hash.
CREATE TABLE service_assertions (
    hash       bytea PRIMARY KEY, -- SHA-256 of the service and the id
    expires_at timestamptz NOT NULL
);
CREATE INDEX service_assertions_expires_at ON service_assertions (expires_at);

-- What a link may be made for: something that auth itself has recorded, such as a person who forgot the password. One mail, one link.
CREATE TABLE link_causes (
    id          uuid PRIMARY KEY,
    account_id  uuid        NOT NULL REFERENCES accounts ON DELETE CASCADE,
    purpose     text        NOT NULL,
    delivery_id uuid, -- the mail that took it; null: none has yet
    created_at  timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL, -- when no mail may take it any more
    UNIQUE (delivery_id, purpose)
);
CREATE INDEX link_causes_open ON link_causes (account_id, purpose, created_at) WHERE delivery_id IS NULL;
CREATE INDEX link_causes_account ON link_causes (account_id);
CREATE INDEX link_causes_expires_at ON link_causes (expires_at);

-- +goose Down
DROP TABLE link_causes;
DROP TABLE service_assertions;
