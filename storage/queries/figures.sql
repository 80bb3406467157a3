-- name: last_movement
SELECT number, mrr_after, tier, currency
FROM mrr_movement
WHERE account = :account AND mode = :mode
ORDER BY number DESC
LIMIT 1;

-- name: add_movement
INSERT INTO mrr_movement (
    account, mode, number, kind, delta, mrr_after, tier, currency, voluntary, moved_at
) VALUES (
    :account, :mode, :number, :kind, :delta, :mrr_after, :tier, :currency, :voluntary, :at
);

-- name: account_movements
SELECT account, mode, number, kind, delta, mrr_after, tier, currency, voluntary, moved_at
FROM mrr_movement
WHERE account = :account AND mode = :mode
ORDER BY number;

-- name: movements
SELECT account, mode, number, kind, delta, mrr_after, tier, currency, voluntary, moved_at
FROM mrr_movement
WHERE mode = :mode AND (moved_at, account, number) > (:at, :account, :number)
ORDER BY moved_at, account, number
LIMIT :most;

-- name: reach
INSERT INTO funnel (account, mode, step, reached_at) VALUES (:account, :mode, :step, :at)
ON CONFLICT DO NOTHING;

-- name: reached
SELECT step, COUNT(*) AS accounts
FROM funnel
WHERE mode = :mode AND reached_at >= :since AND reached_at < :until
GROUP BY step;

-- name: journeys
SELECT b.reached_at - a.reached_at AS took
FROM funnel b JOIN funnel a ON a.account = b.account AND a.mode = b.mode
WHERE b.mode = :mode AND b.step = :last AND b.reached_at >= :since AND b.reached_at < :until
    AND a.step = :first AND a.reached_at <= b.reached_at
ORDER BY took;

-- name: count_accounts
SELECT COUNT(*) AS accounts FROM account;
