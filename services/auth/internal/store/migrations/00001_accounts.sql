-- +goose Up

-- Who can sign in. The password is apart, so that reading an account never reads it.
CREATE TABLE accounts (
    id                        uuid PRIMARY KEY,
    org_id                    text        NOT NULL DEFAULT 'default',
    email                     text        NOT NULL,            -- as it was typed
    email_key                 text        NOT NULL UNIQUE,     -- NFKC, lower case: what it is looked up by
    full_name                 text        NOT NULL,
    locale                    text        NOT NULL DEFAULT '',
    origin                    text        NOT NULL CHECK (origin IN ('sign_up', 'invitation', 'setup')),
    status                    text        NOT NULL DEFAULT 'active' CHECK (status IN ('active', 'disabled', 'erased')),
    status_version            bigint      NOT NULL DEFAULT 0,  -- of the user, when its events last changed the status
    verified_at               timestamptz,
    verification_requested_at timestamptz,
    reset_requested_at        timestamptz,
    roles_version             bigint      NOT NULL DEFAULT 1,  -- counts changes of account_roles; the ETag of a user's roles
    version                   bigint      NOT NULL DEFAULT 1,
    created_at                timestamptz NOT NULL,
    updated_at                timestamptz NOT NULL
);

CREATE TABLE passwords (
    account_id uuid PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    hash       text        NOT NULL, -- PHC string: argon2id, or bcrypt until the next sign-in
    changed_at timestamptz NOT NULL
);

CREATE TABLE roles (
    org_id      text        NOT NULL DEFAULT 'default',
    name        text        NOT NULL,
    description text        NOT NULL DEFAULT '',
    permissions text[]      NOT NULL DEFAULT '{}',
    built_in    boolean     NOT NULL DEFAULT false,
    version     bigint      NOT NULL DEFAULT 1,
    created_at  timestamptz NOT NULL DEFAULT now(),
    updated_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (org_id, name)
);

CREATE TABLE account_roles (
    account_id  uuid        NOT NULL REFERENCES accounts ON DELETE CASCADE,
    org_id      text        NOT NULL DEFAULT 'default',
    role        text        NOT NULL,
    assigned_by text        NOT NULL,
    assigned_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, role),
    CONSTRAINT account_roles_role_fkey FOREIGN KEY (org_id, role) REFERENCES roles (org_id, name)
);
CREATE INDEX account_roles_role ON account_roles (org_id, role);

INSERT INTO roles (name, description, permissions, built_in) VALUES
    ('user', 'Everybody: acts for oneself only', '{}', true),
    ('support', 'Helps people: reads what that needs, and ends sessions',
     '{users:read,sessions:read,sessions:revoke,notifications:read,deliveries:read,audit:read,roles:read}', true),
    ('admin', 'May do everything',
     '{users:read,users:write,users:delete,sessions:read,sessions:revoke,roles:read,roles:write,roles:assign,notifications:read,notifications:send,deliveries:read,deliveries:replay,audit:read}', true);

-- +goose Down
DROP TABLE account_roles;
DROP TABLE roles;
DROP TABLE passwords;
DROP TABLE accounts;
