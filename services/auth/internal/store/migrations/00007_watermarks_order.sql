-- +goose Up

-- The transaction that changed a watermark last. Whoever lists watermarks goes by it and not by seq or updated_at: those are taken before
-- the commit, so that a slow transaction's would already have been passed when it becomes visible. Every transaction below
-- pg_snapshot_xmin(pg_current_snapshot()) has ended.
SET LOCAL lock_timeout = '5s';
ALTER TABLE watermarks ADD COLUMN xact bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint);
CREATE INDEX watermarks_xact ON watermarks (xact, seq);

-- +goose StatementBegin
CREATE FUNCTION watermarks_stamp() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.xact := pg_current_xact_id()::text::bigint;
    RETURN NEW;
END $$;
-- +goose StatementEnd
CREATE TRIGGER watermarks_stamp BEFORE INSERT OR UPDATE ON watermarks FOR EACH ROW EXECUTE FUNCTION watermarks_stamp();

-- +goose Down
DROP TRIGGER watermarks_stamp ON watermarks;
DROP FUNCTION watermarks_stamp;
DROP INDEX watermarks_xact;
ALTER TABLE watermarks DROP COLUMN xact;
