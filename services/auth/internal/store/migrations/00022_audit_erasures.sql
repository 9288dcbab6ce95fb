-- +goose Up

-- Erased accounts whose entries in the trail are not all emptied yet: there may be hundreds of thousands, which no single statement does in
-- time. They are emptied a batch at a time.
CREATE TABLE audit_erasures (
    account_id uuid PRIMARY KEY,
    asked_at   timestamptz NOT NULL
);

-- +goose Down
DROP TABLE audit_erasures;
