-- name: metering
SELECT account, mode, switched_on, cap, agreed_at, platform, workspace, member
FROM metering
WHERE account = :account AND mode = :mode;

-- name: save_metering
INSERT INTO metering (account, mode, switched_on, cap, agreed_at, platform, workspace, member)
VALUES (:account, :mode, :switched_on, :cap, :agreed_at, :platform, :workspace, :member)
ON CONFLICT (account, mode) DO UPDATE SET
    switched_on = excluded.switched_on, cap = excluded.cap, agreed_at = excluded.agreed_at,
    platform = excluded.platform, workspace = excluded.workspace, member = excluded.member;

-- name: metered_accounts
SELECT account FROM metering WHERE mode = :mode AND switched_on = 1
UNION
SELECT account FROM usage_event WHERE mode = :mode
ORDER BY account;

-- name: add_usage
INSERT INTO usage_event (turn, account, mode, cost, used_at, hour, sealed)
VALUES (:turn, :account, :mode, :cost, :at, :hour, 0)
ON CONFLICT (turn) DO NOTHING;

-- name: usage_cost
SELECT COALESCE(SUM(cost), 0) AS cost
FROM usage_event
WHERE account = :account AND mode = :mode AND used_at >= :since;

-- name: unsealed
SELECT account, mode, hour, SUM(cost) AS cost
FROM usage_event
WHERE mode = :mode AND sealed = 0 AND used_at < :before AND account = COALESCE(:account, account)
GROUP BY account, mode, hour
ORDER BY hour, account
LIMIT :most;

-- name: sealed_totals
SELECT
    (SELECT COALESCE(SUM(cost), 0) FROM usage_event WHERE account = :account AND mode = :mode AND sealed = 1)
        AS cost,
    (
        SELECT COALESCE(SUM(units), 0)
        FROM usage_report
        WHERE account = :account AND mode = :mode AND makes_good IS NULL
    ) AS units;

-- name: seal
UPDATE usage_event SET sealed = 1
WHERE account = :account AND mode = :mode AND hour = :hour AND sealed = 0 AND used_at < :before;
