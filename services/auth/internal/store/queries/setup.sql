-- GetOpenLink is the newest link of a purpose that can be redeemed, whoever's it is.
-- name: GetOpenLink :one
SELECT * FROM links WHERE purpose = @purpose AND used_at IS NULL AND expires_at > @now ORDER BY created_at DESC, id DESC LIMIT 1;
