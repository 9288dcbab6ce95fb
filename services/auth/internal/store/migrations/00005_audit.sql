-- +goose Up

-- What was done, by whom, to whom. Rows are only ever added; erasing a person removes the address and the device.
CREATE TABLE audit_log (
    id         uuid PRIMARY KEY,
    org_id     text        NOT NULL DEFAULT 'default',
    at         timestamptz NOT NULL,
    action     text        NOT NULL,
    actor      text        NOT NULL, -- an account's id, or system
    subject    text        NOT NULL, -- an account's id or a role's name
    outcome    text        NOT NULL CHECK (outcome IN ('success', 'failure')),
    ip         text        NOT NULL DEFAULT '',
    device     text        NOT NULL DEFAULT '',
    request_id text        NOT NULL DEFAULT '',
    details    jsonb       NOT NULL DEFAULT '{}'
);
CREATE INDEX audit_log_at ON audit_log (at DESC, id DESC);
CREATE INDEX audit_log_subject ON audit_log (subject, at DESC, id DESC);
CREATE INDEX audit_log_actor ON audit_log (actor, at DESC, id DESC);
CREATE INDEX audit_log_action ON audit_log (action, at DESC, id DESC);

-- +goose Down
DROP TABLE audit_log;
