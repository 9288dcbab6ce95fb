-- +goose Up

-- A device that is signed in.
CREATE TABLE sessions (
    id            uuid PRIMARY KEY,
    org_id        text        NOT NULL DEFAULT 'default',
    account_id    uuid        NOT NULL REFERENCES accounts ON DELETE CASCADE,
    device        text        NOT NULL,
    ip            text        NOT NULL,
    user_agent    text        NOT NULL,
    created_at    timestamptz NOT NULL,
    last_seen_at  timestamptz NOT NULL,
    issued_at     timestamptz NOT NULL, -- instant of the last access token, which every later watermark must exceed
    expires_at    timestamptz NOT NULL,
    revoked_at    timestamptz,
    revoke_reason text
);
CREATE INDEX sessions_open ON sessions (account_id, last_seen_at DESC, id) WHERE revoked_at IS NULL;
CREATE INDEX sessions_expires_at ON sessions (expires_at);

-- Each token of a session has at most one successor. The successor's secret is derived from its parent's, so that it can be given again
-- without being stored.
CREATE TABLE refresh_tokens (
    id         uuid PRIMARY KEY,
    session_id uuid        NOT NULL REFERENCES sessions ON DELETE CASCADE,
    hash       bytea       NOT NULL UNIQUE, -- SHA-256
    parent_id  uuid,
    child_id   uuid,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz
);
CREATE INDEX refresh_tokens_session ON refresh_tokens (session_id);
CREATE INDEX refresh_tokens_expires_at ON refresh_tokens (expires_at);

-- What devices look like that have signed in to an account before.
CREATE TABLE known_devices (
    account_id    uuid        NOT NULL REFERENCES accounts ON DELETE CASCADE,
    fingerprint   bytea       NOT NULL,
    device        text        NOT NULL,
    first_seen_at timestamptz NOT NULL,
    last_seen_at  timestamptz NOT NULL,
    PRIMARY KEY (account_id, fingerprint)
);

-- Revocations in force: access tokens of the scope's id that were issued before not_before are void.
CREATE SEQUENCE watermarks_seq;
CREATE TABLE watermarks (
    scope      text        NOT NULL CHECK (scope IN ('user', 'session')),
    id         uuid        NOT NULL,
    not_before timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    seq        bigint      NOT NULL DEFAULT nextval('watermarks_seq'), -- renewed with each change
    updated_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (scope, id)
);
CREATE INDEX watermarks_updated_at ON watermarks (updated_at, seq);
CREATE INDEX watermarks_seq_idx ON watermarks (seq);
CREATE INDEX watermarks_expires_at ON watermarks (expires_at);

-- +goose Down
DROP TABLE watermarks;
DROP SEQUENCE watermarks_seq;
DROP TABLE known_devices;
DROP TABLE refresh_tokens;
DROP TABLE sessions;
