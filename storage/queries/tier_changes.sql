-- name: next_tier_change
SELECT COALESCE(MAX(number), 0) + 1 AS number FROM tier_change WHERE account = :account AND mode = :mode;

-- name: add_tier_change
INSERT INTO tier_change (account, mode, number, tier_before, tier_after, reason, changed_at)
VALUES (:account, :mode, :number, :tier_before, :tier_after, :reason, :at);

-- name: tier_changes
SELECT account, mode, number, tier_before, tier_after, reason, changed_at
FROM tier_change
WHERE account = :account
ORDER BY changed_at, mode, number;
