-- +goose Up

-- Since when a recipient is known to own their address; NULL: not known. Only mails of a locked category go to an address that nobody
-- has proved to own.
--
-- People who were here before count as proved ('epoch') unless 00003 finds otherwise: what would say that they are, the event of long
-- ago, is not kept, and nobody who proved it would prove it again. The default is stored beside the table, which is not rewritten.
SET LOCAL lock_timeout = '5s';
ALTER TABLE recipients ADD COLUMN verified_at timestamptz DEFAULT 'epoch';
ALTER TABLE recipients ALTER COLUMN verified_at DROP DEFAULT;

-- The version before knows no verified_at, but queues a welcome in the transaction in which it handles auth.account.verified, as this
-- one does. While both run, that is what proves the address. The next release drops it.
-- +goose StatementBegin
CREATE FUNCTION recipients_welcomed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE recipients SET verified_at = NEW.created_at
    WHERE id = NEW.recipient_id AND (verified_at IS NULL OR verified_at = 'epoch') AND erased_at IS NULL;
    RETURN NULL;
END $$;
-- +goose StatementEnd
CREATE TRIGGER recipients_welcomed AFTER INSERT ON deliveries
    FOR EACH ROW WHEN (NEW.template = 'welcome') EXECUTE FUNCTION recipients_welcomed();

-- +goose Down
DROP TRIGGER recipients_welcomed ON deliveries;
DROP FUNCTION recipients_welcomed();
ALTER TABLE recipients DROP COLUMN verified_at;
