-- +goose Up

-- Keys that sign access tokens, through their life: published, signing, only verifying, gone.
CREATE TABLE signing_keys (
    kid          text PRIMARY KEY,
    algorithm    text        NOT NULL,
    public_jwk   jsonb       NOT NULL,
    private_key  bytea       NOT NULL, -- encrypted
    created_at   timestamptz NOT NULL,
    activates_at timestamptz NOT NULL, -- signs from then on
    retires_at   timestamptz,          -- signs no longer; null: until there is a successor
    removes_at   timestamptz           -- leaves the key set; null: not yet decided
);
CREATE INDEX signing_keys_activates_at ON signing_keys (algorithm, activates_at DESC);

-- +goose Down
DROP TABLE signing_keys;
