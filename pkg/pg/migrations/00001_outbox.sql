-- +goose Up

-- Events of this service. A row is written in the transaction of the change, published by the relay, and kept for replay.
CREATE TABLE outbox (
    seq          bigserial PRIMARY KEY,
    id           uuid        NOT NULL UNIQUE,
    type         text        NOT NULL,
    source       text        NOT NULL,
    subject      text        NOT NULL,
    org_id       text        NOT NULL,
    actor        text        NOT NULL,
    time         timestamptz NOT NULL,
    trace        jsonb       NOT NULL DEFAULT '{}',
    data         jsonb       NOT NULL,
    published_at timestamptz
);
CREATE INDEX outbox_unpublished ON outbox (seq) WHERE published_at IS NULL;
CREATE INDEX outbox_published ON outbox (published_at) WHERE published_at IS NOT NULL;

-- What the relay knows of its stream, to notice that JetStream has lost data.
CREATE TABLE outbox_streams (
    stream     text PRIMARY KEY,
    created_at timestamptz NOT NULL,
    last_seq   bigint      NOT NULL
);

-- Events that have been handled: one row in the transaction of the effect.
CREATE TABLE inbox (
    consumer   text        NOT NULL,
    event_id   uuid        NOT NULL,
    type       text        NOT NULL,
    handled_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (consumer, event_id)
);
CREATE INDEX inbox_handled_at ON inbox (handled_at);

-- Events that could not be handled. They wait for a person.
CREATE TABLE dead_letters (
    id                  uuid PRIMARY KEY,
    consumer            text        NOT NULL,
    stream              text        NOT NULL,
    event_id            uuid        NOT NULL,
    type                text        NOT NULL,
    source              text        NOT NULL,
    subject             text        NOT NULL,
    org_id              text        NOT NULL,
    actor               text        NOT NULL,
    time                timestamptz NOT NULL,
    trace               jsonb       NOT NULL DEFAULT '{}',
    data                bytea       NOT NULL,
    kind                text        NOT NULL,
    code                text        NOT NULL,
    error               text        NOT NULL,
    attempts            integer     NOT NULL,
    created_at          timestamptz NOT NULL DEFAULT now(),
    replay_requested_at timestamptz,
    resolved_at         timestamptz,
    UNIQUE (consumer, event_id)
);
CREATE INDEX dead_letters_open ON dead_letters (created_at) WHERE resolved_at IS NULL;
CREATE INDEX dead_letters_replay ON dead_letters (consumer, stream, replay_requested_at)
    WHERE replay_requested_at IS NOT NULL AND resolved_at IS NULL;

-- +goose Down
DROP TABLE dead_letters;
DROP TABLE inbox;
DROP TABLE outbox_streams;
DROP TABLE outbox;
