-- +goose Up
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- People. E-mail, its verification and roles are copies of auth's, which events keep up to date.
CREATE TABLE users (
    id              uuid PRIMARY KEY,
    org_id          text        NOT NULL DEFAULT 'default',
    email           text        NOT NULL,
    email_verified  boolean     NOT NULL DEFAULT false,
    full_name       text        NOT NULL CHECK (full_name <> ''),
    locale          text        NOT NULL DEFAULT 'en',
    time_zone       text        NOT NULL DEFAULT 'UTC',
    status          text        NOT NULL CHECK (status IN ('pending', 'active', 'deactivated', 'deleted')),
    status_before   text, -- of a deleted user: what a restore goes back to
    roles           text[]      NOT NULL DEFAULT '{}',
    roles_version   bigint      NOT NULL DEFAULT 0, -- auth's, so that an older event does not win
    version         bigint      NOT NULL DEFAULT 1,
    created_at      timestamptz NOT NULL DEFAULT now(),
    updated_at      timestamptz NOT NULL DEFAULT now(),
    last_sign_in_at timestamptz,
    deleted_at      timestamptz,
    erase_at        timestamptz,
    search          text        NOT NULL GENERATED ALWAYS AS (lower(full_name || ' ' || email)) STORED
);

-- Keyset pages in each order that a list can have.
CREATE INDEX users_created_at ON users (created_at, id);
CREATE INDEX users_full_name ON users (full_name, id);
CREATE INDEX users_email ON users (email, id);
CREATE INDEX users_last_sign_in_at ON users ((coalesce(last_sign_in_at, '-infinity'::timestamptz)), id);
CREATE INDEX users_status ON users (status, created_at, id) WHERE status <> 'active';
CREATE INDEX users_roles ON users USING gin (roles);
CREATE INDEX users_search ON users USING gin (search gin_trgm_ops);
CREATE INDEX users_erase_at ON users (erase_at) WHERE status = 'deleted';

-- Who changed what of whom. Written in the transaction of the change.
CREATE TABLE audit_log (
    id         uuid PRIMARY KEY,
    org_id     text        NOT NULL DEFAULT 'default',
    user_id    uuid        NOT NULL,
    actor      text        NOT NULL,
    action     text        NOT NULL,
    detail     jsonb       NOT NULL DEFAULT '{}',
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX audit_log_user ON audit_log (user_id, created_at);

-- +goose Down
DROP TABLE audit_log;
DROP TABLE users;
