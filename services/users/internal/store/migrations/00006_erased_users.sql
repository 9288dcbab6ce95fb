-- +goose Up

-- Who was erased, for ever: an event that comes late, or again, must not bring anybody back, and the audit trail is pruned some day. A row is an
-- id and a time, nothing personal.
CREATE TABLE erased_users (
    id        uuid PRIMARY KEY,
    erased_at timestamptz NOT NULL
);
INSERT INTO erased_users (id, erased_at) SELECT user_id, max(created_at) FROM audit_log WHERE action = 'user.erased' GROUP BY user_id;

-- +goose Down
DROP TABLE erased_users;
