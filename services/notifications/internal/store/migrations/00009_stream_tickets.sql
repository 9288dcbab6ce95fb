-- +goose Up

-- Tickets that open a live stream, once, within seconds. Of a ticket only its hash is here, and the access token that it stands for is
-- sealed with a key that follows from the ticket: whoever reads this table learns who opens streams, and nothing to open one with.
CREATE TABLE stream_tickets (
    hash         bytea PRIMARY KEY,
    recipient_id uuid        NOT NULL,
    sealed       bytea       NOT NULL,
    expires_at   timestamptz NOT NULL
);
CREATE INDEX stream_tickets_recipient ON stream_tickets (recipient_id, expires_at);
CREATE INDEX stream_tickets_expires_at ON stream_tickets (expires_at);

-- +goose Down
DROP TABLE stream_tickets;
