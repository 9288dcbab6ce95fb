-- +goose Up

-- Whom messages can reach: a copy of what auth and users know, kept by their events. The three versions are of the event that
-- wrote the columns above them, so that events of different streams can arrive in any order. A row without an address is of
-- somebody whose registration has not arrived yet; an erased one stays as a tombstone, without anything personal.
CREATE TABLE recipients (
    id                  uuid PRIMARY KEY,
    org_id              text        NOT NULL DEFAULT 'default',
    email               text        NOT NULL DEFAULT '',
    full_name           text        NOT NULL DEFAULT '',
    locale              text        NOT NULL DEFAULT '',
    time_zone           text        NOT NULL DEFAULT '',
    profile_version     bigint      NOT NULL DEFAULT 0,
    active              boolean     NOT NULL DEFAULT true,
    status_version      bigint      NOT NULL DEFAULT 0,
    roles               text[]      NOT NULL DEFAULT '{}',
    roles_version       bigint      NOT NULL DEFAULT 0,
    preferences_version bigint      NOT NULL DEFAULT 0,
    last_seq            bigint      NOT NULL DEFAULT 0,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    erased_at           timestamptz
);
CREATE INDEX recipients_roles ON recipients USING gin (roles);

-- What a person has chosen; what is not here is as the category's default says.
CREATE TABLE preferences (
    recipient_id uuid    NOT NULL REFERENCES recipients (id),
    category     text    NOT NULL,
    channel      text    NOT NULL,
    enabled      boolean NOT NULL,
    PRIMARY KEY (recipient_id, category, channel)
);

-- Something that is told to many. The cursor is the last recipient that was told, written with what he was told, so that a send
-- that is interrupted goes on where it was.
CREATE TABLE sends (
    id          uuid PRIMARY KEY,
    org_id      text        NOT NULL,
    created_by  text        NOT NULL,
    category    text        NOT NULL,
    title       text        NOT NULL,
    body        text        NOT NULL,
    data        jsonb       NOT NULL DEFAULT '{}',
    channels    text[]      NOT NULL,
    to_user_ids uuid[]      NOT NULL DEFAULT '{}',
    to_roles    text[]      NOT NULL DEFAULT '{}',
    to_everyone boolean     NOT NULL DEFAULT false,
    send_at     timestamptz NOT NULL,
    state       text        NOT NULL DEFAULT 'scheduled' CHECK (state IN ('scheduled', 'sending', 'sent', 'canceled')),
    cursor      uuid        NOT NULL DEFAULT '00000000-0000-0000-0000-000000000000',
    recipients  bigint      NOT NULL DEFAULT 0,
    notified    bigint      NOT NULL DEFAULT 0,
    mailed      bigint      NOT NULL DEFAULT 0,
    skipped     bigint      NOT NULL DEFAULT 0,
    unknown     bigint      NOT NULL DEFAULT 0,
    created_at  timestamptz NOT NULL DEFAULT now(),
    finished_at timestamptz,
    CONSTRAINT sends_audience CHECK ((cardinality(to_user_ids) > 0)::int + (cardinality(to_roles) > 0)::int + to_everyone::int = 1)
);
CREATE INDEX sends_finished_at ON sends (finished_at) WHERE finished_at IS NOT NULL;

-- What a person is told in the app. seq counts a person's notifications without gaps, in the order in which they were committed: it is
-- taken from the recipient's row, whose lock is held until then.
CREATE TABLE notifications (
    id           uuid PRIMARY KEY,
    org_id       text        NOT NULL,
    recipient_id uuid        NOT NULL REFERENCES recipients (id),
    seq          bigint      NOT NULL,
    cause_id     uuid        NOT NULL,
    category     text        NOT NULL,
    title        text        NOT NULL,
    body         text        NOT NULL,
    data         jsonb       NOT NULL DEFAULT '{}',
    created_at   timestamptz NOT NULL DEFAULT now(),
    read_at      timestamptz,
    UNIQUE (recipient_id, seq),
    UNIQUE (recipient_id, cause_id)
);
CREATE INDEX notifications_unread ON notifications (recipient_id, seq) WHERE read_at IS NULL;
CREATE INDEX notifications_created_at ON notifications (created_at);

-- What leaves the mesh: one row for each recipient, channel and template of a cause (an event or a send).
CREATE TABLE deliveries (
    id              uuid PRIMARY KEY,
    org_id          text        NOT NULL,
    recipient_id    uuid        NOT NULL REFERENCES recipients (id),
    channel         text        NOT NULL,
    template        text        NOT NULL,
    category        text        NOT NULL,
    cause_id        uuid        NOT NULL,
    data            jsonb       NOT NULL DEFAULT '{}',
    state           text        NOT NULL DEFAULT 'queued'
        CHECK (state IN ('queued', 'sending', 'sent', 'failed', 'dead', 'skipped')),
    attempts        integer     NOT NULL DEFAULT 0,
    round           integer     NOT NULL DEFAULT 0,
    reason          text        NOT NULL DEFAULT '',
    address         text        NOT NULL DEFAULT '',
    locale          text        NOT NULL DEFAULT '',
    created_at      timestamptz NOT NULL DEFAULT now(),
    next_attempt_at timestamptz,
    sent_at         timestamptz,
    updated_at      timestamptz NOT NULL DEFAULT now(),
    UNIQUE (cause_id, recipient_id, channel, template)
);
CREATE INDEX deliveries_recipient ON deliveries (recipient_id, id);
CREATE INDEX deliveries_state ON deliveries (state, id) WHERE state <> 'sent';
CREATE INDEX deliveries_updated_at ON deliveries (updated_at);

-- Everything that happened to a delivery.
CREATE TABLE delivery_steps (
    delivery_id uuid        NOT NULL REFERENCES deliveries (id) ON DELETE CASCADE,
    seq         bigserial,
    state       text        NOT NULL,
    attempt     integer     NOT NULL,
    reason      text        NOT NULL DEFAULT '',
    detail      text        NOT NULL DEFAULT '',
    actor       text        NOT NULL DEFAULT '',
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (delivery_id, seq)
);

-- +goose Down
DROP TABLE delivery_steps;
DROP TABLE deliveries;
DROP TABLE notifications;
DROP TABLE sends;
DROP TABLE preferences;
DROP TABLE recipients;
