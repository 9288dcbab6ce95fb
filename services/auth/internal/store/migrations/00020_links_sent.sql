-- +goose Up

-- When the mail with the link was accepted by the mail server: whoever asks for it again does not have it sent again. Links of mails that the
-- version before had sent are not marked, and their deliveries are not asked for any more.
SET LOCAL lock_timeout = '5s';
ALTER TABLE links ADD COLUMN sent_at timestamptz;

-- +goose Down
ALTER TABLE links DROP COLUMN sent_at;
