-- +goose Up

-- From which addresses accounts were signed in to. The key is a keyed hash of both.
CREATE TABLE known_addresses (
    key          bytea PRIMARY KEY,
    last_seen_at timestamptz NOT NULL
);
CREATE INDEX known_addresses_last_seen_at ON known_addresses (last_seen_at);

-- +goose Down
DROP TABLE known_addresses;
