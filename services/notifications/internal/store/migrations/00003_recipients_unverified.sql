-- +goose Up

-- Whoever signed up or was invited was sent a mail to prove the address, and whoever proved it a welcome. Those with the first and
-- without the second have not proved it. Both are kept for DELIVERY_RETENTION (90 days) after they were settled: of people who came
-- before that nothing can be said, and they go on as they were. The first administrator was sent neither, and is proved.
--
-- It is a migration of its own, so that nobody waits for 00002's lock while this looks through the deliveries. Somebody who proves the
-- address meanwhile is not touched: 00002's trigger has replaced the epoch by then, or will.
UPDATE recipients r SET verified_at = NULL
WHERE r.verified_at = 'epoch'
    AND r.id IN (SELECT d.recipient_id FROM deliveries d WHERE d.template IN ('verification', 'invitation'))
    AND NOT EXISTS (SELECT FROM deliveries d WHERE d.recipient_id = r.id AND d.template = 'welcome');

-- Of somebody whose registration has not arrived it will say; of somebody erased nothing is kept.
UPDATE recipients SET verified_at = NULL WHERE verified_at = 'epoch' AND (email = '' OR erased_at IS NOT NULL);

-- +goose Down
SELECT 1;
