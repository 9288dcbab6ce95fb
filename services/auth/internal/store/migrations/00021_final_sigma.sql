-- +goose Up

-- An address is looked up with ς and σ as one letter, which they are in capitals. What was stored before has ς in its key and would be found by
-- nobody. Of several that are one address now the oldest has it, unless somebody has it already; the others keep a key that nothing finds.
-- Of the other letters that the key takes for one another, no address is taken any more, and its old key is still found as it is typed.
UPDATE accounts a SET email_key = m.key
FROM (
    SELECT DISTINCT ON (replace(email_key, 'ς', 'σ')) id, replace(email_key, 'ς', 'σ') AS key
    FROM accounts WHERE email_key LIKE '%ς%' ORDER BY replace(email_key, 'ς', 'σ'), created_at, id
) m
WHERE a.id = m.id AND NOT EXISTS (SELECT FROM accounts o WHERE o.email_key = m.key);

-- +goose Down
SELECT 1; -- both versions find the key with σ, but for an address that is typed with ς
